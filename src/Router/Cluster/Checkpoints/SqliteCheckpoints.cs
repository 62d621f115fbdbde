using Microsoft.Data.Sqlite;

namespace Router.Cluster.Checkpoints;

/// <summary>Keeps checkpoints in a file of this machine: they survive restarts and power cuts.</summary>
/// <remarks>
/// One connection, used by one operation at a time on a thread of the pool, for a disk may block. A batch is one
/// transaction in a write-ahead log, with synchronous = FULL: what was said to be kept is on the disk, as with
/// PostgreSQL's own default. It costs one fsync(2) a batch and not a row; with NORMAL a power cut would take back what
/// sessions have answered for.
/// <para>A connection that has failed is closed, and the next operation opens the file anew.</para>
/// </remarks>
/// <param name="path">The file; made if it is missing. The folder is not.</param>
internal sealed class SqliteCheckpoints(string path) : ICheckpointStore
{
    /// <summary>How long another process may hold the file, in seconds.</summary>
    private const int BusySeconds = 2;

    private const string Prepare =
        """
        pragma journal_mode = wal;
        pragma synchronous = full;
        create table if not exists checkpoints (
            id text not null primary key, epoch integer not null, revision integer not null, state blob not null,
            touched integer not null);
        """;

    private const string Claim =
        """
        insert into checkpoints (id, epoch, revision, state, touched) values ($id, $epoch, 0, x'', unixepoch())
        on conflict (id) do update set epoch = max(checkpoints.epoch + 1, excluded.epoch), touched = unixepoch()
        returning epoch, revision, state
        """;

    private const string Write =
        """
        insert into checkpoints as t (id, epoch, revision, state, touched)
        values ($id, $epoch, $revision, $state, unixepoch())
        on conflict (id) do update set
            epoch = excluded.epoch, revision = excluded.revision, state = excluded.state, touched = unixepoch()
        where (t.epoch, t.revision) < (excluded.epoch, excluded.revision)
        """;

    private const string Epoch = "select epoch from checkpoints where id = $id";

    private const string Forget = "delete from checkpoints where id = $id and epoch = $epoch";

    private const string Find = "select epoch, revision, state from checkpoints where id = $id";

    private readonly SemaphoreSlim _turn = new(1);
    private SqliteConnection? _connection;

    public ValueTask<IReadOnlyList<Checkpoint>> ClaimAsync(
        IReadOnlyList<(string Identity, long LowestEpoch)> claims, CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<Checkpoint>>(
            connection =>
            {
                using var transaction = connection.BeginTransaction();
                using var command = Command(connection, transaction, Claim);
                var (id, epoch) = (Add(command, "$id"), Add(command, "$epoch"));
                var claimed = new Checkpoint[claims.Count];
                for (var i = 0; i < claimed.Length; i++)
                {
                    (id.Value, epoch.Value) = (claims[i].Identity, Math.Max(1, claims[i].LowestEpoch));
                    using var row = command.ExecuteReader();
                    row.Read();
                    claimed[i] = new Checkpoint(
                        claims[i].Identity, row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2));
                }

                transaction.Commit();
                return claimed;
            },
            cancellationToken);

    public ValueTask<IReadOnlyList<bool>> WriteAsync(
        IReadOnlyList<Checkpoint> checkpoints, CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<bool>>(
            connection =>
            {
                using var transaction = connection.BeginTransaction();
                using var command = Command(connection, transaction, Write);
                using var look = Command(connection, transaction, Epoch);
                var (id, epoch) = (Add(command, "$id"), Add(command, "$epoch"));
                var (revision, state) = (Add(command, "$revision"), Add(command, "$state"));
                var looked = Add(look, "$id");
                var kept = new bool[checkpoints.Count];
                for (var i = 0; i < kept.Length; i++)
                {
                    var checkpoint = checkpoints[i];
                    (id.Value, epoch.Value) = (checkpoint.Identity, checkpoint.Epoch);
                    (revision.Value, state.Value) = (checkpoint.Revision, checkpoint.State.ToArray());
                    kept[i] = command.ExecuteNonQuery() > 0;
                    if (!kept[i])
                    {
                        looked.Value = checkpoint.Identity;
                        kept[i] = (long)look.ExecuteScalar()! == checkpoint.Epoch;
                    }
                }

                transaction.Commit();
                return kept;
            },
            cancellationToken);

    public ValueTask<Checkpoint?> FindAsync(string identity, CancellationToken cancellationToken) => RunAsync(
        connection =>
        {
            using var command = new SqliteCommand(Find, connection);
            Add(command, "$id").Value = identity;
            using var row = command.ExecuteReader();
            return row.Read()
                ? new Checkpoint(identity, row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2))
                : null;
        },
        cancellationToken);

    public async ValueTask ForgetAsync(
        IReadOnlyList<(string Identity, long Epoch)> identities, CancellationToken cancellationToken) =>
        await RunAsync(
            connection =>
            {
                using var transaction = connection.BeginTransaction();
                using var command = Command(connection, transaction, Forget);
                var (id, epoch) = (Add(command, "$id"), Add(command, "$epoch"));
                foreach (var identity in identities)
                {
                    (id.Value, epoch.Value) = identity;
                    command.ExecuteNonQuery();
                }

                transaction.Commit();
                return true;
            },
            cancellationToken).ConfigureAwait(false);

    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        Close();
        _turn.Release();
    }

    private async ValueTask<T> RunAsync<T>(Func<SqliteConnection, T> operation, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => operation(_connection ??= Open()), cancellationToken).ConfigureAwait(false);
        }
        catch (SqliteException e) when (IsRefusal(e))
        {
            throw new CheckpointsRefusedException(e);
        }
        catch
        {
            Close();
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private SqliteConnection Open()
    {
        // Without a pool: the file is closed when the store is.
        var text = new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Pooling = false,
            DefaultTimeout = BusySeconds,
        };
        var connection = new SqliteConnection(text.ConnectionString);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = Prepare;
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void Close()
    {
        _connection?.Dispose();
        _connection = null;
    }

    private static SqliteCommand Command(SqliteConnection connection, SqliteTransaction transaction, string text) =>
        new(text, connection, transaction);

    private static SqliteParameter Add(SqliteCommand command, string name)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        command.Parameters.Add(parameter);
        return parameter;
    }

    /// <summary>SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH: of what was to be kept, not of the file.</summary>
    private static bool IsRefusal(SqliteException e) => e.SqliteErrorCode is 18 or 19 or 20;
}
