using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

/// <summary>Payloads go to a handler of the user's. One of the two names is set.</summary>
internal sealed class HandlerRouteOptions(SectionReader route) : RouteOptions(route)
{
    /// <summary><c>Namespace.Type, Assembly</c>.</summary>
    public string? Class { get; } = route.OptionalText("class", Reload.NewSessions);

    /// <summary>As given to <c>AddHandler</c>.</summary>
    public string? HandlerName { get; } = route.OptionalText("name", Reload.NewSessions);

    public override bool MayServeFlows => true;

    public override bool MayRunOnPool => true;

    public override Route? Build(RouteEnvironment environment) =>
        environment.Find<SessionHandler>(this, "handler", HandlerName, Class) is { } create
            ? new HandlerRoute(Name, create)
            : null;
}
