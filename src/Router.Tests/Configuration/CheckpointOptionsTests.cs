using Router.Configuration;

namespace Router.Tests.Configuration;

public sealed class CheckpointOptionsTests
{
    [Fact]
    public void The_defaults_are_the_members_memory()
    {
        var options = Read("");

        Assert.Equal(CheckpointStoreKind.Memory, options.Store);
        Assert.Equal((50_000, 64L << 20, 500), (options.Queue, options.QueueBytes, options.Batch));
        Assert.Equal((TimeSpan.FromSeconds(5), "router_checkpoints"), (options.ClaimTimeout, options.Table));
        Assert.Null(options.Connection);
        Assert.Null(options.File);
    }

    [Fact]
    public void Every_key_is_read()
    {
        var options = Read("""
            checkpoints = postgres, checkpoint-queue = 200, checkpoint-queue-bytes = 2 MiB, checkpoint-batch = 100
            claim-timeout = 1s, postgres { connection = "Host=db;Username=u", table = "app.kept" }
            sqlite.file = "/x/y.db"
            """);

        Assert.Equal(CheckpointStoreKind.Postgres, options.Store);
        Assert.Equal((200, 2L << 20, 100), (options.Queue, options.QueueBytes, options.Batch));
        Assert.Equal((TimeSpan.FromSeconds(1), "app.kept"), (options.ClaimTimeout, options.Table));
        Assert.Equal(("Host=db;Username=u", "/x/y.db"), (options.Connection, options.File));
    }

    [Theory]
    [InlineData("checkpoints = redis", "checkpoints", "'redis' is none of memory, postgres, sqlite")]
    [InlineData("checkpoints = postgres", "postgres.connection", "needs connection")]
    [InlineData("checkpoints = sqlite", "sqlite.file", "needs file")]
    [InlineData("postgres.table = \"a b\"", "postgres.table", "no plain name")]
    [InlineData("postgres.connection = \"Database=x\"", "postgres.connection", "names no Host")]
    [InlineData("postgres.connection = \"Hots=x\"", "postgres.connection", "no connection string of Npgsql")]
    [InlineData("postgres.connection = \"Host=x;Port=y\"", "postgres.connection", "no connection string of Npgsql")]
    [InlineData("checkpoint-queue = 100", "checkpoint-batch", "more than checkpoint-queue")]
    public void What_cannot_work_is_refused(string keys, string path, string words) =>
        Loaded.Refuses(Load(keys), $"router.cluster.{path}", words);

    [Fact]
    public void A_fault_does_not_show_a_password() =>
        Assert.DoesNotContain(
            "hush",
            string.Join('\n', Load("postgres.connection = \"Password=hush;Port=y;Host=x\"").Faults),
            StringComparison.Ordinal);

    internal static CheckpointOptions Read(string keys)
    {
        var result = Load(keys);
        Assert.Empty(result.Faults.Select(static fault => fault.ToString()));
        return result.Options!.Cluster!.Checkpoints;
    }

    private static LoadResult Load(string keys) => Loaded.Result(
        $"router {{\n listeners.e {{ bind = \"udp://127.0.0.1:1\", route = e }}, routes.e.type = echo\n"
        + $"cluster {{\n{keys}\n}}\n}}");
}
