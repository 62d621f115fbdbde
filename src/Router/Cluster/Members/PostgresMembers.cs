using Npgsql;
using Router.Configuration;

namespace Router.Cluster.Members;

/// <summary>Members are the rows of a table, which each of them renews. Who begins the cluster is decided by one
/// transaction at a time.</summary>
/// <remarks>All times are the database's. A member that is chosen to begin still asks all rows first, those that were
/// not renewed too: where the database was away for long, the cluster that is there is found again.</remarks>
internal sealed class PostgresMembers : IMemberSource
{
    /// <summary>Rows that are asked for; those of members that are long gone are taken away.</summary>
    private const int RowsMax = 256;

    private const string Waits = "waits", Begins = "begins", IsIn = "member";

    private readonly NpgsqlDataSource _source;
    private readonly string _table;
    private readonly ClusterAddress _self;
    private readonly TimeSpan _staleAfter;
    private bool _isMade;
    private bool _isJoining;

    public PostgresMembers(string connection, string table, ClusterAddress self, TimeSpan staleAfter)
    {
        (_self, _staleAfter) = (self, staleAfter);
        _table = $"\"{table.Replace(".", "\".\"", StringComparison.Ordinal)}\"";
        var seconds = Math.Clamp((int)staleAfter.TotalSeconds / 2, 1, 5);
        var builder = new NpgsqlConnectionStringBuilder(connection)
        {
            MaxPoolSize = 1,
            Timeout = seconds,
            CommandTimeout = seconds,
            CancellationTimeout = -1,   // by a connection of its own, which a server that stands still holds, too
        };
        // A member that stands still in the middle must not hold all others.
        builder.Options = $"-c statement_timeout={seconds * 1_000} "
            + $"-c idle_in_transaction_session_timeout={seconds * 1_000} {builder.Options}".TrimEnd();
        _source = NpgsqlDataSource.Create(builder);
        Name = $"postgres {table}";
    }

    public string Name { get; }

    public TimeSpan? RenewEvery => _staleAfter / 5;

    /// <inheritdoc/>
    public async Task<MemberLook> LookAsync(bool isMember, CancellationToken end)
    {
        await MakeTableAsync(end).ConfigureAwait(false);
        var connection = await _source.OpenConnectionAsync(end).ConfigureAwait(false);
        await using var closing = connection.ConfigureAwait(false);
        var transaction = await connection.BeginTransactionAsync(end).ConfigureAwait(false);
        await using var ending = transaction.ConfigureAwait(false);
        await RunAsync(connection, "select pg_advisory_xact_lock(hashtext($1))", end, _table).ConfigureAwait(false);
        if (isMember)
        {
            // It may have been taken away while the database was not reached.
            await RunAsync(
                connection,
                $"insert into {_table} (address, state) values ($1, $2) on conflict (address) do update "
                + "set seen = clock_timestamp(), state = excluded.state",
                end, $"{_self}", IsIn).ConfigureAwait(false);
            await transaction.CommitAsync(end).ConfigureAwait(false);
            return new MemberLook([], MayBegin: false);
        }

        var look = await ChooseAsync(connection, end).ConfigureAwait(false);
        await transaction.CommitAsync(end).ConfigureAwait(false);
        _isJoining = true;
        return look;
    }

    public async Task LeaveAsync(CancellationToken end)
    {
        if (_isMade)
        {
            var connection = await _source.OpenConnectionAsync(end).ConfigureAwait(false);
            await using var closing = connection.ConfigureAwait(false);
            await RunAsync(connection, $"delete from {_table} where address = $1", end, $"{_self}")
                .ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private static async Task RunAsync(
        NpgsqlConnection connection, string sql, CancellationToken end, params string[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        await using var closing = command.ConfigureAwait(false);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = value });
        }

        await command.ExecuteNonQueryAsync(end).ConfigureAwait(false);
    }

    /// <summary>A start is a new row at the end: its number tells who came first.</summary>
    private async Task<MemberLook> ChooseAsync(NpgsqlConnection connection, CancellationToken end)
    {
        await RunAsync(
            connection,
            _isJoining
                ? $"update {_table} set seen = clock_timestamp() where address = $1"
                : $"delete from {_table} where address = $1",
            end, $"{_self}").ConfigureAwait(false);
        await RunAsync(
            connection,
            $"insert into {_table} (address, state) values ($1, '{Waits}') on conflict (address) do nothing",
            end, $"{_self}").ConfigureAwait(false);
        var stale = _staleAfter.TotalSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await RunAsync(
            connection,
            $"delete from {_table} where seen < clock_timestamp() - interval '7 days'", end).ConfigureAwait(false);
        // Of members that are gone as many may be left, and those decide nothing: they come last.
        var isFresh = $"seen > clock_timestamp() - interval '{stale} seconds'";
        var command = new NpgsqlCommand(
            $"select address, state, {isFresh} from {_table} "
            + $"order by address = $1 desc, (state <> '{Waits}' and {isFresh}) desc, number limit {RowsMax}",
            connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = $"{_self}" } },
        };
        await using var closing = command.ConfigureAwait(false);
        var rows = new List<(string Address, string State, bool IsFresh)>();
        var reader = await command.ExecuteReaderAsync(end).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            while (await reader.ReadAsync(end).ConfigureAwait(false))
            {
                rows.Add((reader.GetString(0), reader.GetString(1), reader.GetBoolean(2)));
            }
        }

        var own = $"{_self}";
        var begins = rows.Any(row => row.Address == own && row.State == Begins)
            || !rows.Any(static row => row.IsFresh && row.State != Waits);
        if (begins)
        {
            await RunAsync(connection, $"update {_table} set state = '{Begins}' where address = $1", end, own)
                .ConfigureAwait(false);
        }

        // Those that are in, or are about to begin; where nobody is, all that there ever were.
        return new MemberLook(
            [.. from row in rows
                where row.Address != own && (begins || (row.IsFresh && row.State != Waits))
                orderby row.State == IsIn descending
                let address = AddressOf(row.Address)
                where address is not null
                select address],
            begins);
    }

    private static ClusterAddress? AddressOf(string text) =>
        ClusterAddress.Parse(text, new Configuration.Hocon.HoconOrigin("", 1, 1), out var address) is null
            ? address
            : null;

    private async Task MakeTableAsync(CancellationToken end)
    {
        if (_isMade)
        {
            return;
        }

        var connection = await _source.OpenConnectionAsync(end).ConfigureAwait(false);
        await using var closing = connection.ConfigureAwait(false);
        try
        {
            await RunAsync(
                connection,
                $"""
                create table if not exists {_table} (
                  address text primary key,
                  number bigint generated always as identity,
                  state text not null,
                  seen timestamptz not null default clock_timestamp())
                """,
                end).ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState
            is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DuplicateTable
            or PostgresErrorCodes.DuplicateObject)
        {
            // Another member has made it, or its row type, at the same moment: the catalogue is not locked.
        }

        _isMade = true;
    }
}
