using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

internal sealed class HandlerRouteOptions(SectionReader route) : RouteOptions(route)
{
    /// <summary><c>Namespace.Type, Assembly</c>.</summary>
    public string? Class { get; } = route.OptionalText("class", Reload.NewSessions);

    /// <summary>As given to <c>AddHandler</c>.</summary>
    public string? HandlerName { get; } = route.OptionalText("name", Reload.NewSessions);

    public override bool MayServeFlows => true;

    public override bool MayRunOnPool => true;

    public override IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        if (Class is null == HandlerName is null)
        {
            yield return Class is null
                ? Section.FaultAt("class",
                    "a handler route needs class = \"Namespace.Type, Assembly\" or the name given to AddHandler")
                : Section.FaultAt("name", "a handler route has class or name, not both");
        }
    }

    public override Route? Build(RouteEnvironment environment) =>
        environment.Find<SessionHandler>(this, "handler", HandlerName, Class) is { } create
            ? new HandlerRoute(Name, create)
            : null;
}
