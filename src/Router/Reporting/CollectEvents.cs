using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Routes;

namespace Router.Reporting;

/// <summary>Logs what happens to windows, and windows themselves where the log is their sink.</summary>
internal sealed class CollectEvents(ILogger log, TimeProvider time) : ICollectEvents, IDisposable
{
    private readonly ConcurrentDictionary<(string Route, string Sink), Loss> _losses = [];   // as many as routes have


    public void Failed(string route, string sink, Exception error, long backoffMs) =>
        CollectLog.Failed(log, error, route, sink, backoffMs);

    public void Recovered(string route, string sink) => CollectLog.Recovered(log, route, sink);

    /// <summary>At most once a second and sink, with the sums.</summary>
    public void Lost(string route, string sink, Exception? error, long windows, long payloads) =>
        _losses.GetOrAdd((route, sink), key => new Loss(log, key.Route, key.Sink, time)).Add(error, windows, payloads);

    /// <summary>Writes what waits.</summary>
    public void Dispose()
    {
        foreach (var loss in _losses.Values)
        {
            loss.Dispose();
        }
    }

    public void Collected(CollectedWindow window, CollectedPayloadText payload) => CollectLog.Collected(
        log, window.Route, window.Listener, window.Number, payload.Session, payload.Peer, payload.At,
        payload.Encoding, payload.Payload);

    private sealed class Loss : IDisposable
    {
        private readonly BurstLog<Exception?> _lines;
        private long _windows, _payloads;

        public Loss(ILogger log, string route, string sink, TimeProvider time) => _lines = new(
            (error, _) =>
            {
                var (windows, payloads) =
                    (Interlocked.Exchange(ref _windows, 0), Interlocked.Exchange(ref _payloads, 0));
                if (windows + payloads > 0)
                {
                    CollectLog.Lost(log, error, route, sink, windows, payloads);
                }
            },
            time);

        public void Add(Exception? error, long windows, long payloads)
        {
            Interlocked.Add(ref _windows, windows);
            Interlocked.Add(ref _payloads, payloads);
            _lines.Add(error);
        }

        public void Dispose() => _lines.Dispose();
    }
}
