using Router.Configuration;

namespace Router.Routes;

/// <summary>A proxy needs somewhere to go, and each upstream once.</summary>
internal sealed class ProxyUpstreamsRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        foreach (var route in context.Options.Routes.OfType<ProxyRouteOptions>())
        {
            if (route.Upstreams.Count == 0)
            {
                yield return route.Section.FaultAt("upstreams", "a proxy needs at least one upstream, as host:port");
            }

            foreach (var again in route.Upstreams.GroupBy(u => u.ToString()).SelectMany(g => g.Skip(1)))
            {
                yield return new ConfigurationFault(
                    again.Origin, $"{route.Section.Path}.upstreams", $"upstream {again} is named twice");
            }
        }
    }
}
