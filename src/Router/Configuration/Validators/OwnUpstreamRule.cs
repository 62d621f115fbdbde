using System.Net;

namespace Router.Configuration.Validators;

/// <summary>A proxy to one of our own listeners would feed itself.</summary>
/// <remarks>Names are resolved while running and checked there again, by the same <see cref="OwnEndpoints"/>.</remarks>
internal sealed class OwnUpstreamRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var own = new OwnEndpoints(context.Options.Listeners, context.LocalAddresses);
        foreach (var route in context.Options.Routes.OfType<ProxyRouteOptions>())
        {
            var transports = context.ListenersOf(route).SelectMany(l => l.Binds).Select(b => b.Transport).ToHashSet();
            foreach (var upstream in route.Upstreams)
            {
                if (Addresses(upstream).Any(a => transports.Any(t => own.Contains(t, new IPEndPoint(a, upstream.Port)))))
                {
                    yield return new ConfigurationFault(upstream.Origin, $"{RuleContext.PathOf(route)}.upstreams",
                        $"upstream {upstream} is a listener of this very configuration: payloads would go round for ever");
                }
            }
        }
    }

    private static IPAddress[] Addresses(UpstreamOptions upstream) =>
        upstream.Address is not null ? [upstream.Address]
        : upstream.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? [IPAddress.Loopback, IPAddress.IPv6Loopback]
        : [];
}
