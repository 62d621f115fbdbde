using Router.Configuration;

namespace Router.Routes;

/// <summary>The types of routes, in the order in which messages list them. A new one is entered here.</summary>
internal static class RouteTypes
{
    public static IReadOnlyList<RouteType> All { get; } =
    [
        new("echo", static route => new EchoRouteOptions(route)),
        new("reply", static route => new ReplyRouteOptions(route)),
        new("proxy", static route => new ProxyRouteOptions(route)),
        new("exec", static route => new ExecRouteOptions(route)),
        new("collect", static route => new CollectRouteOptions(route)),
        new("room", static route => new RoomRouteOptions(route)),
        new("flow", static route => new FlowRouteOptions(route)),
        new("handler", static route => new HandlerRouteOptions(route)),
        new("actor", static route => new ActorRouteOptions(route)),
    ];

    /// <summary>These, and those that a program has added.</summary>
    public static IReadOnlyList<RouteType> With(IEnumerable<RouteType> added) => [.. All, .. added];
}
