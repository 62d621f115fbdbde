namespace Router.Configuration;

/// <summary>A type of routes, and how the keys of one are read.</summary>
/// <param name="Name">As <c>type = NAME</c> has it.</param>
/// <param name="Read">Declares and reads the keys.</param>
internal sealed record RouteType(string Name, Func<SectionReader, RouteOptions> Read)
{
    /// <summary>Every type there is.</summary>
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
}
