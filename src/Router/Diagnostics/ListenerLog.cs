using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>
/// Log events of listeners: ids 1100-1199. Listed in docs/logs.md; an id is never given to another event.
/// </summary>
internal static partial class ListenerLog
{
    /// <summary>Once per listener and address, when all its shards are bound.</summary>
    /// <param name="address">As bound, with its scheme: udp://127.0.0.1:27123.</param>
    /// <param name="backlogAsked">0 on datagram listeners, which need no listen(2).</param>
    /// <param name="backlogGranted">After the kernel's own limit, net.core.somaxconn.</param>
    /// <param name="receiveBufferGranted">As getsockopt(2) tells it: Linux grants twice what is asked, its own overhead
    /// included.</param>
    [LoggerMessage(EventId = 1100, Level = LogLevel.Information, EventName = "listening", Message =
        "Listener {Listener} listens on {Address} for route {Route}: {Network} sockets on {Loops} loops, " +
        "backlog {BacklogAsked}/{BacklogGranted}, receive buffer " +
        "{ReceiveBufferAsked}/{ReceiveBufferGranted}, send buffer {SendBufferAsked}/{SendBufferGranted} " +
        "(asked/granted)")]
    public static partial void Listening(
        ILogger logger, string listener, string address, string route, string network, int loops, int backlogAsked,
        int backlogGranted, int receiveBufferAsked, int receiveBufferGranted, int sendBufferAsked,
        int sendBufferGranted);

    /// <summary>Once per suspension, not per failure.</summary>
    [LoggerMessage(EventId = 1101, Level = LogLevel.Warning, EventName = "accept-suspended", Message =
        "Listener {Listener} stops accepting on {Address} for {BackoffMs} ms: {Error}")]
    public static partial void AcceptSuspended(
        ILogger logger, string listener, string address, string error, long backoffMs);

    [LoggerMessage(EventId = 1102, Level = LogLevel.Information, EventName = "accept-resumed", Message =
        "Listener {Listener} accepts again on {Address} after {SuspendedMs} ms")]
    public static partial void AcceptResumed(ILogger logger, string listener, string address, long suspendedMs);

    /// <param name="reason">A <see cref="DropReason"/>, see <see cref="DropCounters.NameOf"/>.</param>
    /// <param name="atLeast">The count is a lower bound: the kernel counts a train of datagrams as one drop.</param>
    [LoggerMessage(EventId = 1103, Level = LogLevel.Warning, EventName = "drops", Message =
        "Listener {Listener} dropped {Count} in {IntervalMs} ms: {Reason} (at least: {AtLeast})")]
    public static partial void Drops(
        ILogger logger, string listener, string reason, long count, bool atLeast, long intervalMs);

    /// <summary>Once, until <see cref="SocketRebound"/>.</summary>
    [LoggerMessage(EventId = 1104, Level = LogLevel.Error, EventName = "socket-lost", Message =
        "Listener {Listener} lost its socket on {Address}, next try in {BackoffMs} ms: {Error}")]
    public static partial void SocketLost(
        ILogger logger, string listener, string address, string error, long backoffMs);

    [LoggerMessage(EventId = 1105, Level = LogLevel.Information, EventName = "socket-rebound", Message =
        "Listener {Listener} is bound to {Address} again")]
    public static partial void SocketRebound(ILogger logger, string listener, string address);

    [LoggerMessage(EventId = 1106, Level = LogLevel.Error, EventName = "listener-restarted", Message =
        "Listener {Listener} restarted on {Address} ({Suppressed} not logged)")]
    public static partial void Restarted(
        ILogger logger, Exception exception, string listener, string address, long suppressed);

    /// <summary>The kernel dropped connections: at most once a second per shard, while it does.</summary>
    /// <param name="queue">Connections waiting to be accepted when it was noticed.</param>
    /// <param name="backlog">How many may wait, per loop; the kernel lets one more in.</param>
    /// <param name="count">Attempts dropped since the last such event; a client tries again.</param>
    [LoggerMessage(EventId = 1107, Level = LogLevel.Warning, EventName = "accept-overflow", Message =
        "Listener {Listener} is connected to faster than it accepts on {Address}: {Queue} wait, {Backlog} may, " +
        "{Count} attempts were dropped; raise backlog and net.core.somaxconn, or loops")]
    public static partial void AcceptOverflow(
        ILogger logger, string listener, string address, int queue, int backlog, long count);

    /// <summary>At most once a second per loop.</summary>
    /// <param name="peer">Of the latest such session.</param>
    /// <param name="count">Such sessions since the last such event.</param>
    [LoggerMessage(EventId = 1108, Level = LogLevel.Warning, EventName = "session-socket-refused", Message =
        "Listener {Listener} has no socket of its own on {Address} for the session of {Peer}, which uses the " +
        "listener's, as {Count} did: {Error}")]
    public static partial void SessionSocketRefused(
        ILogger logger, string listener, string address, string peer, string error, long count);

    /// <summary>At most once a second per loop.</summary>
    /// <param name="error">Of the latest.</param>
    /// <param name="count">Datagrams since the last such event.</param>
    [LoggerMessage(EventId = 1109, Level = LogLevel.Warning, EventName = "send-refused", Message =
        "Listener {Listener} could not send {Count} datagrams from {Address}: {Error}")]
    public static partial void SendRefused(
        ILogger logger, string listener, string address, string error, long count);

    /// <summary>An address that a reload removed is closed.</summary>
    /// <param name="finished">Sessions that ended by themselves meanwhile.</param>
    /// <param name="closed">Sessions that were closed when the drain timeout had passed.</param>
    [LoggerMessage(EventId = 1110, Level = LogLevel.Information, EventName = "listener-removed", Message =
        "Listener {Listener} has left {Address}: {Finished} sessions finished, {Closed} closed")]
    public static partial void Removed(ILogger logger, string listener, string address, long finished, long closed);

    [LoggerMessage(EventId = 1111, Level = LogLevel.Error, EventName = "listener-stopped", Message =
        "Listener {Listener} was stopped on {Address} from outside the router and serves nobody there; reload the " +
        "configuration, which binds it again")]
    public static partial void Stopped(ILogger logger, string listener, string address);
}
