using System.Diagnostics.Metrics;
using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Reporting;

/// <summary>The figures of the stats line as instruments of the meter <c>Router</c>, per listener; listed in
/// docs/metrics.md.</summary>
/// <remarks>All are observed, so they cost nothing where nobody collects. Figures of the kernel are as of the
/// collection before, since each collection has the loops ask for the next.</remarks>
internal sealed class RouterMeter : IDisposable
{
    public const string Name = "Router";

    private readonly Meter _meter = new(Name, RouterVersion.Text);
    private readonly ListenerStats _stats;

    public RouterMeter(
        ListenerStats stats,
        Func<long> spare,
        Fence? fence,
        INetwork network,
        Action refresh,
        IRoomSpan? rooms = null,
        Func<IReadOnlyList<SinkFigures>>? sinks = null)
    {
        _stats = stats;
        _meter.CreateObservableUpDownCounter("router.sessions", () =>
        {
            refresh();
            return Each(static figures => figures.Sessions);
        }, "{session}", "Sessions open now.");
        _meter.CreateObservableUpDownCounter(
            "router.sessions.spare", spare, "{session}", "Kept or made ahead for the next peers.");
        Count("router.sessions.opened", "{session}", static figures => figures.Opened);
        Count("router.sessions.closed", "{session}", static figures => figures.Closed);
        Count("router.sessions.restarts", "{restart}", static figures => figures.Restarts);
        Count("router.sessions.fallbacks", "{session}", static figures => figures.SocketFallbacks);
        Count("router.payloads.in", "{payload}", static figures => figures.PayloadsIn);
        Count("router.bytes.in", "By", static figures => figures.BytesIn);
        Count("router.payloads.out", "{payload}", static figures => figures.PayloadsOut);
        Count("router.bytes.out", "By", static figures => figures.BytesOut);
        _meter.CreateObservableCounter("router.drops", Drops, "{payload}", "Payloads and connections discarded.");
        _meter.CreateObservableCounter("router.fence.shut", () => fence?.TimesShut ?? 0, "{time}");
        _meter.CreateObservableCounter("router.loops.stalls", () => Stalls?.Invoke() ?? 0, "{time}");
        Count("router.accept.overflows", "{connection}", static figures => figures.AcceptOverflows);
        _meter.CreateObservableUpDownCounter(
            "router.accept.queue", () => Each(static figures => figures.AcceptQueue), "{connection}");
        _meter.CreateObservableUpDownCounter(
            "router.accept.backlog", () => Each(static figures => figures.AcceptBacklog), "{connection}");
        _meter.CreateObservableCounter(
            "router.accept.overflows.namespace", network.ReadAcceptOverflows, "{connection}");
        if (sinks is not null)
        {
            _meter.CreateObservableCounter("router.log.lines", () => Lines(sinks, static s => s.Written), "{line}");
            _meter.CreateObservableCounter("router.log.dropped", () => Lines(sinks, static s => s.Dropped), "{line}");
            _meter.CreateObservableUpDownCounter(
                "router.log.waiting", () => Lines(sinks, static s => s.Waiting), "{line}");
        }

        if (rooms is not null)
        {
            AddRooms(rooms);
        }
    }

    /// <summary>How often a loop was reported that did not turn.</summary>
    public Func<long>? Stalls { get; set; }

    public void Dispose() => _meter.Dispose();

    /// <summary>Only of a member of a cluster.</summary>
    private void AddRooms(IRoomSpan rooms)
    {
        _meter.CreateObservableUpDownCounter("router.rooms.spanned", () => rooms.Figures.Rooms, "{room}");
        _meter.CreateObservableUpDownCounter("router.rooms.listeners", () => rooms.Figures.Listeners, "{member}");
        _meter.CreateObservableCounter("router.rooms.published", () => rooms.Figures.Published, "{payload}");
        _meter.CreateObservableCounter("router.rooms.published.bytes", () => rooms.Figures.PublishedBytes, "By");
        _meter.CreateObservableCounter("router.rooms.published.packs", () => rooms.Figures.Packs, "{message}");
        _meter.CreateObservableCounter("router.rooms.received", () => rooms.Figures.Received, "{payload}");
        _meter.CreateObservableCounter("router.rooms.dropped", () => DropsOf(rooms.Figures), "{payload}");
    }

    /// <summary>Adds the figures of a relay; null for a router that is no member of a cluster.</summary>
    public void Observe(IRelaySpan? relay)
    {
        if (relay is null)
        {
            return;
        }

        _meter.CreateObservableUpDownCounter(
            "router.relay.sessions", () => BothWays(relay.Figures.Relaying, relay.Figures.Relayed), "{session}");
        _meter.CreateObservableCounter(
            "router.relay.payloads", () => BothWays(relay.Figures.Passed, relay.Figures.Taken), "{payload}");
        _meter.CreateObservableCounter(
            "router.relay.answers", () => BothWays(relay.Figures.Returned, relay.Figures.Answers), "{payload}");
        _meter.CreateObservableCounter("router.relay.strays", () => StraysOf(relay.Figures), "{peer}");
        _meter.CreateObservableCounter("router.relay.dropped", () => DropsOf(relay.Figures), "{payload}");
    }

    private static Measurement<long>[] BothWays(long to, long from) =>
        [new(to, Tag("direction", "to")), new(from, Tag("direction", "from"))];

    private static Measurement<long>[] StraysOf(RelayFigures figures) =>
    [
        new(figures.Found, Tag("result", "found")),
        new(Math.Max(0, figures.Asked - figures.Found - figures.Unanswered), Tag("result", "none")),
        new(figures.Unanswered, Tag("result", "unanswered")),
        new(figures.Unasked, Tag("result", "unasked")),
    ];

    private static Measurement<long>[] DropsOf(RelayFigures figures) =>
    [
        new(figures.Behind, Tag("reason", "behind")),
        new(figures.Late, Tag("reason", "late")),
        new(figures.Lost, Tag("reason", "lost")),
    ];

    private static Measurement<long>[] DropsOf(RoomSpanFigures figures) =>
        [new(figures.Behind, Tag("reason", "behind")), new(figures.Late, Tag("reason", "late"))];

    private static IEnumerable<Measurement<long>> Lines(
        Func<IReadOnlyList<SinkFigures>> sinks, Func<SinkFigures, long> figure) =>
        sinks().Select(sink => new Measurement<long>(figure(sink), Tag("sink", sink.Sink)));

    private void Count(string name, string unit, Func<ListenerFigures, long> figure) =>
        _meter.CreateObservableCounter(name, () => Each(figure), unit);

    private IEnumerable<Measurement<long>> Each(Func<ListenerFigures, long> figure) =>
        _stats.Read().Select(figures => new Measurement<long>(figure(figures), Tag("listener", figures.Listener)));

    private IEnumerable<Measurement<long>> Drops() =>
        from figures in _stats.Read()
        from drop in figures.Drops
        select new Measurement<long>(
            drop.Value, Tag("listener", figures.Listener), Tag("reason", DropCounters.NameOf(drop.Key)));

    private static KeyValuePair<string, object?> Tag(string key, string value) => new(key, value);
}
