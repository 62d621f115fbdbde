using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A flow route needs another that serves its sessions, and listeners of both transports.</summary>
internal sealed class FlowRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        foreach (var flow in context.Options.Routes.OfType<FlowRouteOptions>())
        {
            var inner = context.Options.FindRoute(flow.Route);
            if (inner is not { MayServeFlows: true })
            {
                var names = context.Options.Routes
                    .Where(static route => route.MayServeFlows)
                    .Select(static route => route.Name)
                    .ToList();
                yield return flow.Section.FaultAt("route",
                    $"there is no route '{flow.Route}' of type proxy or handler{Nearest.Hint(flow.Route, names)}");
            }

            if (flow.Join == FlowJoin.Token && inner is ProxyRouteOptions)
            {
                yield return flow.Section.FaultAt("join",
                    "a proxy cannot tell its peer a token; use address, or a handler");
            }

            foreach (var fault in Transports(context, flow))
            {
                yield return fault;
            }
        }
    }

    private static IEnumerable<ConfigurationFault> Transports(RuleContext context, FlowRouteOptions flow)
    {
        var listeners = context.Options.Listeners.Where(listener => listener.Route == flow.Name).ToList();
        (SessionTransport, string)[] needs =
            [(SessionTransport.Tcp, "control sessions"), (SessionTransport.Udp, "flows")];
        foreach (var (transport, what) in needs)
        {
            if (listeners.Count > 0
                && !listeners.SelectMany(static listener => listener.Binds).Any(bind => bind.Transport == transport))
            {
                var scheme = transport == SessionTransport.Tcp ? "tcp" : "udp";
                yield return flow.Section.FaultAt("type",
                    $"has no {what}: no listener with this route is bound to {scheme}://");
            }
        }
    }
}
