using Npgsql;
using NpgsqlTypes;
using Router.Configuration;

namespace Router.Cluster.Checkpoints;

/// <summary>Keeps checkpoints in a table of PostgreSQL 14 or later, which all members share: they survive the death of
/// members.</summary>
/// <remarks>
/// One connection, used by one operation at a time; a batch is one statement. The table is made if it is missing. Rows
/// are locked in the order of their names, so that members that claim the same identities wait for each other and never
/// in a circle.
/// <para>A connection on which anything but a refusal came back, or nothing in time, is given up, and the next
/// operation makes a new one. What it was asked for may still be under way at the server, or on the way to it: the new
/// connection first has the server end the old one's work, so that a claim that was given up is never done after the
/// one that took its place.</para>
/// <para>Time-outs are kept here: on one of its own, or where a token ends the waiting, the driver asks the server to
/// cancel by a connection of its own, blocking a thread, and a server that stands still held each operation for 10 s
/// more. What does not end is left behind, to end by the driver's time-out.</para>
/// </remarks>
internal sealed class PostgresCheckpoints : ICheckpointStore
{
    /// <summary>To connect. With a name, TLS and a password it is up to eight ways there and back.</summary>
    private const int ConnectSeconds = 5;

    /// <summary>For a statement, at the server.</summary>
    private const int CommandSeconds = 2;

    /// <summary>Connections that were given up and have not ended yet. Beyond it an operation waits for its own.
    /// </summary>
    private const int LeftBehindMax = 4;

    /// <summary>How much longer than a statement may take at the server its answer is waited for.</summary>
    private static readonly TimeSpan Way = TimeSpan.FromMilliseconds(500);

    /// <summary>For the work of a connection that was given up, to end.</summary>
    private const int EndMs = 1_000;

    /// <summary>Of the advisory lock under which members make the table: one at a time.</summary>
    private const long TableLock = 0x726F757465723137;

    private readonly NpgsqlDataSource _source;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly string _table;
    private readonly string _claim;
    private readonly string _write;
    private readonly string _forget;
    private readonly string _find;
    private readonly SemaphoreSlim _look = new(1);
    private readonly TimeSpan _limit;
    private readonly TimeSpan _connectLimit;
    private PostgresLink? _link;
    private PostgresBackend? _doubtful;    // of a connection that was given up: what it was asked for may be under way
    private volatile bool _isTableThere;
    private int _leftBehind;

    /// <param name="connection">A connection string of Npgsql. Time-outs that it sets are its own.</param>
    /// <param name="table">See <see cref="CheckpointOptions.IsTable"/>.</param>
    public PostgresCheckpoints(string connection, string table)
    {
        if (!CheckpointOptions.IsTable(table))
        {
            throw new ArgumentException($"'{table}' is no name of a table", nameof(table));
        }

        var text = Completed(connection, out var seconds);
        (_limit, _connectLimit) = (TimeSpan.FromSeconds(seconds) + Way, TimeSpan.FromSeconds(text.Timeout));
        _source = new NpgsqlDataSourceBuilder(text.ConnectionString).Build();
        _table = Quoted(table);
        _claim =
            $"""
            insert into {_table} as t (id, epoch, revision, state, touched)
            select id, epoch, 0, ''::bytea, now() from unnest($1::text[], $2::bigint[]) as u (id, epoch)
            order by id collate "C"
            on conflict (id) do update set epoch = greatest(t.epoch + 1, excluded.epoch), touched = now()
            returning id, epoch, revision, state
            """;
        _write =
            $"""
            with u as (
                select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[]) with ordinality
                    as u (id, epoch, revision, state, place)),
            kept as (
                insert into {_table} as t (id, epoch, revision, state, touched)
                select id, epoch, revision, state, now() from u order by id collate "C"
                on conflict (id) do update set
                    epoch = excluded.epoch,
                    revision = case when (t.epoch, t.revision) < (excluded.epoch, excluded.revision)
                        then excluded.revision else t.revision end,
                    state = case when (t.epoch, t.revision) < (excluded.epoch, excluded.revision)
                        then excluded.state else t.state end,
                    touched = now()
                where t.epoch <= excluded.epoch
                returning id)
            select place from u where id not in (select id from kept)
            """;
        _find = $"select epoch, revision, state from {_table} where id = $1";
        _forget =
            $"""
            delete from {_table} where (id, epoch) in (
                select t.id, t.epoch from {_table} as t
                join unnest($1::text[], $2::bigint[]) as u (id, epoch) on t.id = u.id and t.epoch = u.epoch
                order by t.id collate "C" for update of t)
            """;
    }

    public ValueTask<IReadOnlyList<Checkpoint>> ClaimAsync(
        IReadOnlyList<(string Identity, long LowestEpoch)> claims, CancellationToken cancellationToken) => RunAsync(
        async connection =>
        {
            var places = new Dictionary<string, int>(claims.Count, StringComparer.Ordinal);
            var (ids, epochs) = (new string[claims.Count], new long[claims.Count]);
            for (var i = 0; i < ids.Length; i++)
            {
                (ids[i], epochs[i]) = (claims[i].Identity, Math.Max(1, claims[i].LowestEpoch));
                places[ids[i]] = i;
            }

            await using var command = Command(connection, _claim, ids, epochs);
            await using var rows = await command.ExecuteReaderAsync().ConfigureAwait(false);
            var claimed = new Checkpoint[ids.Length];
            while (await rows.ReadAsync().ConfigureAwait(false))
            {
                var place = places[rows.GetString(0)];
                claimed[place] = new Checkpoint(
                    ids[place], rows.GetInt64(1), rows.GetInt64(2), rows.GetFieldValue<byte[]>(3));
            }

            return (IReadOnlyList<Checkpoint>)claimed;
        },
        cancellationToken);

    public ValueTask<IReadOnlyList<bool>> WriteAsync(
        IReadOnlyList<Checkpoint> checkpoints, CancellationToken cancellationToken) => RunAsync(
        async connection =>
        {
            var kept = new bool[checkpoints.Count];
            var (ids, epochs) = (new string[kept.Length], new long[kept.Length]);
            var (revisions, states) = (new long[kept.Length], new ReadOnlyMemory<byte>[kept.Length]);
            for (var i = 0; i < kept.Length; i++)
            {
                (ids[i], epochs[i], revisions[i], states[i]) = checkpoints[i];
                kept[i] = true;
            }

            await using var command = Command(connection, _write, ids, epochs);
            Add(command, NpgsqlDbType.Bigint, revisions);
            Add(command, NpgsqlDbType.Bytea, states);
            await using var rows = await command.ExecuteReaderAsync().ConfigureAwait(false);
            while (await rows.ReadAsync().ConfigureAwait(false))
            {
                kept[rows.GetInt64(0) - 1] = false;
            }

            return (IReadOnlyList<bool>)kept;
        },
        cancellationToken);

    /// <summary>By a connection for the one look: a server that does not answer must not hold up, or take away, the one
    /// that checkpoints are written by. One look at a time; one that is given up ends by the driver's time-outs.
    /// </summary>
    public async ValueTask<Checkpoint?> FindAsync(string identity, CancellationToken cancellationToken)
    {
        await _look.WaitAsync(cancellationToken).ConfigureAwait(false);
        var look = LookAsync(identity);
        _ = look.ContinueWith(
            static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted,
            TaskScheduler.Default);   // also where nobody waits any more
        return await look.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<Checkpoint?> LookAsync(string identity)
    {
        try
        {
            await using var connection = await _source.OpenConnectionAsync(CancellationToken.None)
                .ConfigureAwait(false);
            await using var command = new NpgsqlCommand(_find, connection);
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = identity });
            await using var row = await command.ExecuteReaderAsync().ConfigureAwait(false);
            return await row.ReadAsync().ConfigureAwait(false)
                ? new Checkpoint(identity, row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2))
                : null;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return null;   // nothing has been kept yet
        }
        finally
        {
            _look.Release();
        }
    }

    public async ValueTask ForgetAsync(
        IReadOnlyList<(string Identity, long Epoch)> identities, CancellationToken cancellationToken) => await RunAsync(
        async connection =>
        {
            await using var command = Command(
                connection,
                _forget,
                [.. identities.Select(static one => one.Identity)],
                [.. identities.Select(static one => one.Epoch)]);
            return await command.ExecuteNonQueryAsync().ConfigureAwait(false);
        },
        cancellationToken).ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        if (_link is { } link)
        {
            _link = null;
            await CloseAsync(link, Task.CompletedTask).ConfigureAwait(false);
        }

        await _source.DisposeAsync().ConfigureAwait(false);
        _turn.Release();
    }

    private async ValueTask<T> RunAsync<T>(
        Func<NpgsqlConnection, Task<T>> operation, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        var limit = _link is null ? _connectLimit + _limit + _limit : _limit;
        var link = _link ??= new PostgresLink();
        var running = RunAsync(link, operation);
        try
        {
            return await running.WaitAsync(limit, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (IsRefusal(e))
        {
            throw new CheckpointsRefusedException(e);
        }
        catch (Exception e)
        {
            _link = null;
            _doubtful = link.TryGiveUp() ? _doubtful : link.Backend;
            _isTableThere &= e is not PostgresException { SqlState: PostgresErrorCodes.UndefinedTable };
            var close = CloseAsync(link, running);
            if (Volatile.Read(ref _leftBehind) > LeftBehindMax)
            {
                await close.ConfigureAwait(false);
            }

            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<T> RunAsync<T>(PostgresLink link, Func<NpgsqlConnection, Task<T>> operation)
    {
        if (!link.IsUsed)
        {
            link.Connection = await _source.OpenConnectionAsync(CancellationToken.None).ConfigureAwait(false);
            link.Backend = await PrepareAsync(link.Connection).ConfigureAwait(false);
            if (!link.TryUse())
            {
                throw new TimeoutException("the connection was given up before it was there");
            }
        }

        return await operation(link.Connection!).ConfigureAwait(false);
    }

    /// <returns>Who works for the connection.</returns>
    private async Task<PostgresBackend?> PrepareAsync(NpgsqlConnection connection)
    {
        if (_doubtful is { } doubtful)
        {
            await EndAsync(connection, doubtful).ConfigureAwait(false);
            Interlocked.CompareExchange(ref _doubtful, null, doubtful);
        }

        if (!_isTableThere)
        {
            await MakeTableAsync(connection).ConfigureAwait(false);
            _isTableThere = true;
        }

        await using var command = new NpgsqlCommand(
            "select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()", connection);
        await using var row = await command.ExecuteReaderAsync().ConfigureAwait(false);
        return await row.ReadAsync().ConfigureAwait(false)
            ? new PostgresBackend(row.GetInt32(0), row.GetDateTime(1))
            : null;
    }

    /// <summary>Closes a connection once nothing is under way on it.</summary>
    private async Task CloseAsync(PostgresLink link, Task running)
    {
        Interlocked.Increment(ref _leftBehind);
        try
        {
            await running.ConfigureAwait(false);
        }
        catch
        {
            // told already, or too late to be
        }

        try
        {
            if (link.Connection is { } connection)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch
        {
            // it was broken
        }

        Interlocked.Decrement(ref _leftBehind);
    }

    /// <summary>The number of a process may be another's by now: its start tells.</summary>
    private static async Task EndAsync(NpgsqlConnection connection, PostgresBackend backend)
    {
        await using var command = new NpgsqlCommand(
            "select pg_terminate_backend(pid, $3) from pg_stat_activity where pid = $1 and backend_start = $2",
            connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = backend.Id });
        command.Parameters.Add(new NpgsqlParameter<DateTime>
        {
            TypedValue = backend.Start,
            NpgsqlDbType = NpgsqlDbType.TimestampTz,
        });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = EndMs });
        if (await command.ExecuteScalarAsync().ConfigureAwait(false) is false)
        {
            throw new TimeoutException(
                $"process {backend.Id} of the database server, which a connection of ours had, does not end");
        }
    }

    /// <remarks>Looked for first: "create if not exists" asks for the right to create also where the table is there.
    /// </remarks>
    private async Task MakeTableAsync(NpgsqlConnection connection)
    {
        await using var look = new NpgsqlCommand("select to_regclass($1) is not null", connection);
        look.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _table });
        if (await look.ExecuteScalarAsync().ConfigureAwait(false) is true)
        {
            return;
        }

        // An update leaves a page's free space to the next one of the same row, which then leaves the index alone.
        await using var make = new NpgsqlCommand(
            $"""
            begin;
            select pg_advisory_xact_lock({TableLock});
            create table if not exists {_table} (
                id text primary key, epoch bigint not null, revision bigint not null, state bytea not null,
                touched timestamptz not null) with (fillfactor = 70);
            commit
            """,
            connection);
        await make.ExecuteNonQueryAsync().ConfigureAwait(false);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string text, string[] ids, long[] epochs)
    {
        var command = new NpgsqlCommand(text, connection);
        Add(command, NpgsqlDbType.Text, ids);
        Add(command, NpgsqlDbType.Bigint, epochs);
        return command;
    }

    private static void Add<T>(NpgsqlCommand command, NpgsqlDbType type, T[] values) =>
        command.Parameters.Add(new NpgsqlParameter<T[]>
        {
            TypedValue = values,
            NpgsqlDbType = NpgsqlDbType.Array | type,
        });

    /// <summary>With limits of time, and without a pool: a connection that is given up must be closed.</summary>
    /// <remarks>The server ends a statement that waits for a lock: those of connections that are given up would pile up
    /// there. Encryption by Kerberos is off unless asked for: it is one more way there and back.</remarks>
    /// <param name="seconds">For a statement.</param>
    private static NpgsqlConnectionStringBuilder Completed(string connection, out int seconds)
    {
        // What is set later wins.
        var given = new NpgsqlConnectionStringBuilder(
            $"Timeout={ConnectSeconds};Command Timeout={CommandSeconds};Application Name=router;"
            + $"GSS Encryption Mode=Disable;{connection}")
        {
            CancellationTimeout = -1,
            Pooling = false,
        };
        given.Timeout = given.Timeout > 0 ? given.Timeout : ConnectSeconds;
        seconds = given.CommandTimeout > 0 ? given.CommandTimeout : CommandSeconds;
        given.CommandTimeout = seconds + 1;
        given.Options = $"-c statement_timeout={seconds * 1_000} {given.Options}".TrimEnd();
        return given;
    }

    private static string Quoted(string table) => $"\"{table.Replace(".", "\".\"", StringComparison.Ordinal)}\"";

    /// <summary>Data exceptions, violated constraints and limits of the server's: of the batch, not of the
    /// server.</summary>
    private static bool IsRefusal(PostgresException e) => e.SqlState[..2] is "22" or "23" or "54";
}
