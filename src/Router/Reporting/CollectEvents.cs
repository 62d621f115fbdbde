using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Routes;

namespace Router.Reporting;

/// <summary>Logs what happens to windows, and windows themselves where the log is their sink.</summary>
internal sealed class CollectEvents(ILogger log) : ICollectEvents
{
    public void Failed(string route, string sink, Exception error, long backoffMs) =>
        CollectLog.Failed(log, error, route, sink, backoffMs);

    public void Recovered(string route, string sink) => CollectLog.Recovered(log, route, sink);

    public void Lost(string route, string sink, Exception? error, long windows, long payloads) =>
        CollectLog.Lost(log, error, route, sink, windows, payloads);

    public void Collected(CollectedWindow window, CollectedPayloadText payload) => CollectLog.Collected(
        log, window.Route, window.Listener, window.Number, payload.Session, payload.Peer, payload.At,
        payload.Encoding, payload.Payload);
}
