namespace Router.Diagnostics;

/// <summary>Why a payload, or a connection, was dropped. The log has the sums per listener and interval.</summary>
public enum DropReason
{
    /// <summary>A new peer while the listener holds max-sessions.</summary>
    MaxSessions = 0,

    /// <summary>A new peer while the listener drains.</summary>
    Draining,

    /// <summary>A datagram longer than a receive slot.</summary>
    Truncated,

    /// <summary>The session's mailbox is full, in messages or bytes.</summary>
    MailboxFull,

    /// <summary>The session ended before it took the payload, or before a reply of its handler on the pool was
    /// there.</summary>
    SessionClosed,

    /// <summary>The peer is a listener of this router.</summary>
    OwnListener,

    /// <summary>The peer's source port is one that answers by itself.</summary>
    ResponderPort,

    /// <summary>The reply exceeds what an unvalidated peer may be sent.</summary>
    Amplification,

    /// <summary>The socket's send buffer is full.</summary>
    SendFull,

    /// <summary>The kernel refused the datagram for its size or destination.</summary>
    SendRefused,

    /// <summary>The reply is longer than a datagram can be.</summary>
    TooLong,

    /// <summary>The upstream refused (ICMP) or is unreachable.</summary>
    UpstreamRefused,

    /// <summary>No upstream could be picked or no socket made for it.</summary>
    UpstreamUnavailable,

    /// <summary>No descriptors, memory or local port for the connection, or for a UDP session's socket.</summary>
    NoResources,

    /// <summary>The handler failed on it.</summary>
    HandlerFailed,

    /// <summary>The listener failed while it dealt the batch out.</summary>
    ListenerFailed,

    /// <summary>The kernel's receive buffer was full: its own count, not one of ours.</summary>
    ReceiveBufferFull,

    /// <summary>The peer has not proved yet that it receives what it is sent.</summary>
    Unvalidated,

    /// <summary>An empty datagram for a child process, which would take it for the end.</summary>
    Empty,

    /// <summary>The route holds max-processes.</summary>
    MaxProcesses,

    /// <summary>The child process takes no more, or could not be started.</summary>
    ChildGone,

    /// <summary>The collect route's buffer is full: its sink is late.</summary>
    CollectFull,

    /// <summary>The room, or its route, holds as many as it may.</summary>
    RoomFull,

    /// <summary>A payload that names no room, or is longer than a room takes.</summary>
    RoomRefused,

    /// <summary>A member's copy: its stream holds the write buffer's worth unsent.</summary>
    RoomSlow,

    /// <summary>Copies for members on a loop that lags: what may be under way between loops is.</summary>
    RoomLate,

    /// <summary>A connection attempt that the kernel dropped because the accept queue was full.</summary>
    AcceptQueueFull,

    /// <summary>It came from an address that has no part in the session.</summary>
    ForeignSource,

    /// <summary>A flow beyond the max-flows of its control session.</summary>
    MaxFlows,

    /// <summary>A message of a unix socket without a name: nobody could be answered.</summary>
    UnnamedPeer,

    /// <summary>The route's actor has as many payloads of the session as it may have unanswered.</summary>
    ActorBusy,

    /// <summary>The member of the cluster has not heard of a majority of the members: it may send nothing for the
    /// session, which another member may have taken over.</summary>
    Isolated,

    /// <summary>Its first payload names no identity, or its connection has named none in time.</summary>
    NoIdentity,

    /// <summary>A reply behind a checkpoint that could not be kept.</summary>
    NotKept,

    /// <summary>Copies for members of the cluster that are behind: as much as may be is on the way to them.</summary>
    RoomBehind,

    /// <summary>The peer names an identity, and does not prove it, or not in time.</summary>
    WrongProof,

    /// <summary>For or from another member of the cluster, which relays: as much as may be is on the way to it.
    /// </summary>
    RelayBehind,
}

/// <summary>Drops by reason: one writer, readers on any thread.</summary>
internal sealed class DropCounters
{
    public static readonly int Reasons = Enum.GetValues<DropReason>().Length;

    private readonly long[] _counts = new long[Reasons];

    public void Add(DropReason reason, long count = 1)
    {
        ref var cell = ref _counts[(int)reason];
        Volatile.Write(ref cell, cell + count);
        Total += count;
    }

    /// <summary>For all reasons. The writer's thread.</summary>
    public long Total { get; private set; }

    /// <summary><c>reason=count</c>, separated by spaces.</summary>
    public override string ToString() => string.Join(
        ' ',
        Enum.GetValues<DropReason>()
            .Where(reason => this[reason] > 0)
            .Select(reason => $"{NameOf(reason)}={this[reason]}"));

    public long this[DropReason reason] => Volatile.Read(ref _counts[(int)reason]);

    public static string NameOf(DropReason reason) => ClosedSet<DropReason>.NameOf(reason);
}
