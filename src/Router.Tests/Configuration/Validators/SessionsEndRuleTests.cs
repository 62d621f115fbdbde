namespace Router.Tests.Configuration.Validators;

public sealed class SessionsEndRuleTests
{
    [Fact]
    public void Sessions_without_any_limit_of_time_are_a_warning() =>
        Loaded.Warns(
            Loaded.Pair("bind = \"udp://127.0.0.1:5\", idle-timeout = infinite", "type = echo"),
            "router.listeners.l.idle-timeout", "set idle-timeout or max-lifetime");

    [Fact]
    public void A_lifetime_is_limit_enough() => Assert.Empty(Loaded.Pair(
        "bind = \"udp://127.0.0.1:5\", idle-timeout = infinite, max-lifetime = 1d", "type = echo").Warnings);
}
