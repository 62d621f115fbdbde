using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class OwnUpstreamTests
{
    [Theory]
    [InlineData("udp://127.0.0.1:5", "127.0.0.1:5")]
    [InlineData("udp://127.0.0.1:5", "[::ffff:127.0.0.1]:5")]
    [InlineData("udp://127.0.0.1:5", "localhost:5")]
    [InlineData("udp://127.0.0.1:5", "0.0.0.0:5")]
    [InlineData("udp://0.0.0.0:5", "127.9.9.9:5")]
    [InlineData("udp://0.0.0.0:5", "192.0.2.7:5")]
    [InlineData("udp://[::]:5", "192.0.2.7:5")]
    [InlineData("udp://[::]:5", "[2001:db8::7]:5")]
    [InlineData("udp://[::1]:5", "[::]:5")]
    public void An_upstream_that_is_our_own_listener_is_refused_however_it_is_spelled(string bind, string upstream) =>
        Loaded.Refuses(
            Loaded.Pair($"bind = \"{bind}\"", $"type = proxy, upstreams = [\"10.0.0.1:5\", \"{upstream}\"]"),
            "router.routes.r.upstreams", "is a listener of this very configuration");

    [Theory]
    [InlineData("udp://127.0.0.1:5", "127.0.0.1:6")]
    [InlineData("udp://127.0.0.1:5", "127.0.0.2:5")]
    [InlineData("udp://0.0.0.0:5", "192.0.2.8:5")]
    [InlineData("udp://0.0.0.0:5", "[::1]:5")]
    public void Other_upstreams_are_welcome(string bind, string upstream) =>
        Assert.Empty(Loaded.Pair($"bind = \"{bind}\"", $"type = proxy, upstreams = [\"{upstream}\"]").Faults);

    [Fact]
    public void Only_the_transports_that_reach_the_route_count() =>
        Loaded.Options("""
            router {
              listeners.a { bind = "tcp://127.0.0.1:5", route = e }
              listeners.b { bind = "udp://127.0.0.1:6", route = p }
              routes { e.type = echo, p { type = proxy, upstreams = "127.0.0.1:5" } }
            }
            """);
}
