namespace Router.Tests.Configuration.Validators;

public sealed class UnknownKeyRuleTests
{
    [Theory]
    [InlineData("backlg = 1", "router.listeners.l.backlg", "unknown key; did you mean 'backlog'?")]
    [InlineData("session.dispatch = io", "router.listeners.l.session.dispatch", "did you mean 'dispatcher'?")]
    [InlineData("zzzzzz = 1", "router.listeners.l.zzzzzz", "unknown key")]
    public void An_unknown_key_is_refused_with_the_nearest_known_one(string key, string path, string words) =>
        Loaded.Refuses(Loaded.Pair($"bind = \"udp://127.0.0.1:1\", {key}", "type = echo"), path, words);

    [Fact]
    public void A_key_of_another_route_type_is_unknown() =>
        Loaded.Refuses(Loaded.Pair("bind = \"udp://127.0.0.1:1\"", "type = echo, text = x"),
            "router.routes.r.text", "unknown key");

    [Fact]
    public void Keys_outside_the_router_are_the_users_own() =>
        Loaded.Options(Loaded.Echo + "\nmy.own.key = 1");
}
