namespace Router.Configuration.Validators;

/// <summary>A flow route needs another that serves its sessions, and listeners of both transports.</summary>
internal sealed class FlowRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        foreach (var flow in context.Options.Routes.OfType<FlowRouteOptions>())
        {
            var inner = context.Options.FindRoute(flow.Route);
            if (inner is not (ProxyRouteOptions or HandlerRouteOptions))
            {
                var names = context.Options.Routes
                    .Where(static route => route is ProxyRouteOptions or HandlerRouteOptions)
                    .Select(static route => route.Name)
                    .ToList();
                yield return flow.Section.FaultAt("route",
                    $"there is no route '{flow.Route}' of type proxy or handler{Nearest.Hint(flow.Route, names)}");
            }

            if (flow.Join == FlowJoinChoice.Token && inner is ProxyRouteOptions)
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
        foreach (var (transport, what) in new[] { (Transport.Tcp, "control sessions"), (Transport.Udp, "flows") })
        {
            if (listeners.Count > 0
                && !listeners.SelectMany(static listener => listener.Binds).Any(bind => bind.Transport == transport))
            {
                var scheme = transport == Transport.Tcp ? "tcp" : "udp";
                yield return flow.Section.FaultAt("type",
                    $"has no {what}: no listener with this route is bound to {scheme}://");
            }
        }
    }
}
