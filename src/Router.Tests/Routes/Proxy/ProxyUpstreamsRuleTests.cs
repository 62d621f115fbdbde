using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class ProxyUpstreamsRuleTests
{
    [Theory]
    [InlineData("", "at least one upstream")]
    [InlineData("upstreams = []", "at least one upstream")]
    [InlineData("upstreams = [\"a:1\", \"b:1\", \"a:1\"]", "upstream a:1 is named twice")]
    public void A_proxy_needs_upstreams_each_once(string upstreams, string words) =>
        Loaded.Refuses(Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = proxy\n {upstreams}"),
            "router.routes.r.upstreams", words);
}
