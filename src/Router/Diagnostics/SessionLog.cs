using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>
/// Log events of sessions: ids 1200-1299. Listed in docs/logs.md; an id is never given to another event.
/// </summary>
/// <remarks>Who logs what comes with every session asks <see cref="ILogger.IsEnabled"/> before it makes the strings.
/// </remarks>
internal static partial class SessionLog
{
    /// <param name="level">Debug, or info where <c>log.access.opened</c> asks for it.</param>
    [LoggerMessage(EventId = 1200, EventName = "session-opened", Message =
        "Session {Session} of {Listener} opened: {Transport} from {Peer} to {Local}, route {Route}, " +
        "process {PeerPid}, user {PeerUid}, group {PeerGid}")]
    public static partial void Opened(
        ILogger logger, LogLevel level, string session, string listener, string transport, string peer, string local,
        string route, int? peerPid, uint? peerUid, uint? peerGid);

    public const int ClosedId = 1201;

    /// <summary>Now and then, of a session that is open for long; the figures are those so far.</summary>
    [LoggerMessage(EventId = 1210, Level = LogLevel.Information, EventName = "session-open", Message =
        "Session {Session} of {Listener} is open: {Transport} from {Peer}, route {Route}, upstream {Upstream}, for " +
        "{DurationMs} ms, silent for {SilentMs} ms, in {PayloadsIn} payloads {BytesIn} bytes, out {PayloadsOut} " +
        "payloads {BytesOut} bytes, {Drops} drops, {Restarts} restarts")]
    public static partial void StillOpen(
        ILogger logger, object session, string listener, string transport, object peer, string route, string? upstream,
        long durationMs, long silentMs, long payloadsIn, long bytesIn, long payloadsOut, long bytesOut, long drops,
        int restarts);

    /// <summary>The access record: exactly one per session, or a share in <see cref="Summarised"/>.</summary>
    /// <remarks>What is an <see cref="object"/> is a text, or becomes one by its ToString on another thread.</remarks>
    /// <param name="local">The endpoint the peer sent to.</param>
    /// <param name="upstream">Null on routes without one.</param>
    /// <param name="upstreamLocal">The session's own endpoint towards it.</param>
    /// <param name="dropReasons">As <c>reason=count</c>, separated by spaces; null without drops.</param>
    /// <param name="reason">A <see cref="CloseReason"/> in kebab-case.</param>
    /// <param name="connectMs">From its beginning until it had a connection to its upstream; null without one.</param>
    /// <param name="traceId">Of its spans; null without any.</param>
    [LoggerMessage(EventId = ClosedId, Level = LogLevel.Information, EventName = "session-closed", Message =
        "Session {Session} of {Listener} closed: {Reason}; {Transport} from {Peer} to {Local}, route " +
        "{Route}, upstream {Upstream} from {UpstreamLocal}, opened {OpenedAt}, {DurationMs} ms, in {PayloadsIn} " +
        "payloads {BytesIn} bytes, out {PayloadsOut} payloads {BytesOut} bytes, {Drops} drops {DropReasons}, " +
        "{Restarts} restarts, process {PeerPid}, user {PeerUid}, group {PeerGid}, connected in {ConnectMs} ms, " +
        "trace {TraceId}")]
    public static partial void Closed(
        ILogger logger, object session, string listener, string transport, object peer, object local, string route,
        string? upstream, object? upstreamLocal, DateTimeOffset openedAt, long durationMs, long payloadsIn,
        long bytesIn, long payloadsOut, long bytesOut, long drops, string? dropReasons, int restarts, string reason,
        int? peerPid, uint? peerUid, uint? peerGid, int? connectMs, string? traceId);

    /// <summary>Behind the access record of a session that has had an identity.</summary>
    /// <param name="epoch">Of its attachment; 0 if it was never attached.</param>
    /// <param name="revision">Of its last checkpoint; 0 without one.</param>
    /// <param name="supersededBy">The session that speaks for the identity now, and its peer; null unless that ended
    /// this one.</param>
    [LoggerMessage(EventId = 1208, Level = LogLevel.Information, EventName = "session-detached", Message =
        "Session {Session} of {Listener} spoke for {Identity}, epoch {Epoch}, checkpoint {Revision}; superseded by " +
        "{SupersededBy}")]
    public static partial void Detached(
        ILogger logger, string session, string listener, string identity, long epoch, long revision,
        string? supersededBy);

    /// <param name="supersedes">The session that had to end for it, and its peer; null for none.</param>
    [LoggerMessage(EventId = 1209, Level = LogLevel.Debug, EventName = "session-attached", Message =
        "Session {Session} of {Listener} speaks for {Identity}, from {Peer}, epoch {Epoch}, checkpoint {Revision}; " +
        "supersedes {Supersedes}")]
    public static partial void Attached(
        ILogger logger, string session, string listener, string peer, string identity, long epoch, long revision,
        string? supersedes);

    /// <summary>At most one a second for all sessions of an address on a loop, as the other failures.</summary>
    [LoggerMessage(EventId = 1202, Level = LogLevel.Warning, EventName = "session-restarted", Message =
        "Session {Session} of {Listener} restarted for {Peer}, route {Route}: {Restarts} restarts, " +
        "{Suppressed} not logged")]
    public static partial void Restarted(
        ILogger logger, Exception exception, string session, string listener, string peer, string route,
        int restarts, long suppressed);

    /// <summary>The sums of sessions that got no record of their own, because too many closed at once.</summary>
    /// <param name="reasons">As <c>reason=count</c>, separated by spaces.</param>
    [LoggerMessage(EventId = 1203, Level = LogLevel.Information, EventName = "sessions-summarised", Message =
        "{Sessions} more sessions of {Listener} closed: in {PayloadsIn} payloads {BytesIn} bytes, out {PayloadsOut} " +
        "payloads {BytesOut} bytes, {Drops} drops, {Restarts} restarts, {Reasons}, in {IntervalMs} ms")]
    public static partial void Summarised(
        ILogger logger, string listener, long sessions, long payloadsIn, long bytesIn, long payloadsOut, long bytesOut,
        long drops, long restarts, string reasons, long intervalMs);

    /// <summary>Once the last flow has ended. Each session has a record of its own as well.</summary>
    /// <param name="session">The control session's.</param>
    /// <param name="upstream">That of all of them; null on routes without one.</param>
    /// <param name="members">Each flow's session and peer, <c>id=peer</c>, separated by spaces.</param>
    /// <param name="payloadsIn">The flows'; the next three likewise.</param>
    /// <param name="reason">The control session's.</param>
    [LoggerMessage(EventId = 1204, Level = LogLevel.Information, EventName = "flows-closed", Message =
        "Session {Session} of {Listener} and its {Flows} flows are closed: {Reason}; from {Peer}, route {Route}, " +
        "upstream {Upstream}, flows {Members}, in {PayloadsIn} payloads {BytesIn} bytes, out {PayloadsOut} payloads " +
        "{BytesOut} bytes")]
    public static partial void FlowsClosed(
        ILogger logger, string session, string listener, string peer, string route, string? upstream,
        int flows, string members, long payloadsIn, long bytesIn, long payloadsOut, long bytesOut, string reason);

    [LoggerMessage(EventId = 1205, Level = LogLevel.Error, EventName = "session-end-failed", Message =
        "The handler of session {Session} of {Listener} failed when the session ended, for {Peer}, route {Route}; " +
        "{Suppressed} not logged")]
    public static partial void EndFailed(
        ILogger logger, Exception exception, string session, string listener, string peer, string route,
        long suppressed);

    [LoggerMessage(EventId = 1206, Level = LogLevel.Error, EventName = "session-failed", Message =
        "Session {Session} of {Listener} ends, its handler failed: for {Peer}, route {Route}, " +
        "after {Restarts} restarts; {Suppressed} not logged")]
    public static partial void Failed(
        ILogger logger, Exception exception, string session, string listener, string peer, string route,
        int restarts, long suppressed);

    /// <summary>A line of a trace that somebody has asked for at the admin endpoint.</summary>
    /// <param name="step">A word; docs/admin.md has them.</param>
    /// <param name="session">Null where the peer got none.</param>
    /// <param name="route">Likewise.</param>
    /// <param name="payloads">How many the line is about; null where it is about none.</param>
    /// <param name="bytes">Of all of them.</param>
    /// <param name="head">The first bytes, in hexadecimal; null where the router does not read them.</param>
    /// <param name="detail">By the step: a reason, what a turn was about, an upstream, an error.</param>
    /// <param name="tookUs">How long a turn took.</param>
    /// <param name="atUs">Since the trace began.</param>
    [LoggerMessage(EventId = 1211, Level = LogLevel.Information, EventName = "session-trace", Message =
        "Trace {Trace}: {Step} {Detail}; session {Session} of {Listener} for {Peer}, route {Route}, {Payloads} " +
        "payloads {Bytes} bytes {Head}, took {TookUs} us, at {AtUs} us")]
    public static partial void Traced(
        ILogger logger, int trace, string step, string? session, string listener, string peer, string? route,
        long? payloads, long? bytes, string? head, string? detail, long? tookUs, long atUs);

    /// <summary>Once for each trace.</summary>
    /// <param name="reason"><c>lines</c>, <c>time</c>, <c>session-closed</c> or <c>asked</c>.</param>
    [LoggerMessage(EventId = 1212, Level = LogLevel.Information, EventName = "session-trace-ended", Message =
        "Trace {Trace} has ended, for its {Reason}: {Lines} lines in {DurationMs} ms")]
    public static partial void TraceEnded(ILogger logger, int trace, string reason, int lines, long durationMs);

    /// <summary>Once for each socket that the session has had towards an upstream.</summary>
    /// <param name="upstreamLocal">The socket's own endpoint; null over unix sockets.</param>
    [LoggerMessage(EventId = 1207, Level = LogLevel.Debug, EventName = "session-connected", Message =
        "Session {Session} of {Listener} for {Peer} is connected to upstream {Upstream} of route {Route} from " +
        "{UpstreamLocal}")]
    public static partial void Connected(
        ILogger logger, string session, string listener, string peer, string route, string? upstream,
        string? upstreamLocal);
}
