namespace Router.Cluster.Checkpoints;

/// <summary>A claim that waits or is under way.</summary>
internal sealed class PendingClaim(string identity, long lowestEpoch, ICheckpointOwner owner, long at)
{
    public string Identity => identity;

    public long LowestEpoch => lowestEpoch;

    public ICheckpointOwner Owner => owner;

    /// <summary>The timestamp at which it was made.</summary>
    public long At => at;

    /// <summary>Its place among all rows.</summary>
    public long Order { get; init; }

    /// <summary>Its owner has been told that it is lost.</summary>
    public bool IsAnswered { get; set; }

    public CheckpointNotice Lost() => new(owner, identity, null, null);
}

/// <summary>A checkpoint that waits or is under way.</summary>
/// <param name="Order">Its place among all rows: that of the first one whose place it took.</param>
internal readonly record struct PendingWrite(Checkpoint Checkpoint, ICheckpointOwner? Owner, long Order)
{
    public int Bytes => PendingCheckpoints.BytesOf(Checkpoint);

    public CheckpointNotice With(WriteResult result) => new(Owner, Checkpoint.Identity, Checkpoint, result);
}

/// <summary>What waits for a store of checkpoints, and which of it goes next. Not thread-safe.</summary>
/// <remarks>
/// Claims go before writes, for sessions wait for them, except that one batch in <see cref="ClaimsInARow"/> + 1 is of
/// writes. But a claim takes away the epoch of what was written before it: a write of the same identity that was there
/// first goes first, or roaming would lose the checkpoint that it is about.
/// </remarks>
internal sealed class PendingCheckpoints
{
    public const int ClaimsInARow = 3;

    private readonly LinkedList<PendingClaim> _claims = [];
    private readonly LinkedList<PendingWrite> _writes = [];
    private readonly Dictionary<string, LinkedListNode<PendingWrite>> _writesBy = new(StringComparer.Ordinal);
    private readonly Queue<(string Identity, long Epoch)> _forgets = [];
    private long _order;
    private int _claimsInARow;

    public int Claims => _claims.Count;

    public int Writes => _writes.Count;

    public int Forgets => _forgets.Count;

    /// <summary>When the claim was made that has waited longest; null for none.</summary>
    public long? OldestClaim => _claims.First?.Value.At;

    /// <summary>What a row is charged with: its name and its state.</summary>
    public static int BytesOf(Checkpoint checkpoint) =>
        (checkpoint.Identity.Length * sizeof(char)) + checkpoint.State.Length;

    public void Claim(string identity, long lowestEpoch, ICheckpointOwner owner, long now) =>
        _claims.AddLast(new PendingClaim(identity, lowestEpoch, owner, now) { Order = ++_order });

    public void Forget(string identity, long epoch) => _forgets.Enqueue((identity, epoch));

    public PendingWrite? Find(string identity) =>
        _writesBy.TryGetValue(identity, out var node) ? node.Value : null;

    /// <summary>Adds a row, or puts it in the place of the one of the same identity.</summary>
    public void Write(Checkpoint checkpoint, ICheckpointOwner? owner)
    {
        if (_writesBy.TryGetValue(checkpoint.Identity, out var node))
        {
            node.Value = new PendingWrite(checkpoint, owner, node.Value.Order);
        }
        else
        {
            _writesBy[checkpoint.Identity] = _writes.AddLast(new PendingWrite(checkpoint, owner, ++_order));
        }
    }

    /// <summary>Takes what goes next; null if nothing waits.</summary>
    /// <param name="rowsMax">Rows of a batch.</param>
    public CheckpointBatch? Next(int rowsMax)
    {
        if (_claims.Count > 0 && (_writes.Count == 0 || _claimsInARow < ClaimsInARow))
        {
            return NextClaims(rowsMax);
        }

        _claimsInARow = 0;
        if (_writes.Count > 0)
        {
            var writes = new List<PendingWrite>(Math.Min(rowsMax, _writes.Count));
            while (writes.Count < rowsMax && _writes.First is { } first)
            {
                writes.Add(Take(first));
            }

            return new WriteBatch(writes);
        }

        var forgets = new List<(string, long)>(Math.Min(rowsMax, _forgets.Count));
        while (forgets.Count < rowsMax && _forgets.TryDequeue(out var forget))
        {
            forgets.Add(forget);
        }

        return forgets.Count > 0 ? new ForgetBatch(forgets) : null;
    }

    /// <summary>Takes a batch back that was not done, to be the next. Rows whose place was taken meanwhile are not.
    /// </summary>
    public void Return(IReadOnlyList<PendingWrite> writes, List<CheckpointNotice> notices, ref long bytes)
    {
        for (var i = writes.Count - 1; i >= 0; i--)
        {
            var write = writes[i];
            if (_writesBy.TryGetValue(write.Checkpoint.Identity, out var newer))
            {
                newer.Value = newer.Value with { Order = write.Order };
                bytes -= write.Bytes;
                notices.Add(write.With(WriteResult.Replaced));
            }
            else
            {
                _writesBy[write.Checkpoint.Identity] = _writes.AddFirst(write);
            }
        }
    }

    /// <inheritdoc cref="Return(IReadOnlyList{PendingWrite}, List{CheckpointNotice}, ref long)"/>
    public void Return(IReadOnlyList<PendingClaim> claims)
    {
        foreach (var claim in claims.Reverse().Where(static claim => !claim.IsAnswered))
        {
            _claims.AddFirst(claim);
        }
    }

    /// <inheritdoc cref="Return(IReadOnlyList{PendingWrite}, List{CheckpointNotice}, ref long)"/>
    public void Return(IReadOnlyList<(string Identity, long Epoch)> forgets)
    {
        foreach (var forget in forgets)
        {
            _forgets.Enqueue(forget);
        }
    }

    /// <summary>Takes the claim that has waited longest if it was made by then.</summary>
    public PendingClaim? TakeClaimOf(long at)
    {
        if (_claims.First is not { } oldest || oldest.Value.At > at)
        {
            return null;
        }

        _claims.RemoveFirst();
        return oldest.Value;
    }

    private CheckpointBatch NextClaims(int rowsMax)
    {
        // An identity once in a batch: what is claimed twice has the other claim in the next one.
        var taken = new Dictionary<string, LinkedListNode<PendingClaim>>(StringComparer.Ordinal);
        for (var node = _claims.First; node is not null && taken.Count < rowsMax; node = node.Next)
        {
            taken.TryAdd(node.Value.Identity, node);
        }

        var ahead = new List<PendingWrite>();
        foreach (var (identity, claim) in taken)
        {
            if (_writesBy.TryGetValue(identity, out var write) && write.Value.Order < claim.Value.Order)
            {
                ahead.Add(Take(write));
            }
        }

        if (ahead.Count > 0)
        {
            return new WriteBatch(ahead);
        }

        foreach (var claim in taken.Values)
        {
            _claims.Remove(claim);
        }

        _claimsInARow++;
        return new ClaimBatch([.. taken.Values.Select(static node => node.Value)]);
    }

    private PendingWrite Take(LinkedListNode<PendingWrite> node)
    {
        _writes.Remove(node);
        _writesBy.Remove(node.Value.Checkpoint.Identity);
        return node.Value;
    }
}
