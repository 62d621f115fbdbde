using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Listeners;
using Router.Net;

namespace Router.Reporting;

/// <summary>Logs what goes wrong with listeners.</summary>
internal sealed class ListenerEvents(ILogger log, TimeProvider time) : IListenerEvents
{
    private readonly EventGate<(string, SocketAddr)> _restarts = new(time);

    public void AcceptSuspended(string listener, SocketAddr address, Errno errno, long backoffMs) =>
        ListenerLog.AcceptSuspended(
            log, listener, address.ToString(), ErrnoText.Describe(errno, SocketOperation.Accept), backoffMs);

    public void AcceptResumed(string listener, SocketAddr address, long suspendedMs) =>
        ListenerLog.AcceptResumed(log, listener, address.ToString(), suspendedMs);

    public void AcceptOverflow(string listener, SocketAddr address, int queue, int backlog, long count) =>
        ListenerLog.AcceptOverflow(log, listener, address.ToString(), queue, backlog, count);

    public void SessionSocketRefused(
        string listener, SocketAddr address, SocketAddr peer, Errno errno, long count) =>
        ListenerLog.SessionSocketRefused(
            log, listener, address.ToString(), peer.ToString(), ErrnoText.Describe(errno, SocketOperation.Connect),
            count);

    public void SendRefused(string listener, SocketAddr address, Errno errno, long count) =>
        ListenerLog.SendRefused(
            log, listener, address.ToString(), ErrnoText.Describe(
                errno, address.IsUnix ? SocketOperation.ConnectUnix : SocketOperation.Send), count);

    public void SocketLost(string listener, SocketAddr address, Errno errno, long backoffMs) =>
        ListenerLog.SocketLost(
            log, listener, address.ToString(), ErrnoText.Describe(errno, SocketOperation.Receive), backoffMs);

    public void SocketRebound(string listener, SocketAddr address) =>
        ListenerLog.SocketRebound(log, listener, address.ToString());

    public void Restarted(string listener, SocketAddr address, Exception reason)
    {
        if (_restarts.Passes((listener, address), out var suppressed))
        {
            ListenerLog.Restarted(log, reason, listener, address.ToString(), suppressed);
        }
    }
}
