using System.Net;
using Router.Diagnostics;
using Router.Listeners;
using Router.Net;
using Router.Processes;
using Router.Sessions;
using Router.TestKit.Simulation;

namespace Router.TestKit;

/// <summary>A session that has ended: what its access record would say.</summary>
public sealed record ClosedSession(
    SessionId Id,
    string Listener,
    IPEndPoint Peer,
    CloseReason Reason,
    int Restarts,
    long PayloadsReceived,
    long PayloadsSent,
    long BytesReceived,
    long BytesSent,
    long Drops);

/// <summary>Keeps what is written down about sessions and listeners.</summary>
internal sealed class KitEvents(VirtualTimeProvider time, SimulatedNetwork network) : ISessionEvents, IListenerEvents
{
    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>Open sessions, oldest first.</summary>
    public List<SessionContext> Open { get; } = [];

    public List<ClosedSession> Closed { get; } = [];

    public List<(SessionId Session, Exception Reason)> Restarts { get; } = [];

    public List<(SessionId Session, Exception Reason, long Suppressed)> Failures { get; } = [];

    public List<(SessionId Session, Exception Reason, long Suppressed)> FailedEnds { get; } = [];

    /// <summary>Restarts that were not written down, as the records tell.</summary>
    public long RestartsSuppressed { get; private set; }

    public List<string> ListenerEvents { get; } = [];

    public List<string> ChildEvents { get; } = [];

    public long Opens { get; private set; }

    public void Opened(SessionContext session)
    {
        Opens++;
        Open.Add(session);
        network.Trace("opened", session.PeerAddr.Port, (long)session.Id.Low);
    }

    public void Attached(SessionContext session, string? supersedes) =>
        network.Trace("attached", session.PeerAddr.Port, session.Epoch);

    public void Restarted(SessionContext session, Exception reason, long suppressed)
    {
        Restarts.Add((session.Id, reason));
        RestartsSuppressed += suppressed;
        network.Trace("restarted", session.PeerAddr.Port, suppressed);
    }

    public void Failed(SessionContext session, Exception reason, long suppressed)
    {
        Failures.Add((session.Id, reason, suppressed));
        network.Trace("failed", session.PeerAddr.Port, suppressed);
    }

    public void EndFailed(SessionContext session, Exception reason, long suppressed)
    {
        FailedEnds.Add((session.Id, reason, suppressed));
        network.Trace("end failed", session.PeerAddr.Port, suppressed);
    }

    void ISessionEvents.Closed(SessionContext session, CloseReason reason)
    {
        if (!Open.Remove(session))
        {
            throw new CheckFailedException(
                $"session {session.Id} of {session.PeerEndPoint} ended twice, or was never opened");
        }

        network.Trace("closed", session.PeerAddr.Port, (long)reason);
        Closed.Add(new ClosedSession(
            session.Id,
            session.Listener,
            SimulatedNetwork.Canonical(session.PeerAddr).ToIPEndPoint(),
            reason,
            session.Restarts,
            session.PayloadsReceived,
            session.PayloadsSent,
            session.BytesReceived,
            session.BytesSent,
            session.Drops));
    }

    public void ChildStarted(SessionContext session, int process, string program) =>
        ChildEvents.Add($"{process} started {program}");

    public void ChildNotStarted(SessionContext session, string program, Errno errno, long suppressed) =>
        ChildEvents.Add($"{program} not started {errno}, {suppressed} suppressed");

    public void ChildSaid(SessionContext session, int process, string line, long suppressed) =>
        ChildEvents.Add($"{process} says {line}, {suppressed} suppressed");

    public void ChildExited(SessionContext session, int process, ProcessExit exit, long ageMs, long suppressed) =>
        ChildEvents.Add($"{process} exited {exit.Status}/{exit.Signal}, {suppressed} suppressed");

    public void AcceptSuspended(string listener, SocketAddr address, Errno errno, long backoffMs) =>
        ListenerEvents.Add($"{listener} accept-suspended {errno}");

    public void AcceptResumed(string listener, SocketAddr address, long suspendedMs) =>
        ListenerEvents.Add($"{listener} accept-resumed");

    /// <summary>What is written down about control sessions and their flows.</summary>
    public List<FlowRecord> Flows { get; } = [];

    public void FlowsClosed(FlowRecord record) => Flows.Add(record);

    public void AcceptOverflow(string listener, SocketAddr address, int queue, int backlog, long count) =>
        ListenerEvents.Add($"{listener} accept-overflow queue={queue} backlog={backlog} count={count}");

    public void SessionSocketRefused(
        string listener, SocketAddr address, SocketAddr peer, Errno errno, long count) =>
        ListenerEvents.Add($"{listener} session-socket-refused {peer} {errno} count={count}");

    public void SendRefused(string listener, SocketAddr address, Errno errno, long count) =>
        ListenerEvents.Add($"{listener} send-refused {errno} count={count}");

    public void SocketLost(string listener, SocketAddr address, Errno errno, long backoffMs) =>
        ListenerEvents.Add($"{listener} socket-lost {errno}");

    public void SocketRebound(string listener, SocketAddr address) => ListenerEvents.Add($"{listener} socket-rebound");

    void IListenerEvents.Restarted(string listener, SocketAddr address, Exception reason) =>
        ListenerEvents.Add($"{listener} restarted {reason.Message}");
}
