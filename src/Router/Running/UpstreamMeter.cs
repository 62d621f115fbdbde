using System.Diagnostics.Metrics;
using Router.Reporting;
using Router.Upstreams;

namespace Router.Running;

/// <summary>Instruments of upstreams, with <c>route</c> and <c>upstream</c>.</summary>
internal sealed class UpstreamMeter(Meter meter, Func<IReadOnlyList<RouteGroup>> groups, TimeProvider time)
{
    private const string Up = "up", Failed = "failed", Draining = "draining", Disabled = "disabled";

    public void Observe()
    {
        meter.CreateObservableUpDownCounter(
            "router.upstreams", () => groups().SelectMany(StatesOf), "{upstream}",
            "Upstreams that are known, by state.");
        meter.CreateObservableUpDownCounter(
            "router.upstream.sessions", () => Each(static upstream => upstream.Sessions), "{session}",
            "Sessions that have the upstream now.");
        meter.CreateObservableCounter(
            "router.upstream.sessions.opened", () => Each(static upstream => upstream.Opened), "{session}",
            "Sessions that were given the upstream.");
        meter.CreateObservableCounter(
            "router.upstream.failures", () => Each(static upstream => upstream.Failures), "{failure}",
            "Times that the upstream refused, was not reached, timed out or stayed silent.");
        meter.CreateObservableCounter(
            "router.upstream.payloads",
            () => Both(static each => each.PayloadsIn, static each => each.PayloadsOut),
            "{payload}", "Payloads from peers, and to them, of sessions while they have the upstream.");
        meter.CreateObservableCounter(
            "router.upstream.io", () => Both(static each => each.BytesIn, static each => each.BytesOut),
            "By", "Bytes from peers, and to them, of sessions while they have the upstream.");
    }

    private static KeyValuePair<string, object?>[] TagsOf(string route, Upstream upstream) =>
        [RouterMeter.Tag("route", route), RouterMeter.Tag("upstream", upstream.Text)];

    private string StateOf(Upstream upstream) => upstream.Mode switch
    {
        UpstreamMode.Draining => Draining,
        UpstreamMode.Disabled => Disabled,
        _ => upstream.HasFailed(time) ? Failed : Up,
    };

    private IEnumerable<Measurement<long>> StatesOf(RouteGroup group)
    {
        var states = group.Group.Known.CountBy(StateOf).ToDictionary(StringComparer.Ordinal);
        return new[] { Up, Failed, Draining, Disabled }.Select(state => new Measurement<long>(
            states.GetValueOrDefault(state), RouterMeter.Tag("route", group.Route), RouterMeter.Tag("state", state)));
    }

    private IEnumerable<Measurement<long>> Each(Func<Upstream, long> figure) =>
        from @group in groups()
        from upstream in @group.Group.Held
        select new Measurement<long>(figure(upstream), TagsOf(@group.Route, upstream));

    private IEnumerable<Measurement<long>> Both(
        Func<Diagnostics.UpstreamTraffic, long> taken, Func<Diagnostics.UpstreamTraffic, long> given) =>
        from @group in groups()
        from upstream in @group.Group.Held
        from direction in new[] { (Name: "in", Figure: taken), (Name: "out", Figure: given) }
        select new Measurement<long>(
            upstream.Traffic.Sum(direction.Figure),
            [.. TagsOf(@group.Route, upstream), RouterMeter.Tag("direction", direction.Name)]);
}
