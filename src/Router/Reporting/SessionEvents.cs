using System.Net;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Net;
using Router.Processes;
using Router.Sessions;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Reporting;

/// <summary>Logs the lives of sessions. A frequent event that is below the log's level costs one look at
/// that.</summary>
internal sealed class SessionEvents(ILogger logger, TimeProvider time, SessionSummary summary, AccessLog access,
    SessionSpans? spans = null)
    : ISessionEvents
{
    /// <summary>Whether texts of endpoints are made where lines are written; a program's logger gets them as
    /// texts.</summary>
    private readonly bool _isLater = logger is not HostLogger;

    public DateTimeOffset Now => time.GetUtcNow();

    public void Opened(SessionContext session)
    {
        spans?.Open(session);
        session.Traced?.Tell(TraceStep.Opened, LocalOf(session));
        var level = access.OpenedLevel;
        if (logger.IsEnabled(level) && (level == LogLevel.Debug || (access.WantsOpen(session) && summary.TryLine())))
        {
            var credentials = session.PeerCredentials;
            SessionLog.Opened(
                logger, level, session.Id.ToString(), session.Listener, TransportOf(session),
                session.PeerAddr.ToString(), LocalOf(session), session.RouteName, credentials?.ProcessId,
                credentials?.UserId, credentials?.GroupId);
        }
    }

    public void StillOpen(SessionContext session)
    {
        if (logger.IsEnabled(LogLevel.Information) && access.WantsOpen(session) && summary.TryLine())
        {
            SessionLog.StillOpen(
                logger, Later(session.Id), session.Listener, TransportOf(session), Later(session.PeerAddr),
                session.RouteName, session.Upstream, session.AgeMs, (long)session.SilentFor.TotalMilliseconds,
                session.PayloadsReceived, session.BytesReceived, session.PayloadsSent, session.BytesSent,
                session.Drops, session.Restarts);
        }
    }

    public void Connected(SessionContext session)
    {
        SessionSpans.Connected(session);
        session.Traced?.Tell(TraceStep.Connected, session.Upstream);
        if (logger.IsEnabled(LogLevel.Debug))
        {
            SessionLog.Connected(
                logger, session.Id.ToString(), session.Listener, session.PeerAddr.ToString(), session.RouteName,
                session.Upstream, UpstreamLocalOf(session));
        }
    }

    public void Attached(SessionContext session, string? supersedes)
    {
        session.Traced?.Tell(TraceStep.Attached, session.Identity);
        if (logger.IsEnabled(LogLevel.Debug))
        {
            SessionLog.Attached(
                logger, session.Id.ToString(), session.Listener, session.PeerAddr.ToString(), session.Identity!,
                session.Epoch, session.Identified!.Revision, supersedes);
        }
    }

    public void Restarted(SessionContext session, Exception reason, long suppressed) => SessionLog.Restarted(
        logger, reason, session.Id.ToString(), session.Listener, session.PeerAddr.ToString(), session.RouteName,
        session.Restarts, suppressed);

    public void Failed(SessionContext session, Exception reason, long suppressed) => SessionLog.Failed(
        logger, reason, session.Id.ToString(), session.Listener, session.PeerAddr.ToString(), session.RouteName,
        session.Restarts, suppressed);

    public void EndFailed(SessionContext session, Exception reason, long suppressed) => SessionLog.EndFailed(
        logger, reason, session.Id.ToString(), session.Listener, session.PeerAddr.ToString(), session.RouteName,
        suppressed);

    public void Traced(SessionTrace trace, SessionContext session, TraceLine line) => SessionLog.Traced(
        logger, trace.Number, ClosedSet<TraceStep>.NameOf(line.Step), session.Id.ToString(), session.Listener,
        session.PeerAddr.ToString(), session.RouteName, line.Payloads, line.Bytes, line.Head, line.Detail, line.TookUs,
        (long)trace.Age.TotalMicroseconds);

    public void TracedPeer(SessionTrace trace, string listener, in SocketAddr peer, TraceLine line) =>
        SessionLog.Traced(
            logger, trace.Number, ClosedSet<TraceStep>.NameOf(line.Step), null, listener, peer.ToString(), null,
            line.Payloads, line.Bytes, line.Head, line.Detail, line.TookUs, (long)trace.Age.TotalMicroseconds);

    public void Closed(SessionContext session, CloseReason reason)
    {
        session.Traced?.Closed(reason);
        SessionSpans.Closed(session, reason);
        if (logger.IsEnabled(LogLevel.Information) && access.Wants(session, reason)
            && summary.TryRecord(session, reason))
        {
            var credentials = session.PeerCredentials;
            SessionLog.Closed(
                access.Records, Later(session.Id), session.Listener, TransportOf(session), Later(session.PeerAddr),
                session.LocalAddr.IsEmpty ? Later(session.Shard.Address) : LocalOf(session), session.RouteName,
                session.Upstream,
                session.Handler?.UpstreamLocal is { IsEmpty: false, IsUnix: false } own ? Later(own) : null,
                session.OpenedAt, session.AgeMs,
                session.PayloadsReceived, session.BytesReceived, session.PayloadsSent, session.BytesSent,
                session.Drops, session.DropReasons, session.Restarts, ClosedSet<CloseReason>.NameOf(reason),
                credentials?.ProcessId, credentials?.UserId, credentials?.GroupId,
                session.Handler?.ConnectMs is >= 0 and var connectMs ? connectMs : null,
                session.Span?.TraceId.ToHexString());
            if (session is { Identity: { } identity, Identified: { } attached })
            {
                SessionLog.Detached(
                    logger, session.Id.ToString(), session.Listener, identity, attached.Epoch, attached.Revision,
                    attached.SupersededBy);
            }
        }
    }

    public void ChildStarted(SessionContext session, int process, string program)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            ChildLog.Started(
                logger, session.Id.ToString(), session.Listener, session.RouteName, process, program);
        }
    }

    public void ChildNotStarted(SessionContext session, string program, Errno errno, long suppressed) =>
        ChildLog.NotStarted(
            logger, session.Id.ToString(), session.Listener, session.RouteName, program,
            ErrnoText.Describe(-(int)errno, SocketOperation.Start), suppressed);

    public void ChildSaid(SessionContext session, int process, string line, long suppressed) => ChildLog.Said(
        logger, session.Id.ToString(), session.Listener, session.RouteName, process, line, suppressed);

    public void ChildExited(SessionContext session, int process, ProcessExit exit, long ageMs, long suppressed)
    {
        if (logger.IsEnabled(LogLevel.Information) && summary.TryLine())
        {
            ChildLog.Exited(
                logger, session.Id.ToString(), session.Listener, session.RouteName, process, exit.Status, exit.Signal,
                ageMs, suppressed);
        }
    }

    public void FlowsClosed(FlowRecord record)
    {
        if (!logger.IsEnabled(LogLevel.Information) || !summary.TryLine())
        {
            return;
        }

        var control = record.Control;
        SessionLog.FlowsClosed(
            logger, control.Id.ToString(), control.Listener, control.PeerAddr.ToString(), control.RouteName,
            control.Upstream, record.Flows, record.Members, record.PayloadsIn, record.BytesIn, record.PayloadsOut,
            record.BytesOut, ClosedSet<CloseReason>.NameOf(control.Closing));
    }

    private object Later(SessionId id) => _isLater ? id : id.ToString();

    /// <summary>The name of a unix socket is known as long as the session only.</summary>
    private object Later(in SocketAddr address) => _isLater && !address.IsUnix ? address : address.ToString();

    private static string TransportOf(SessionContext session) =>
        ClosedSet<SessionTransport>.NameOf(session.Transport);

    /// <summary>Where the peer sent to: on a wildcard bind the address it chose, else the bound one.</summary>
    private static string LocalOf(SessionContext session) => session.LocalAddr.IsEmpty
        ? session.Shard.Address.ToString()
        : new IPEndPoint(session.LocalAddr.Address, session.Shard.Address.Port).ToString();

    /// <summary>Null without an upstream, and over unix sockets.</summary>
    private static string? UpstreamLocalOf(SessionContext session) =>
        session.Handler?.UpstreamLocal is { IsEmpty: false, IsUnix: false } local ? local.ToString() : null;
}
