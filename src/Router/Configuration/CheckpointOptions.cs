using System.Text.RegularExpressions;
using Npgsql;

namespace Router.Configuration;

/// <summary>What keeps checkpoints.</summary>
internal enum CheckpointStoreKind
{
    /// <summary>The members themselves: until one dies.</summary>
    Memory,

    /// <summary>A table that all members share.</summary>
    Postgres,

    /// <summary>A file of one machine.</summary>
    Sqlite,
}

/// <summary>The keys of <c>router.cluster</c> about checkpoints. Each is declared here once. What it means:
/// hocon/reference.conf.</summary>
internal sealed partial class CheckpointOptions
{
    public CheckpointOptions(SectionReader cluster)
    {
        Store = cluster.Choice<CheckpointStoreKind>("checkpoints", Reload.No);
        Queue = cluster.Int("checkpoint-queue", 100, 10_000_000, Reload.No);
        QueueBytes = cluster.LongSize("checkpoint-queue-bytes", 1 << 20, 64L << 30, Reload.No);
        Batch = cluster.Int("checkpoint-batch", 1, 10_000, Reload.No);
        ClaimTimeout = cluster.Duration(
            "claim-timeout", TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1), Reload.No);
        var postgres = cluster.Child("postgres");
        Connection = postgres.OptionalText("connection", Reload.No);
        Table = postgres.Text("table", Reload.No);
        var sqlite = cluster.Child("sqlite");
        File = sqlite.OptionalText("file", Reload.No) is { Length: > 0 } file ? Path.GetFullPath(file) : null;
        Check(cluster, postgres, sqlite);
    }

    public CheckpointStoreKind Store { get; }

    /// <summary>Rows that may wait for the store: checkpoints, claims, and identities to forget, each.</summary>
    public int Queue { get; }

    /// <summary>Names and states of checkpoints that may wait.</summary>
    public long QueueBytes { get; }

    /// <summary>Rows that go to the store at once.</summary>
    public int Batch { get; }

    /// <summary>After which a claim that the store has not answered is given up.</summary>
    public TimeSpan ClaimTimeout { get; }

    /// <summary>A connection string of Npgsql; null for none.</summary>
    public string? Connection { get; }

    /// <summary>See <see cref="IsTable"/>.</summary>
    public string Table { get; }

    /// <summary>Absolute; null for none.</summary>
    public string? File { get; }

    /// <summary>Whether a table may be called so: small letters, digits and '_', with a schema before a dot or none.
    /// </summary>
    public static bool IsTable(string name) => TableName().IsMatch(name);

    private void Check(SectionReader cluster, SectionReader postgres, SectionReader sqlite)
    {
        if (Table.Length > 0 && !IsTable(Table))
        {
            postgres.Fault(
                "table",
                $"'{Table}' is no plain name: write small letters, digits and '_', at most 63, with a schema and a dot "
                + "before it or none");
        }

        if (Store == CheckpointStoreKind.Postgres && string.IsNullOrWhiteSpace(Connection))
        {
            postgres.Fault(
                "connection",
                "checkpoints = postgres needs connection = \"Host=...;Database=...;Username=...;Password=...\"");
        }
        else if (Connection is not null && FaultOf(Connection) is { } fault)
        {
            postgres.Fault("connection", fault);
        }

        if (Store == CheckpointStoreKind.Sqlite && File is null)
        {
            sqlite.Fault("file", "checkpoints = sqlite needs file = \"PATH\"");
        }

        if (Batch > Queue)
        {
            cluster.Fault("checkpoint-batch", $"{Batch} rows are more than checkpoint-queue lets wait, {Queue}");
        }
    }

    /// <remarks>Without the text itself, which may have a password in it.</remarks>
    private static string? FaultOf(string connection)
    {
        try
        {
            return string.IsNullOrEmpty(new NpgsqlConnectionStringBuilder(connection).Host)
                ? "it names no Host: write \"Host=...;Database=...;Username=...\""
                : null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException
            or KeyNotFoundException or OverflowException)
        {
            return "it is no connection string of Npgsql, \"Host=...;Database=...;Username=...\": "
                + Secrets.MaskText(e.Message.ReplaceLineEndings(" "));
        }
    }

    [GeneratedRegex(@"^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?\z", RegexOptions.CultureInvariant, 1_000)]
    private static partial Regex TableName();
}
