using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Net;

namespace Router.Reporting;

/// <summary>Turns figures since the start into lines about the interval since the last one. Any thread.</summary>
internal sealed class StatsWriter(
    ILogger log,
    TimeProvider time,
    INetwork network,
    SessionSummary summary,
    Func<int> spare,
    Action? writeMore = null,
    Func<IReadOnlyList<SinkFigures>>? sinks = null) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly GcPauses _pauses = new();
    private Dictionary<string, ListenerFigures> _last = new(StringComparer.Ordinal);
    private long _lastLines;
    private long _lastTime = time.GetTimestamp();

    /// <summary>Writes the drops of each listener by reason, and the stats line.</summary>
    public void Write(IReadOnlyList<ListenerFigures> now)
    {
        lock (_lock)
        {
            var intervalMs = (long)time.GetElapsedTime(_lastTime).TotalMilliseconds;
            _lastTime = time.GetTimestamp();
            summary.Write();
            var gc = _pauses.Read();
            var drops = now.Sum(figures => WriteDrops(figures, intervalMs));
            HostLog.Stats(
                log, intervalMs, now.Sum(static figures => (long)figures.Sessions), spare(),
                Since(now, static figures => figures.Opened),
                Since(now, static figures => figures.Closed),
                Since(now, static figures => figures.Restarts),
                Since(now, static figures => figures.PayloadsIn),
                Since(now, static figures => figures.BytesIn),
                Since(now, static figures => figures.PayloadsOut),
                Since(now, static figures => figures.BytesOut),
                drops,
                now.Sum(static figures => (long)figures.AcceptQueue),
                Since(now, static figures => figures.AcceptOverflows),
                network.ReadAcceptOverflows(),
                GC.GetTotalMemory(forceFullCollection: false), gc.Pauses, gc.P99Us, gc.MaxUs, gc.Blocking,
                DroppedLines());
            writeMore?.Invoke();
            _last = now.ToDictionary(static figures => figures.Listener, StringComparer.Ordinal);
        }
    }

    /// <summary>These listeners are gone. One of the same name that comes later counts from 0.</summary>
    public void Forget(IReadOnlyList<string> listeners)
    {
        lock (_lock)
        {
            foreach (var listener in listeners)
            {
                _last.Remove(listener);
            }
        }
    }

    public void Dispose() => _pauses.Dispose();

    private long DroppedLines()
    {
        var dropped = sinks?.Invoke().Sum(static sink => sink.Dropped) ?? 0;
        (_lastLines, dropped) = (dropped, dropped - _lastLines);
        return dropped;
    }

    private long WriteDrops(ListenerFigures now, long intervalMs)
    {
        var last = _last.GetValueOrDefault(now.Listener);
        var total = 0L;
        foreach (var (reason, count) in now.Drops)
        {
            var since = count - (last?.Drops.GetValueOrDefault(reason) ?? 0);
            if (since > 0)
            {
                var atLeast = reason == DropReason.ReceiveBufferFull && now.CountsTrainsAsOne;
                ListenerLog.Drops(log, now.Listener, DropCounters.NameOf(reason), since, atLeast, intervalMs);
            }

            total += since;
        }

        return total;
    }

    private long Since(IReadOnlyList<ListenerFigures> now, Func<ListenerFigures, long> figure) =>
        now.Sum(figures => figure(figures) - (_last.TryGetValue(figures.Listener, out var last) ? figure(last) : 0));
}
