namespace Router.Cluster.Checkpoints;

/// <summary>What is kept of an identity. Immutable.</summary>
/// <param name="Identity">Its name.</param>
/// <param name="Epoch">Of the attachment that wrote it; the first attachment has 1.</param>
/// <param name="Revision">Of the state, growing with each checkpoint; 0 while there is none.</param>
/// <param name="State">The handler's bytes; empty while there is none.</param>
internal sealed record Checkpoint(string Identity, long Epoch, long Revision, ReadOnlyMemory<byte> State);

/// <summary>Keeps identities' checkpoints. What a store promises is the same for all: one contract suite runs over
/// each.</summary>
/// <remarks>Any thread. An operation is all of a batch or nothing. A store that is not to be had fails the task with an
/// exception; whoever calls tries again within his own limits.</remarks>
internal interface ICheckpointStore : IAsyncDisposable
{
    /// <summary>Takes a new epoch for each identity: one more than the store has, and at least what is asked for. From
    /// then on writes with a lower epoch are refused.</summary>
    /// <param name="claims">Identities, each at most once, and the lowest epoch that each may get.</param>
    /// <param name="cancellationToken">Gives up waiting; what becomes of the batch is not known then.</param>
    /// <returns>In the same order: what is kept, with the new epoch.</returns>
    ValueTask<IReadOnlyList<Checkpoint>> ClaimAsync(
        IReadOnlyList<(string Identity, long LowestEpoch)> claims, CancellationToken cancellationToken);

    /// <summary>Keeps checkpoints whose epoch is not lower than the kept one's, and whose revision is higher or whose
    /// epoch is.</summary>
    /// <param name="checkpoints">Each identity at most once.</param>
    /// <param name="cancellationToken">Gives up waiting; what becomes of the batch is not known then.</param>
    /// <returns>In the same order: whether it is kept, by this write or an earlier one of the same epoch and revision.
    /// False for one of a lower epoch.</returns>
    ValueTask<IReadOnlyList<bool>> WriteAsync(
        IReadOnlyList<Checkpoint> checkpoints, CancellationToken cancellationToken);

    /// <summary>Forgets identities that nobody has claimed since: those whose epoch is still the given one.</summary>
    ValueTask ForgetAsync(
        IReadOnlyList<(string Identity, long Epoch)> identities, CancellationToken cancellationToken);
}
