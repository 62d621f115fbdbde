using System.Net;
using Router.Admission;
using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

/// <summary>What can be wrong with each upstream of a proxy: named twice, one of the router's own listeners, or of
/// another kind than what comes to the listeners.</summary>
/// <remarks>Names are resolved while running and checked there again, by the same <see cref="OwnEndpoints"/>.</remarks>
internal static class UpstreamFaults
{
    public static IEnumerable<ConfigurationFault> Of(
        ProxyRouteOptions route, IReadOnlyList<BindOptions> binds, RuleContext context)
    {
        var again = route.Upstreams.GroupBy(static upstream => upstream.ToString())
            .SelectMany(static same => same.Skip(1))
            .Select(static upstream => (upstream, $"upstream {upstream} is named twice"));
        var own = route.Upstreams.Where(IsOwn(binds, context)).Select(static upstream =>
            (upstream, $"upstream {upstream} is a listener of this very configuration: payloads would go round"));
        var mixedUp =
            from upstream in route.Upstreams
            let other = OtherKind(upstream, binds)
            where other is not null
            select (upstream, MixedUp(upstream, other));
        var faults = again.Concat(own).Concat(mixedUp).Select(fault =>
            new ConfigurationFault(fault.upstream.Origin, $"{route.Section.Path}.upstreams", fault.Item2));
        var portless = route.Upstreams.Where(upstream =>
            upstream.Unix is not null && route.Settings.Replies == UpstreamReplies.Follow);
        return faults.Concat(portless.Select(upstream => route.Section.FaultAt("upstream-replies",
            $"follow is for upstreams that answer from another port; {upstream} has none: set it to strict")));
    }

    private static Func<UpstreamOptions, bool> IsOwn(IReadOnlyList<BindOptions> binds, RuleContext context)
    {
        var all = context.Options.Listeners
            .SelectMany(static listener => listener.Binds, static (listener, bind) => (listener, bind))
            .ToList();
        var unix = all.Where(static each => each.bind.IsUnix)
            .Select(static each => UnixEndpoints.Real(each.bind.Name!))
            .ToHashSet(StringComparer.Ordinal);
        var own = binds.Select(static bind => bind.Transport).Distinct()
            .Select(transport => all.Where(each => each.bind.Transport == transport).ToList())
            .Select(same => new OwnEndpoints(
                same.Select(static each => each.bind.EndPoint),
                context.LocalAddresses,
                ipv6Only: same.Where(static each => !each.listener.DualStack)
                    .Select(static each => each.bind.EndPoint)))
            .ToList();
        return upstream => upstream.Unix is not null
            ? unix.Contains(UnixEndpoints.Real(upstream.Host))
            : own.Exists(endPoints => Addresses(upstream).Any(at => endPoints.Contains(at, upstream.Port)));
    }

    private static IPAddress[] Addresses(UpstreamOptions upstream) =>
        upstream.Address is not null ? [upstream.Address]
        : upstream.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            ? [IPAddress.Loopback, IPAddress.IPv6Loopback]
            : [];

    /// <summary>A bind that takes messages where the upstream is a stream, or the other way.</summary>
    private static BindOptions? OtherKind(UpstreamOptions upstream, IReadOnlyList<BindOptions> binds) =>
        upstream.Unix is { } transport
            ? binds.FirstOrDefault(bind => bind.Transport.KeepsMessages() != transport.KeepsMessages())
            : null;

    private static string MixedUp(UpstreamOptions upstream, BindOptions bind) => upstream.Unix!.Value.KeepsMessages()
        ? $"upstream {upstream} takes messages, and what comes to {bind} is a stream, which has none; use a unix:// or "
            + "HOST:PORT upstream there, or a route of its own"
        : $"upstream {upstream} is a stream, which would lose where the messages that come to {bind} end; use a "
            + "unixpacket://, unixgram:// or HOST:PORT upstream there, or a route of its own";
}
