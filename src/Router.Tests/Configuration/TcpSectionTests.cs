using Router.Net;
using Router.Routes;

namespace Router.Tests.Configuration;

public sealed class TcpSectionTests
{
    private const string Proxy = "type = proxy, upstreams = \"10.0.0.1:5\"";

    [Fact]
    public void The_defaults_are_those_that_the_router_has_without_keys()
    {
        var options = Loaded.Pair("bind = \"tcp://127.0.0.1:1\"", Proxy).Options!;
        Assert.Equal(KeepAliveOptions.Default, options.Listeners[0].KeepAlive);
        Assert.Equal(
            KeepAliveOptions.Default, Assert.IsType<ProxyRouteOptions>(options.Routes[0]).Settings.KeepAlive);
    }

    [Fact]
    public void Each_entry_has_its_own()
    {
        var options = Loaded.Pair(
            "bind = \"tcp://127.0.0.1:1\", tcp { keepalive-idle = infinite, user-timeout = infinite }",
            Proxy + ", tcp { keepalive-idle = 1.5s, keepalive-interval = 2s, keepalive-count = 3, user-timeout = 4s }")
            .Options!;
        Assert.Equal(new KeepAliveOptions(0, 15, 4, 0), options.Listeners[0].KeepAlive);
        var proxy = Assert.IsType<ProxyRouteOptions>(options.Routes[0]);
        Assert.Equal(new KeepAliveOptions(2, 2, 3, 4_000), proxy.Settings.KeepAlive);
    }

    [Theory]
    [InlineData("keepalive-idle = 10h", "is not within 1s to")]
    [InlineData("keepalive-count = 128", "is not within 1 to 127")]
    [InlineData("user-timeout = 2d", "is not within 1s to 1d")]
    public void Its_numbers_are_within_their_limits(string key, string words) =>
        Loaded.Refuses(
            Loaded.Pair($"bind = \"tcp://127.0.0.1:1\", tcp.{key}", "type = echo"),
            $"router.listeners.l.tcp.{key.Split(' ')[0]}", words);
}
