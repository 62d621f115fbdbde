using Router.Configuration;

namespace Router.Tests.Configuration.Validators;

public sealed class IdentityRuleTests
{
    private const string Listener = "bind = \"udp://127.0.0.1:1\", identity = endpoint";

    [Fact]
    public void An_identity_needs_a_cluster() => Loaded.Refuses(
        Loaded.Pair(Listener, "type = echo"), "router.listeners.l.identity", "add cluster {}");

    [Fact]
    public void A_proxys_session_cannot_move() => Loaded.Refuses(
        Clustered("type = proxy, upstreams = \"10.0.0.1:1\""), "router.listeners.l.identity",
        "type proxy");

    [Theory]
    [InlineData("identity { first-line = \"(\" }", "is no regular expression")]
    [InlineData("identity { offset = 1 }", "length: must be set")]
    [InlineData("identity = peer", "'peer' is none of none, endpoint, handler")]
    public void What_is_no_identity_is_refused_with_its_place(string identity, string message)
    {
        var result = Loaded.Pair($"bind = \"udp://127.0.0.1:1\"\n{identity}", "type = echo");
        Assert.Contains(
            result.Faults, fault => $"{fault}".Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public void With_a_cluster_it_is_right() => Assert.Empty(Clustered("type = echo").Faults);

    private static LoadResult Clustered(string route) => ConfigurationLoader.LoadText(
        Router.Routes.RouteTypes.All,
        $$"""
        router {
          cluster {}
          listeners.l { {{Listener}}, route = r }
          routes.r { {{route}} }
        }
        """,
        [], _ => null, [], "test.conf");
}
