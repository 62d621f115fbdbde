using Router.Cluster.Checkpoints;

namespace Router.Cluster.Identities;

/// <summary>Where a member's entities keep their checkpoints. Any thread; no call blocks or throws.</summary>
internal interface IIdentityStore
{
    /// <summary>Takes a new epoch, see <see cref="ICheckpointStore.ClaimAsync"/>.</summary>
    /// <returns>What is kept, where that is known at once; null where the owner is told later.</returns>
    Checkpoint? Claim(string identity, long lowestEpoch, ICheckpointOwner owner);

    /// <summary>Keeps a checkpoint, see <see cref="ICheckpointStore.WriteAsync"/>.</summary>
    /// <returns>What became of it, where that is known at once; null where the owner is told later.</returns>
    WriteResult? Write(Checkpoint checkpoint, ICheckpointOwner owner);

    /// <summary>Keeps what another member has handed over, where that is not in a store of all.</summary>
    void Keep(Checkpoint checkpoint);

    /// <summary>Another member goes on with the identity: what is kept of it only here would be old when it comes back.
    /// </summary>
    /// <param name="identity">Which.</param>
    /// <param name="epoch">That was handed over; a later one is another entity's.</param>
    void Release(string identity, long epoch);

    void Forget(string identity, long epoch);
}

/// <summary>In this process: what is kept survives roaming, drain and hand-off, and no death of the member.</summary>
internal sealed class MemoryIdentities(MemoryCheckpoints rows) : IIdentityStore
{
    public Checkpoint? Claim(string identity, long lowestEpoch, ICheckpointOwner owner) =>
        rows.Claim(identity, lowestEpoch);

    public WriteResult? Write(Checkpoint checkpoint, ICheckpointOwner owner) =>
        rows.Put(checkpoint) ? WriteResult.Kept : WriteResult.Stale;

    public void Keep(Checkpoint checkpoint)
    {
        if (checkpoint.Epoch > 0)
        {
            rows.Put(checkpoint);
        }
    }

    public void Release(string identity, long epoch) => rows.Forget(identity, epoch);

    public void Forget(string identity, long epoch) => rows.Forget(identity, epoch);
}

/// <summary>In a store that all members share, or one on a disk: by a queue, in batches.</summary>
internal sealed class QueuedIdentities(CheckpointQueue queue) : IIdentityStore
{
    public Checkpoint? Claim(string identity, long lowestEpoch, ICheckpointOwner owner)
    {
        if (!queue.Claim(identity, lowestEpoch, owner))
        {
            owner.OnClaimLost(identity);
        }

        return null;
    }

    public WriteResult? Write(Checkpoint checkpoint, ICheckpointOwner owner) =>
        queue.Write(checkpoint, owner) ? null : WriteResult.Lost;

    public void Keep(Checkpoint checkpoint)
    {
        // Every member has the store.
    }

    public void Release(string identity, long epoch)
    {
        // The other member goes on with the same row.
    }

    public void Forget(string identity, long epoch) => queue.Forget(identity, epoch);
}
