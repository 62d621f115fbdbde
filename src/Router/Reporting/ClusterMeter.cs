using System.Diagnostics.Metrics;
using Router.Sessions;

namespace Router.Reporting;

/// <summary>Instruments of a member of a cluster.</summary>
internal static class ClusterMeter
{
    /// <param name="meter">The router's.</param>
    /// <param name="fence">Null for a router that is no member, as the others.</param>
    /// <param name="rooms">Rooms that span members.</param>
    /// <param name="relay">What goes from member to member.</param>
    public static void Observe(Meter meter, Fence? fence, IRoomSpan? rooms, IRelaySpan? relay)
    {
        meter.CreateObservableCounter(
            "router.fence.shut", () => fence?.TimesShut ?? 0, "{time}",
            "How often this member was without a majority of its cluster.");
        if (rooms is not null)
        {
            Observe(meter, rooms);
        }

        if (relay is not null)
        {
            Observe(meter, relay);
        }
    }

    private static void Observe(Meter meter, IRoomSpan rooms)
    {
        meter.CreateObservableUpDownCounter(
            "router.rooms.spanned", () => rooms.Figures.Rooms, "{room}",
            "Rooms with sessions here that other members may join.");
        meter.CreateObservableUpDownCounter(
            "router.rooms.listeners", () => rooms.Figures.Listeners, "{member}",
            "Other members with sessions in them, summed over the rooms.");
        meter.CreateObservableCounter(
            "router.rooms.published", () => rooms.Figures.Published, "{payload}",
            "Payloads sent to other members, one for each member.");
        meter.CreateObservableCounter(
            "router.rooms.published.bytes", () => rooms.Figures.PublishedBytes, "By", "The same in bytes, as packed.");
        meter.CreateObservableCounter(
            "router.rooms.published.packs", () => rooms.Figures.Packs, "{message}", "Messages that took them.");
        meter.CreateObservableCounter(
            "router.rooms.received", () => rooms.Figures.Received, "{payload}", "Payloads that other members sent.");
        meter.CreateObservableCounter(
            "router.rooms.dropped", () => DropsOf(rooms.Figures), "{payload}",
            "Payloads of rooms that did not go to a member, or came too late.");
        meter.CreateObservableGauge(
            "router.rooms.unacknowledged", () => rooms.Figures.OnTheWay, "By",
            "Bytes on the way to the member that is furthest behind.");
    }

    private static void Observe(Meter meter, IRelaySpan relay)
    {
        meter.CreateObservableUpDownCounter(
            "router.relay.sessions", () => BothWays(relay.Figures.Relaying, relay.Figures.Relayed), "{session}",
            "Sessions whose datagrams go to other members, and ways from other members to sessions here.");
        meter.CreateObservableCounter(
            "router.relay.payloads", () => BothWays(relay.Figures.Passed, relay.Figures.Taken), "{payload}",
            "Datagrams of peers that went to other members, or came from them.");
        meter.CreateObservableCounter(
            "router.relay.answers", () => BothWays(relay.Figures.Returned, relay.Figures.Answers), "{payload}",
            "Answers that went to other members, or came from them.");
        meter.CreateObservableCounter(
            "router.relay.strays", () => StraysOf(relay.Figures), "{peer}", "New peers that others were asked for.");
        meter.CreateObservableCounter(
            "router.relay.dropped", () => DropsOf(relay.Figures), "{payload}", "Datagrams that were not relayed.");
        meter.CreateObservableGauge(
            "router.relay.unacknowledged", () => relay.Figures.OnTheWay, "By",
            "Bytes on the way to the member that is furthest behind.");
    }

    private static Measurement<long>[] BothWays(long to, long from) =>
        [new(to, RouterMeter.Tag("direction", "to")), new(from, RouterMeter.Tag("direction", "from"))];

    private static Measurement<long>[] StraysOf(RelayFigures figures) =>
    [
        new(figures.Found, RouterMeter.Tag("result", "found")),
        new(figures.Nowhere, RouterMeter.Tag("result", "none")),
        new(figures.Unanswered, RouterMeter.Tag("result", "unanswered")),
        new(figures.Unasked, RouterMeter.Tag("result", "unasked")),
    ];

    private static Measurement<long>[] DropsOf(RelayFigures figures) =>
    [
        new(figures.Behind, RouterMeter.Tag("reason", "behind")),
        new(figures.Late, RouterMeter.Tag("reason", "late")),
        new(figures.Lost, RouterMeter.Tag("reason", "lost")),
    ];

    private static Measurement<long>[] DropsOf(RoomSpanFigures figures) =>
    [
        new(figures.Behind, RouterMeter.Tag("reason", "behind")),
        new(figures.Late, RouterMeter.Tag("reason", "late")),
    ];
}
