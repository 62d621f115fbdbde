namespace Router.Diagnostics;

/// <summary>What a member of a cluster has and has done. Counts are since its start, but for those of now.</summary>
/// <param name="Members">That are up, as this one knows, itself included; now.</param>
/// <param name="Unreachable">Of these, those that are not heard of; now.</param>
/// <param name="Attached">Sessions here that speak for an identity; now.</param>
/// <param name="Waiting">Sessions here whose identity's entity has not answered; now.</param>
/// <param name="Identities">Entities here; now.</param>
/// <param name="Attachments">Made by the entities here.</param>
/// <param name="Superseded">Of these, those that took another session's place.</param>
/// <param name="Queued">Messages that wait at the entities here for a session; now.</param>
/// <param name="QueueDrops">Messages that found an identity's queue full.</param>
/// <param name="DetachesLost">Ends of sessions that no entity acknowledged.</param>
/// <param name="CheckpointsQueued">That wait for the store; now. 0 where members keep them, as the next two.</param>
/// <param name="CheckpointsWritten">That the store has.</param>
/// <param name="CheckpointsLost">That it never will have.</param>
/// <param name="StoreFailures">Times that the store did not do what an entity asked of it.</param>
internal readonly record struct MemberFigures(
    int Members,
    int Unreachable,
    int Attached,
    int Waiting,
    long Identities,
    long Attachments,
    long Superseded,
    long Queued,
    long QueueDrops,
    long DetachesLost,
    int CheckpointsQueued,
    long CheckpointsWritten,
    long CheckpointsLost,
    long StoreFailures);
