using System.Diagnostics.Metrics;
using Router.Diagnostics;
using Router.Net;

namespace Router.Reporting;

/// <summary>The meter <c>Router</c> with the figures of one router; docs/metrics.md lists its instruments.</summary>
/// <remarks>Counters and the figures of the moment are observed: they are read where they are kept when somebody
/// collects, and cost nothing otherwise. Figures of the kernel are as of the collection before, since each collection
/// has the loops ask for the next.</remarks>
internal sealed class RouterMeter : IDisposable
{
    public const string Name = "Router";

    /// <summary>From a tenth of a millisecond, a connect within the machine, to 30 s, more than most time limits.
    /// </summary>
    private static readonly double[] ConnectBounds =
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    private readonly Meter _meter = new(Name, RouterVersion.Text);

    public RouterMeter() => ConnectTimes = CreateHistogram(
        "router.upstream.connect.duration",
        "Time from an attempt to connect to an upstream until that accepted; TCP and unix streams.",
        ConnectBounds);

    /// <summary>Of this router alone; others in the process have meters of the same name.</summary>
    public Meter Meter => _meter;

    /// <summary>Seconds, with <c>route</c> and <c>upstream</c>.</summary>
    public Histogram<double> ConnectTimes { get; }

    public void Dispose() => _meter.Dispose();

    public static KeyValuePair<string, object?> Tag(string key, string value) => new(key, value);

    /// <param name="name">As it is listed.</param>
    /// <param name="description">A line.</param>
    /// <param name="bounds">Upper bounds of its buckets, seconds.</param>
    public Histogram<double> CreateHistogram(string name, string description, double[] bounds) =>
        _meter.CreateHistogram(
            name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });

    /// <summary>Adds the figures of listeners.</summary>
    /// <param name="stats">What they count.</param>
    /// <param name="spare">Spare sessions now.</param>
    /// <param name="network">The kernel's.</param>
    /// <param name="refresh">Called once a collection: has the loops ask the kernel for its figures.</param>
    public void Observe(ListenerStats stats, Func<long> spare, INetwork network, Action refresh)
    {
        var figures = new ListenerMeter(_meter, stats);
        figures.Gauge(
            "router.sessions", "{session}", "Sessions that are open now.", static each => each.Sessions, refresh);
        _meter.CreateObservableUpDownCounter(
            "router.sessions.spare", spare, "{session}", "Actors kept, or made ahead, for the next peers.");
        figures.Count("router.sessions.opened", "{session}", "Sessions that have begun.", static each => each.Opened);
        figures.CountEach(
            "router.sessions.closed", "{session}", "Sessions that have ended, by why.", "reason",
            static each => each.ClosedBy.Select(static end => (ClosedSet<CloseReason>.NameOf(end.Key), end.Value)));
        figures.Count(
            "router.sessions.restarts", "{restart}", "Handlers that were replaced after a failure.",
            static each => each.Restarts);
        figures.Count(
            "router.sessions.fallbacks", "{session}",
            "Sessions that were to have a socket of their own, found none, and use the listener's.",
            static each => each.SocketFallbacks);
        figures.CountEach(
            "router.payloads", "{payload}", "Payloads from peers and to them: datagrams, or reads of a stream.",
            "direction", static each => [("in", each.PayloadsIn), ("out", each.PayloadsOut)]);
        figures.CountEach(
            "router.io", "By", "Bytes from peers and to them.", "direction",
            static each => [("in", each.BytesIn), ("out", each.BytesOut)]);
        figures.CountEach(
            "router.drops", "{payload}", "Payloads and connections that were dropped, by why.", "reason",
            static each => each.Drops.Select(static drop => (DropCounters.NameOf(drop.Key), drop.Value)));
        figures.Gauge(
            "router.accept.queue", "{connection}", "Connections that wait to be accepted.",
            static each => each.AcceptQueue);
        figures.Gauge(
            "router.accept.backlog", "{connection}", "Connections that may wait to be accepted.",
            static each => each.AcceptBacklog);
        figures.Count(
            "router.accept.overflows", "{connection}", "Connection attempts dropped because a queue was full.",
            static each => each.AcceptOverflows);
        _meter.CreateObservableCounter(
            "router.accept.overflows.namespace",
            () => network.ReadAcceptOverflows() is >= 0 and var count ? [new(count)] : Array.Empty<Measurement<long>>(),
            "{connection}", "Connection attempts dropped in the network namespace, by any process.");
    }

    /// <summary>Adds the log's sinks; null where the program logs.</summary>
    public void Observe(Func<IReadOnlyList<SinkFigures>>? sinks)
    {
        if (sinks is null)
        {
            return;
        }

        _meter.CreateObservableCounter(
            "router.log.lines", () => Lines(sinks, static sink => sink.Written), "{line}", "Lines that a sink took.");
        _meter.CreateObservableCounter(
            "router.log.dropped", () => Lines(sinks, static sink => sink.Dropped), "{line}",
            "Lines that a sink did not take: its queue was full, or it refused them.");
        _meter.CreateObservableUpDownCounter(
            "router.log.waiting", () => Lines(sinks, static sink => sink.Waiting), "{line}",
            "Lines in a sink's queue.");
    }

    private static IEnumerable<Measurement<long>> Lines(
        Func<IReadOnlyList<SinkFigures>> sinks, Func<SinkFigures, long> figure) =>
        sinks().Select(sink => new Measurement<long>(figure(sink), Tag("sink", sink.Sink)));
}
