using Router.Configuration;
using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class FlowRouteOptionsTests
{
    private const string Both = "\"tcp://127.0.0.1:1\", \"udp://127.0.0.1:1\"";

    [Fact]
    public void A_flow_route_names_a_proxy_or_a_handler()
    {
        Assert.Empty(Flow(Both, "route = p").Faults);
        Assert.Empty(Flow(Both, "route = h, join = token").Faults);
        Loaded.Refuses(Flow(Both, "route = e"), "router.routes.f.route", "of type proxy or handler");
        Loaded.Refuses(Flow(Both, "route = none"), "router.routes.f.route", "no route 'none'");
    }

    [Fact]
    public void A_proxy_issues_no_tokens() =>
        Loaded.Refuses(Flow(Both, "route = p, join = token"), "router.routes.f.join", "use address, or a handler");

    [Theory]
    [InlineData("\"tcp://127.0.0.1:1\"", "udp://")]
    [InlineData("\"udp://127.0.0.1:1\"", "tcp://")]
    public void Both_transports_are_needed(string binds, string missing) =>
        Loaded.Refuses(Flow(binds, "route = p"), "router.routes.f.type", missing);

    [Theory]
    [InlineData("max-flows = 0", "max-flows")]
    [InlineData("join-timeout = 2d", "join-timeout")]
    public void Its_numbers_have_limits(string key, string path) =>
        Loaded.Refuses(Flow(Both, $"route = p, {key}"), $"router.routes.f.{path}", "is not within");

    private static LoadResult Flow(string binds, string keys) => Loaded.Result(
        $$"""
        router {
          listeners.l { bind = [{{binds}}], route = f }
          routes {
            f { type = flow, {{keys}} }
            p { type = proxy, upstreams = ["10.0.0.1:1"] }
            h { type = handler, name = x }
            e { type = echo }
          }
        }
        """);
}
