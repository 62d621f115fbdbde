namespace Router.Cluster.Checkpoints;

/// <summary>Rows that go to the store at once. All but <see cref="RunAsync"/> under the queue's lock.</summary>
internal abstract class CheckpointBatch
{
    public abstract int Count { get; }

    public abstract Task RunAsync(ICheckpointStore store, CancellationToken cancellationToken);

    /// <summary>After it has run: counts its rows, and says who is to be told what.</summary>
    public abstract void Complete(CheckpointTally tally, List<CheckpointNotice> notices);

    /// <summary>After it has failed: its rows wait again.</summary>
    public abstract void Return(PendingCheckpoints pending, CheckpointTally tally, List<CheckpointNotice> notices);

    /// <summary>Its rows are given up.</summary>
    public abstract void Lose(CheckpointTally tally, List<CheckpointNotice> notices);
}

/// <summary>What is counted, under the queue's lock.</summary>
internal sealed class CheckpointTally
{
    public long Bytes;
    public long Claimed;
    public long Written;
    public long Forgotten;
    public long Replaced;
    public long Stale;
    public long Lost;
    public long ClaimsLost;
    public long Batches;
    public long Retries;
}

internal sealed class ClaimBatch(IReadOnlyList<PendingClaim> claims) : CheckpointBatch
{
    private IReadOnlyList<Checkpoint> _claimed = [];

    public override int Count => claims.Count;

    public IReadOnlyList<PendingClaim> Claims => claims;

    public override async Task RunAsync(ICheckpointStore store, CancellationToken cancellationToken) =>
        _claimed = await store.ClaimAsync(
            [.. claims.Select(static claim => (claim.Identity, claim.LowestEpoch))], cancellationToken)
            .ConfigureAwait(false);

    public override void Complete(CheckpointTally tally, List<CheckpointNotice> notices)
    {
        tally.Claimed += claims.Count;
        for (var i = 0; i < claims.Count; i++)
        {
            if (!claims[i].IsAnswered)
            {
                notices.Add(new CheckpointNotice(claims[i].Owner, claims[i].Identity, _claimed[i], null));
            }
        }
    }

    public override void Return(PendingCheckpoints pending, CheckpointTally tally, List<CheckpointNotice> notices) =>
        pending.Return(claims);

    public override void Lose(CheckpointTally tally, List<CheckpointNotice> notices)
    {
        foreach (var claim in claims.Where(static claim => !claim.IsAnswered))
        {
            tally.ClaimsLost++;
            notices.Add(claim.Lost());
        }
    }
}

internal sealed class WriteBatch(IReadOnlyList<PendingWrite> writes) : CheckpointBatch
{
    private IReadOnlyList<bool> _kept = [];

    public override int Count => writes.Count;

    public override async Task RunAsync(ICheckpointStore store, CancellationToken cancellationToken) =>
        _kept = await store.WriteAsync([.. writes.Select(static write => write.Checkpoint)], cancellationToken)
            .ConfigureAwait(false);

    public override void Complete(CheckpointTally tally, List<CheckpointNotice> notices)
    {
        for (var i = 0; i < writes.Count; i++)
        {
            tally.Bytes -= writes[i].Bytes;
            tally.Written += _kept[i] ? 1 : 0;
            tally.Stale += _kept[i] ? 0 : 1;
            notices.Add(writes[i].With(_kept[i] ? WriteResult.Kept : WriteResult.Stale));
        }
    }

    public override void Return(PendingCheckpoints pending, CheckpointTally tally, List<CheckpointNotice> notices)
    {
        var others = notices.Count;
        pending.Return(writes, notices, ref tally.Bytes);
        tally.Replaced += notices.Count - others;
    }

    public override void Lose(CheckpointTally tally, List<CheckpointNotice> notices)
    {
        foreach (var write in writes)
        {
            tally.Bytes -= write.Bytes;
            tally.Lost++;
            notices.Add(write.With(WriteResult.Lost));
        }
    }
}

/// <summary>Nobody waits for it, and a row that is not forgotten does no harm.</summary>
internal sealed class ForgetBatch(IReadOnlyList<(string Identity, long Epoch)> identities) : CheckpointBatch
{
    public override int Count => identities.Count;

    public override Task RunAsync(ICheckpointStore store, CancellationToken cancellationToken) =>
        store.ForgetAsync(identities, cancellationToken).AsTask();

    public override void Complete(CheckpointTally tally, List<CheckpointNotice> notices) =>
        tally.Forgotten += identities.Count;

    public override void Return(PendingCheckpoints pending, CheckpointTally tally, List<CheckpointNotice> notices) =>
        pending.Return(identities);

    public override void Lose(CheckpointTally tally, List<CheckpointNotice> notices)
    {
        // nothing is lost but room in the store
    }
}
