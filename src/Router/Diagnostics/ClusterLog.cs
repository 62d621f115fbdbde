using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>Log events of a cluster: ids 1500-1599. Listed in docs/logs.md; an id is never given to another event.
/// </summary>
internal static partial class ClusterLog
{
    /// <param name="member">Where it is reached: <c>10.0.0.7:27200</c>.</param>
    /// <param name="roles">Separated by spaces.</param>
    /// <param name="members">Those that are up, this one included.</param>
    [LoggerMessage(EventId = 1500, Level = LogLevel.Information, EventName = "member-up", Message =
        "Member {Member} ({Roles}) is up: {Members} members")]
    public static partial void Up(ILogger logger, string member, string roles, int members);

    [LoggerMessage(EventId = 1501, Level = LogLevel.Warning, EventName = "member-unreachable", Message =
        "Member {Member} is not heard of any more: {Members} members, {Unreachable} of them unreachable")]
    public static partial void Unreachable(ILogger logger, string member, int members, int unreachable);

    [LoggerMessage(EventId = 1502, Level = LogLevel.Information, EventName = "member-reachable", Message =
        "Member {Member} is heard of again: {Members} members, {Unreachable} of them unreachable")]
    public static partial void Reachable(ILogger logger, string member, int members, int unreachable);

    [LoggerMessage(EventId = 1503, Level = LogLevel.Information, EventName = "member-leaving", Message =
        "Member {Member} leaves")]
    public static partial void Leaving(ILogger logger, string member);

    /// <param name="cause"><c>left</c> in order, or <c>downed</c>: it was not heard of.</param>
    [LoggerMessage(EventId = 1504, Level = LogLevel.Warning, EventName = "member-removed", Message =
        "Member {Member} is out of the cluster: it {Cause}; {Members} members")]
    public static partial void Removed(ILogger logger, string member, string cause, int members);

    /// <summary>Behind each stats line of a member. Figures are since the start, but for those of now.</summary>
    /// <param name="attached">Sessions of this member that speak for an identity now.</param>
    /// <param name="waiting">Sessions of this member that wait for an answer of an identity's entity now.</param>
    /// <param name="identities">Entities at this member now.</param>
    /// <param name="attachments">Made by these.</param>
    /// <param name="superseded">Of these, those that took another session's place.</param>
    /// <param name="queued">Messages that wait at these for a session now.</param>
    /// <param name="queueDrops">Messages that found an identity's queue full.</param>
    /// <param name="checkpointsQueued">Rows that wait for the store now.</param>
    /// <param name="checkpointsLost">Those that no store will have.</param>
    /// <param name="relaying">Sessions whose datagrams go to other members now.</param>
    /// <param name="relayed">Sessions whose datagrams come by other members now, once for each of these.</param>
    /// <param name="straysAsked">Peers that other members were asked for.</param>
    /// <param name="straysFound">Of those, peers that one of them had a session of.</param>
    /// <param name="relayDrops">Datagrams and answers that were not relayed, or came too late.</param>
    /// <param name="onTheWay">Bytes that the member which is furthest behind has not acknowledged.</param>
    [LoggerMessage(EventId = 1507, Level = LogLevel.Information, EventName = "cluster-stats", Message =
        "{Members} members, {Unreachable} unreachable; {Attached} sessions attached, {Waiting} wait; {Identities} " +
        "identities here, {Attachments} attachments, {Superseded} superseded, {Queued} messages wait, " +
        "{QueueDrops} dropped; " +
        "checkpoints: {CheckpointsWritten} written, {CheckpointsQueued} wait, {CheckpointsLost} lost, " +
        "{StoreFailures} failures of the store, {DetachesLost} ends of sessions lost; fence shut {FenceShut} times; " +
        "{Relaying} sessions relayed to others, {Relayed} for others, {StraysAsked} strays asked for, " +
        "{StraysFound} found, {RelayDrops} relayed datagrams dropped; {OnTheWay} bytes on the way to a member")]
    public static partial void Stats(
        ILogger logger, int members, int unreachable, int attached, int waiting, long identities, long attachments,
        long superseded, long queued, long queueDrops, long checkpointsWritten, int checkpointsQueued,
        long checkpointsLost, long storeFailures, long detachesLost, long fenceShut, long relaying, long relayed,
        long straysAsked, long straysFound, long relayDrops, long onTheWay);

    /// <param name="sessions">Whose end no entity has acknowledged.</param>
    [LoggerMessage(EventId = 1506, Level = LogLevel.Warning, EventName = "not-detached", Message =
        "The last checkpoints of {Sessions} sessions may be lost: their identities' members do not answer")]
    public static partial void NotDetached(ILogger logger, int sessions);

    /// <param name="address">Where other members reach this one.</param>
    /// <param name="seeds">Whom it asks to be let in.</param>
    [LoggerMessage(EventId = 1505, Level = LogLevel.Information, EventName = "cluster-joining", Message =
        "Member {Address} joins the cluster of {Seeds}")]
    public static partial void Joining(ILogger logger, string address, string seeds);

    /// <param name="member">One that runs the other configuration.</param>
    /// <param name="theirs">The hash of that.</param>
    /// <param name="ours">The hash of this member's.</param>
    /// <param name="where"><c>keys</c>, or <c>secrets</c> where all else is equal.</param>
    /// <param name="members">How many are known to run it.</param>
    [LoggerMessage(EventId = 1508, Level = LogLevel.Warning, EventName = "configuration-differs", Message =
        "Member {Member} runs another configuration ({Theirs}) than this one ({Ours}): its {Where} differ; " +
        "{Members} members run that")]
    public static partial void ConfigurationDiffers(
        ILogger logger, string member, string theirs, string ours, string where, int members);

    /// <param name="ours">The hash of it.</param>
    /// <param name="members">Others that are known to run it.</param>
    [LoggerMessage(EventId = 1509, Level = LogLevel.Information, EventName = "configuration-agrees", Message =
        "All members that are heard of run this one's configuration ({Ours}) again: {Members} others")]
    public static partial void ConfigurationAgrees(ILogger logger, string ours, int members);

    /// <param name="direction"><c>in</c> for a connection that came, <c>out</c> for one that this member made.</param>
    /// <param name="peer">Its address.</param>
    /// <param name="reason">In a few words.</param>
    /// <param name="connections">Since the last such line; the other fields are those of the last one.</param>
    [LoggerMessage(EventId = 1510, Level = LogLevel.Warning, EventName = "member-refused", Message =
        "No connection ({Direction}) with {Peer}: {Reason} ({Connections} connections)")]
    public static partial void Refused(ILogger logger, string direction, string peer, string reason, long connections);

    /// <param name="source">The name, or the table.</param>
    /// <param name="error">Why there is no answer.</param>
    /// <param name="retryMs">Until it is asked again; further errors that say the same are not logged.</param>
    [LoggerMessage(EventId = 1511, Level = LogLevel.Warning, EventName = "discovery-failed", Message =
        "Members cannot be found by {Source}: {Error}; asked again in {RetryMs} ms")]
    public static partial void DiscoveryFailed(ILogger logger, string source, string error, long retryMs);

    [LoggerMessage(EventId = 1512, Level = LogLevel.Information, EventName = "discovery-works", Message =
        "Members are found by {Source} again")]
    public static partial void DiscoveryWorks(ILogger logger, string source);

    /// <param name="peer">The other member's address, <c>-</c> where Akka does not say it.</param>
    /// <param name="error">Why, in a few words.</param>
    /// <param name="count">Since the last such line; the other fields are those of the last one.</param>
    [LoggerMessage(EventId = 1513, Level = LogLevel.Warning, EventName = "member-link-lost", Message =
        "No connection with {Peer}: {Error} ({Count} times)")]
    public static partial void LinkLost(ILogger logger, string peer, string error, long count);

    /// <inheritdoc cref="LinkLost" path="/param"/>
    [LoggerMessage(EventId = 1514, Level = LogLevel.Warning, EventName = "member-late", Message =
        "Heartbeats of {Peer} are late: {Error} ({Count} times)")]
    public static partial void Late(ILogger logger, string peer, string error, long count);

    /// <param name="tries">So far; the next line comes when they have doubled.</param>
    /// <param name="seeds">Who was asked.</param>
    [LoggerMessage(EventId = 1515, Level = LogLevel.Warning, EventName = "cluster-unanswered", Message =
        "No member has let this one in after {Tries} tries; asked were {Seeds}")]
    public static partial void Unanswered(ILogger logger, int tries, string seeds);

    /// <param name="name">Below /user.</param>
    [LoggerMessage(EventId = 1516, Level = LogLevel.Error, EventName = "cluster-actor-restarted", Message =
        "The actor {Name} had stopped, killed or given up, and is started anew: what was on its way to it is lost")]
    public static partial void ActorRestarted(ILogger logger, string name);

    /// <param name="peer">The oldest member of the other one.</param>
    /// <param name="members">Of that, with listeners.</param>
    /// <param name="ageMs">How long the oldest has been up.</param>
    /// <param name="outcome">What this member's cluster does: <c>goes on</c>, <c>ends</c>.</param>
    [LoggerMessage(EventId = 1517, Level = LogLevel.Error, EventName = "second-cluster", Message =
        "There is a second cluster at {Peer}, of {Members} members and {AgeMs} ms old: this one {Outcome}")]
    public static partial void SecondCluster(ILogger logger, string peer, int members, long ageMs, string outcome);

    /// <param name="silentMs">Since it sent the last question that a majority has answered.</param>
    /// <param name="heard">Members with listeners that have answered lately, this one included.</param>
    /// <param name="members">All of them.</param>
    [LoggerMessage(EventId = 1530, Level = LogLevel.Warning, EventName = "fence-shut", Message =
        "No majority has answered for {SilentMs} ms, {Heard} of {Members} members are heard: nothing is sent for "
        + "sessions that another member may take over")]
    public static partial void FenceShut(ILogger logger, long silentMs, int heard, int members);

    /// <param name="shutMs">How long it was shut; 0 for the first time.</param>
    [LoggerMessage(EventId = 1531, Level = LogLevel.Information, EventName = "fence-open", Message =
        "A majority answers, {Heard} of {Members} members are heard: all sessions are served, after {ShutMs} ms")]
    public static partial void FenceOpen(ILogger logger, long shutMs, int heard, int members);

    /// <param name="address">Where it was reached.</param>
    [LoggerMessage(EventId = 1532, Level = LogLevel.Error, EventName = "member-downed", Message =
        "This member, {Address}, is out of its cluster: the others have not heard of it, or it has not heard of a "
        + "majority of them. The router ends at once; its supervisor should start it anew")]
    public static partial void Downed(ILogger logger, string address);

    /// <param name="member">Which one misses them.</param>
    /// <param name="payloads">Not sent since the last such line.</param>
    /// <param name="onTheWay">Bytes that it had not acknowledged then.</param>
    [LoggerMessage(EventId = 1550, Level = LogLevel.Warning, EventName = "room-behind", Message =
        "Member {Member} missed {Payloads} payloads of rooms: {OnTheWay} bytes were on the way to it")]
    public static partial void RoomBehind(ILogger logger, string member, long payloads, long onTheWay);

    [LoggerMessage(EventId = 1551, Level = LogLevel.Warning, EventName = "room-late", Message =
        "{Payloads} payloads of other members' rooms were dropped: loop {Loop} lags")]
    public static partial void RoomLate(ILogger logger, long payloads, int loop);

    [LoggerMessage(EventId = 1552, Level = LogLevel.Warning, EventName = "room-pack-refused", Message =
        "A message of rooms from {Member} is dropped: {Error} ({Suppressed} more)")]
    public static partial void RoomPackRefused(ILogger logger, string member, string error, long suppressed);

    /// <param name="member">Which one misses them.</param>
    /// <param name="payloads">Not sent since the last such line.</param>
    /// <param name="onTheWay">Bytes that it had not acknowledged then.</param>
    [LoggerMessage(EventId = 1560, Level = LogLevel.Warning, EventName = "relay-behind", Message =
        "Member {Member} missed {Payloads} relayed datagrams: {OnTheWay} bytes were on the way to it")]
    public static partial void RelayBehind(ILogger logger, string member, long payloads, long onTheWay);

    [LoggerMessage(EventId = 1561, Level = LogLevel.Warning, EventName = "relay-late", Message =
        "{Payloads} datagrams that other members relayed were dropped: loop {Loop} lags")]
    public static partial void RelayLate(ILogger logger, long payloads, int loop);

    [LoggerMessage(EventId = 1562, Level = LogLevel.Warning, EventName = "relay-pack-refused", Message =
        "What member {Member} relayed is dropped: {Error} ({Suppressed} more)")]
    public static partial void RelayPackRefused(ILogger logger, string member, string error, long suppressed);
}
