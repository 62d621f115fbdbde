namespace Router.Cluster.Checkpoints;

/// <summary>What became of a checkpoint that was given to <see cref="CheckpointQueue"/>.</summary>
internal enum WriteResult
{
    /// <summary>The store has it.</summary>
    Kept,

    /// <summary>A later one of the same identity took its place before it was written: that one's result stands for
    /// both.</summary>
    Replaced,

    /// <summary>Its epoch is over: the identity was claimed since, by whoever speaks for it now.</summary>
    Stale,

    /// <summary>It was given up: the store will never take it, or the queue has ended.</summary>
    Lost,
}

/// <summary>Who gives rows to a <see cref="CheckpointQueue"/>, and is told what became of each, once.</summary>
/// <remarks>Called on any thread, also within the owner's own call of the queue. Must not block or throw: an actor
/// tells itself.</remarks>
internal interface ICheckpointOwner
{
    /// <param name="claimed">What is kept, with the new epoch.</param>
    void OnClaimed(Checkpoint claimed);

    /// <summary>The store was not to be had within the time for claims. It may have been claimed all the same: an
    /// earlier epoch may be over.</summary>
    void OnClaimLost(string identity);

    void OnWritten(Checkpoint checkpoint, WriteResult result);
}

/// <summary>What an owner is to be told once no lock is held.</summary>
/// <param name="Owner">Null: nobody wants to know.</param>
/// <param name="Checkpoint">Null for a claim that is lost.</param>
/// <param name="Result">Null for a claim.</param>
internal readonly record struct CheckpointNotice(
    ICheckpointOwner? Owner, string Identity, Checkpoint? Checkpoint, WriteResult? Result)
{
    public void Tell()
    {
        if (Checkpoint is null)
        {
            Owner?.OnClaimLost(Identity);
        }
        else if (Result is { } result)
        {
            Owner?.OnWritten(Checkpoint, result);
        }
        else
        {
            Owner?.OnClaimed(Checkpoint);
        }
    }
}

/// <summary>What a queue of checkpoints has done, and what waits in it.</summary>
internal sealed record CheckpointCounts
{
    /// <summary>Rows that wait or are under way, and the bytes of those to be written.</summary>
    public int Queued { get; init; }

    public long QueuedBytes { get; init; }

    public long Claimed { get; init; }

    public long Written { get; init; }

    public long Forgotten { get; init; }

    /// <summary>Checkpoints whose place a later one took before they were written.</summary>
    public long Replaced { get; init; }

    /// <summary>Checkpoints of an epoch that was over.</summary>
    public long Stale { get; init; }

    /// <summary>Checkpoints that no store will ever have: the queue was full, the store refused them, or it was not to
    /// be had until the end.</summary>
    public long Lost { get; init; }

    /// <summary>Claims that were not answered in time, or found the queue full.</summary>
    public long ClaimsLost { get; init; }

    /// <summary>Batches that were tried.</summary>
    public long Batches { get; init; }

    /// <summary>Of these, tries that failed and were followed by another.</summary>
    public long Retries { get; init; }

    /// <summary>Whether the last try failed: the store is not to be had.</summary>
    public bool IsAway { get; init; }

    /// <summary>Of the latest try that failed; null for none so far.</summary>
    public string? LastError { get; init; }
}
