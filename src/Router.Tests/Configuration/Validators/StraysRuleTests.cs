using Router.Configuration;

namespace Router.Tests.Configuration.Validators;

public sealed class StraysRuleTests
{
    private const string Proxy = "type = proxy, upstreams = \"10.0.0.1:1\"";
    private const string Udp = "bind = \"udp://127.0.0.1:1\"";

    [Fact]
    public void Strays_need_a_cluster() => Refuses("", Udp, Proxy, "add cluster {}");

    [Theory]
    [InlineData("bind = \"tcp://127.0.0.1:1\"", Proxy, "no udp:// address")]
    [InlineData(Udp + ", session-socket = own-port", Proxy, "leave session-socket at shared")]
    [InlineData(Udp, "type = echo", "this one's is echo")]
    public void What_cannot_be_relayed_is_refused(string listener, string route, string message) =>
        Refuses("cluster {}", listener, route, message);

    [Theory]
    [InlineData(Udp)]
    [InlineData("bind = [\"udp://127.0.0.1:1\", \"tcp://127.0.0.1:1\"], return = direct")]
    public void A_proxy_over_UDP_is_right(string listener) =>
        Assert.Empty(Load("cluster {}", listener, Proxy).Faults);

    [Fact]
    public void Without_it_nothing_is_asked_for() => Assert.Null(
        Loaded.Result($"router {{\n listeners.l {{ {Udp}, route = r }}\n routes.r {{ {Proxy} }}\n}}")
            .Options!.Listeners[0].Sessions.Strays);

    private static void Refuses(string cluster, string listener, string route, string message) => Loaded.Refuses(
        Load(cluster, listener, route), "router.listeners.l.strays", message);

    private static LoadResult Load(string cluster, string listener, string route) => Loaded.Result(
        $"router {{\n {cluster}\n listeners.l {{ {listener}, strays = relay, route = r }}\n"
        + $" routes.r {{ {route} }}\n}}");
}
