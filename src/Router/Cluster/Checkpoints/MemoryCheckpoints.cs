using System.Buffers.Binary;
using System.Collections.Concurrent;

namespace Router.Cluster.Checkpoints;

/// <summary>Keeps checkpoints in this process: they survive roaming, drain and hand-off, and no death of the member.
/// Every operation completes before it returns.</summary>
/// <remarks>An identity costs its name, one array of 40 bytes and the state, and 56 bytes of the table. As many rows as
/// there are identities at this member: whoever hands one over takes its row away.</remarks>
internal sealed class MemoryCheckpoints : ICheckpointStore
{
    /// <summary>Epoch and revision, before the state: an object less for each identity.</summary>
    private const int HeaderBytes = 2 * sizeof(long);

    private readonly ConcurrentDictionary<string, byte[]> _rows = new(StringComparer.Ordinal);

    /// <summary>Identities that something is kept of. Counting stops writers for a moment.</summary>
    public int Count => _rows.Count;

    public ValueTask<IReadOnlyList<Checkpoint>> ClaimAsync(
        IReadOnlyList<(string Identity, long LowestEpoch)> claims, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<Checkpoint>>(cancellationToken);
        }

        var claimed = new Checkpoint[claims.Count];
        for (var i = 0; i < claimed.Length; i++)
        {
            claimed[i] = Claim(claims[i].Identity, claims[i].LowestEpoch);
        }

        return ValueTask.FromResult<IReadOnlyList<Checkpoint>>(claimed);
    }

    public ValueTask<IReadOnlyList<bool>> WriteAsync(
        IReadOnlyList<Checkpoint> checkpoints, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<bool>>(cancellationToken);
        }

        var kept = new bool[checkpoints.Count];
        for (var i = 0; i < kept.Length; i++)
        {
            kept[i] = Put(checkpoints[i]);
        }

        return ValueTask.FromResult<IReadOnlyList<bool>>(kept);
    }

    public ValueTask<Checkpoint?> FindAsync(string identity, CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled<Checkpoint?>(cancellationToken)
            : ValueTask.FromResult(Find(identity));

    public ValueTask ForgetAsync(
        IReadOnlyList<(string Identity, long Epoch)> identities, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        foreach (var (identity, epoch) in identities)
        {
            Forget(identity, epoch);
        }

        return default;
    }

    /// <summary>One of <see cref="ClaimAsync"/>.</summary>
    public Checkpoint Claim(string identity, long lowestEpoch) => ToCheckpoint(identity, _rows.AddOrUpdate(
        identity,
        static (_, lowest) => ToRow(Math.Max(1, lowest), revision: 0, []),
        static (_, row, lowest) => ToRow(Math.Max(EpochOf(row) + 1, lowest), RevisionOf(row), StateOf(row)),
        lowestEpoch));

    /// <summary>One of <see cref="ForgetAsync"/>.</summary>
    public void Forget(string identity, long epoch)
    {
        while (_rows.TryGetValue(identity, out var row) && EpochOf(row) == epoch
            && !_rows.TryRemove(KeyValuePair.Create(identity, row)))
        {
            // it has just been written: look again
        }
    }

    /// <summary>What is kept of the identity; null for nothing.</summary>
    public Checkpoint? Find(string identity) =>
        _rows.TryGetValue(identity, out var row) ? ToCheckpoint(identity, row) : null;

    /// <summary>Keeps a row that another member has handed over, or one checkpoint.</summary>
    /// <returns>As <see cref="WriteAsync"/> says.</returns>
    public bool Put(Checkpoint checkpoint)
    {
        var (identity, epoch, revision, state) = checkpoint;
        byte[]? made = null;
        while (true)
        {
            if (!_rows.TryGetValue(identity, out var row))
            {
                made ??= ToRow(epoch, revision, state.Span);
                if (_rows.TryAdd(identity, made))
                {
                    return true;
                }
            }
            else if ((EpochOf(row), RevisionOf(row)).CompareTo((epoch, revision)) >= 0)
            {
                return EpochOf(row) == epoch;
            }
            else
            {
                // Arrays are compared by reference: this row, and none that was written since.
                made ??= ToRow(epoch, revision, state.Span);
                if (_rows.TryUpdate(identity, made, row))
                {
                    return true;
                }
            }
        }
    }

    public ValueTask DisposeAsync() => default;

    private static byte[] ToRow(long epoch, long revision, ReadOnlySpan<byte> state)
    {
        var row = new byte[HeaderBytes + state.Length];
        BinaryPrimitives.WriteInt64LittleEndian(row, epoch);
        BinaryPrimitives.WriteInt64LittleEndian(row.AsSpan(sizeof(long)), revision);
        state.CopyTo(row.AsSpan(HeaderBytes));
        return row;
    }

    private static Checkpoint ToCheckpoint(string identity, byte[] row) =>
        new(identity, EpochOf(row), RevisionOf(row), row.AsMemory(HeaderBytes));

    private static long EpochOf(byte[] row) => BinaryPrimitives.ReadInt64LittleEndian(row);

    private static long RevisionOf(byte[] row) => BinaryPrimitives.ReadInt64LittleEndian(row.AsSpan(sizeof(long)));

    private static ReadOnlySpan<byte> StateOf(byte[] row) => row.AsSpan(HeaderBytes);
}
