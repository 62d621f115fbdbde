using System.Net;
using Router.Admission;
using Router.Configuration;

namespace Router.Routes;

/// <summary>A proxy to one of our own listeners would feed itself.</summary>
/// <remarks>Names are resolved while running and checked there again, by the same <see cref="OwnEndpoints"/>.</remarks>
internal sealed class OwnUpstreamRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var own = context.Options.Listeners
            .SelectMany(static listener => listener.Binds, static (listener, bind) => (listener, bind))
            .GroupBy(static each => each.bind.Transport)
            .ToDictionary(static group => group.Key, group => new OwnEndpoints(
                group.Select(static each => each.bind.EndPoint),
                context.LocalAddresses,
                ipv6Only: group.Where(static each => !each.listener.DualStack)
                    .Select(static each => each.bind.EndPoint)));
        foreach (var route in context.Options.Routes.OfType<ProxyRouteOptions>())
        {
            var binds = context.ListenersOf(route).SelectMany(l => l.Binds);
            var transports = binds.Select(b => b.Transport).Distinct().ToList();
            foreach (var upstream in route.Upstreams)
            {
                var endPoints = Addresses(upstream).Select(a => new IPEndPoint(a, upstream.Port));
                if (endPoints.Any(e => transports.Exists(t => own[t].Contains(e.Address, e.Port))))
                {
                    yield return new ConfigurationFault(upstream.Origin, $"{route.Section.Path}.upstreams",
                        $"upstream {upstream} is a listener of this very configuration: payloads would go round");
                }
            }
        }
    }

    private static IPAddress[] Addresses(UpstreamOptions upstream) =>
        upstream.Address is not null ? [upstream.Address]
        : upstream.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            ? [IPAddress.Loopback, IPAddress.IPv6Loopback]
            : [];
}
