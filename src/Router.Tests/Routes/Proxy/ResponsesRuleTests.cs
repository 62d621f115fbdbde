using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class ResponsesRuleTests
{
    [Fact]
    public void Responses_are_counted_on_UDP_only()
    {
        const string Route = "type = proxy, upstreams = \"a:1\", responses = 1";
        Assert.Empty(Loaded.Pair("bind = [\"tcp://127.0.0.1:1\", \"udp://127.0.0.1:1\"]", Route).Faults);
        Loaded.Refuses(Loaded.Pair("bind = \"tcp://127.0.0.1:1\"", Route), "router.routes.r.responses", "udp://");
    }
}
