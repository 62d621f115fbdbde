using Router.Configuration;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

internal sealed class FlowRouteOptions(SectionReader route) : RouteOptions(route)
{
    /// <summary>A route of type proxy or handler, which says what is done with sessions and flows.</summary>
    public override string InnerRoute { get; } = route.Text("route", Reload.NewSessions);

    private FlowRouteSettings Settings { get; } = new(
        Join: route.Choice<FlowJoin>("join", Reload.NewSessions),
        KeepsToken: route.Bool("keep-token", Reload.NewSessions),
        MaxFlows: route.Int("max-flows", 1, 1_024, Reload.NewSessions),
        JoinTimeout: route.Duration("join-timeout", Limit.Tick, Limit.Day, Reload.NewSessions),
        EndsWithLastFlow: route.Bool("end-with-last-flow", Reload.NewSessions));

    public override IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var inner = context.Options.FindRoute(InnerRoute);
        if (inner is not { MayServeFlows: true })
        {
            var names = context.Options.Routes
                .Where(static route => route.MayServeFlows)
                .Select(static route => route.Name)
                .ToList();
            yield return Section.FaultAt(
                "route", $"there is no route '{InnerRoute}' of type proxy or handler{Nearest.Hint(InnerRoute, names)}");
        }

        if (Settings.Join == FlowJoin.Token && inner is ProxyRouteOptions)
        {
            yield return Section.FaultAt("join", "a proxy cannot tell its peer a token; use address, or a handler");
        }

        var listeners = context.Options.Listeners.Where(listener => listener.Route == Name).ToList();
        var transports = listeners.SelectMany(static listener => listener.Binds)
            .Select(static bind => bind.Transport)
            .ToHashSet();
        if (listeners.Count > 0 && !transports.Contains(SessionTransport.Tcp))
        {
            yield return Missing("control sessions", "tcp");
        }

        if (listeners.Count > 0 && !transports.Contains(SessionTransport.Udp))
        {
            yield return Missing("flows", "udp");
        }
    }

    /// <summary>Null also where the route that it names was refused itself.</summary>
    public override Route? Build(RouteEnvironment environment)
    {
        if (!environment.Routes.TryGetValue(InnerRoute, out var inner))
        {
            return null;
        }

        // Made once to see: a factory does not tell what it makes.
        return inner is HandlerRoute handler && !handler.Makes<FlowHandler>()
            ? environment.Refuse(this, $"route '{handler.Name}' makes handlers that are no FlowHandler")
            : new FlowRoute(Name, inner, new FlowTable(Settings, RandomSource.System));
    }

    private ConfigurationFault Missing(string what, string scheme) => Section.FaultAt(
        "type", $"has no {what}: no listener with this route is bound to {scheme}://");
}
