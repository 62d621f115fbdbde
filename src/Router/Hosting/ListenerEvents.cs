using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Listeners;
using Router.Net;

namespace Router.Hosting;

/// <summary>Writes down what goes wrong with a listener while it runs.</summary>
internal sealed class ListenerEvents(ILogger log) : IListenerEvents
{
    public void AcceptSuspended(string listener, Errno errno) =>
        RouterLog.AcceptSuspended(log, listener, ErrnoText.Describe(errno, SocketOperation.Accept));

    public void AcceptResumed(string listener) => RouterLog.AcceptResumed(log, listener);

    public void SocketLost(string listener, Errno errno) =>
        RouterLog.SocketLost(log, listener, ErrnoText.Describe(errno, SocketOperation.Receive));

    public void SocketRebound(string listener) => RouterLog.SocketRebound(log, listener);

    public void Restarted(string listener, Exception reason) => RouterLog.ListenerRestarted(log, listener, reason.Message, reason);
}
