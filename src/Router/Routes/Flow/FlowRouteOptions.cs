using Router.Configuration;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>TCP sessions control UDP sessions, their flows; another route says what is done with both.</summary>
internal sealed class FlowRouteOptions(SectionReader route) : RouteOptions(route)
{
    /// <summary>The name of a route of type proxy or handler.</summary>
    public string Route { get; } = route.Text("route", Reload.NewSessions);

    public FlowJoin Join { get; } = route.Choice<FlowJoin>("join", Reload.NewSessions);

    /// <summary>Whether the token stays in a flow's first datagram.</summary>
    public bool KeepToken { get; } = route.Bool("keep-token", Reload.NewSessions);

    /// <summary>Flows of one control session at once.</summary>
    public int MaxFlows { get; } = route.Int("max-flows", 1, 1_024, Reload.NewSessions);

    /// <summary>How long a flow may take to join.</summary>
    public TimeSpan JoinTimeout { get; } =
        route.Duration("join-timeout", Limit.Tick, Limit.Day, Reload.NewSessions);

    /// <summary>Whether a control session ends when its last flow has.</summary>
    public bool EndWithLastFlow { get; } = route.Bool("end-with-last-flow", Reload.NewSessions);

    public override string? InnerRoute => Route;

    /// <summary>Null if the route it names was refused itself, or is a handler that knows no flows.</summary>
    public override Route? Build(RouteEnvironment environment)
    {
        if (!environment.Routes.TryGetValue(Route, out var inner))
        {
            return null;
        }

        // Made once to see: a factory does not tell what it makes.
        if (inner is HandlerRoute handler && !handler.Makes<FlowHandler>())
        {
            return environment.Refuse(this, $"route '{handler.Name}' makes handlers that are no FlowHandler");
        }

        var settings = new FlowRouteSettings(Join, KeepToken, MaxFlows, JoinTimeout, EndWithLastFlow);
        return new FlowRoute(Name, inner, settings, RandomSource.System);
    }
}
