using Router.Configuration;

namespace Router.Routes;

/// <summary>The list of route types: a new one is entered here.</summary>
internal static class RouteTypes
{
    public static RouteTypeSet All { get; } = new(
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
        ],
        [
            new OwnUpstreamRule(), new ProxyUpstreamsRule(), new ReplyPayloadRule(), new ReplySizeRule(),
            new HandlerNameRule(), new ActorNameRule(), new ResponsesRule(), new ExecCommandRule(),
            new ExecEnvironmentRule(), new ExecValidationRule(), new CollectRule(), new RoomRule(), new FlowRule(),
            new UnixUpstreamRule(),
        ]);

    /// <param name="added">By the program.</param>
    public static RouteTypeSet With(IEnumerable<RouteType> added) => All with { Types = [.. All.Types, .. added] };
}
