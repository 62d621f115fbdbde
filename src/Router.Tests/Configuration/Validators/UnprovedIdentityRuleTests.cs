using Router.Configuration;

namespace Router.Tests.Configuration.Validators;

public sealed class UnprovedIdentityRuleTests
{
    [Theory]
    [InlineData("udp://0.0.0.0:1", "{ offset = 2, length = 3 }")]
    [InlineData("tcp://[::]:1", "{ first-line = \"a\" }")]
    public void An_identity_that_any_peer_may_name_is_a_warning(string bind, string identity) => Loaded.Warns(
        Load(bind, identity), "router.listeners.l.identity", "set proof");

    [Theory]
    [InlineData("udp://127.0.0.1:1", "{ first-line = \"a\" }")]
    [InlineData("unix:///run/app.sock", "{ first-line = \"a\" }")]
    [InlineData("udp://0.0.0.0:1", "none")]
    [InlineData("udp://0.0.0.0:1", "endpoint")]
    [InlineData("udp://0.0.0.0:1", "handler")]
    [InlineData("udp://0.0.0.0:1", "{ first-line = \"a\" }, proof = handler")]
    public void One_that_is_proved_or_is_this_machine_s_is_not(string bind, string identity) =>
        Assert.Empty(Load(bind, identity).Warnings);

    private static LoadResult Load(string bind, string identity) => Loaded.Result(
        "router {\n cluster {}\n routes.r { type = handler, name = x }\n"
        + $" listeners.l {{ bind = \"{bind}\", route = r, identity = {identity} }}\n}}");
}
