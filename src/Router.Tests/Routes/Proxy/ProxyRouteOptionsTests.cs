using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class ProxyRouteOptionsTests
{
    [Theory]
    [InlineData("", "at least one upstream")]
    [InlineData("upstreams = []", "at least one upstream")]
    [InlineData("upstreams = [\"a:1\", \"b:1\", \"a:1\"]", "upstream a:1 is named twice")]
    public void A_proxy_needs_upstreams_each_once(string upstreams, string words) =>
        Loaded.Refuses(Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = proxy\n {upstreams}"),
            "router.routes.r.upstreams", words);

    [Fact]
    public void Responses_are_counted_on_UDP_only()
    {
        const string Route = "type = proxy, upstreams = \"a:1\", responses = 1";
        Assert.Empty(Loaded.Pair("bind = [\"tcp://127.0.0.1:1\", \"udp://127.0.0.1:1\"]", Route).Faults);
        Loaded.Refuses(Loaded.Pair("bind = \"tcp://127.0.0.1:1\"", Route), "router.routes.r.responses", "udp://");
    }
}
