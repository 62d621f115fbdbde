using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class ExecValidationRuleTests
{
    [Theory]
    [InlineData("validate = token", "token", "needs a token of 1 to 64 bytes")]
    [InlineData("validate = token, token = \"\"", "token", "needs a token of 1 to 64 bytes")]
    [InlineData("token = x", "token", "set validate = token")]
    [InlineData("allow-unvalidated = [\"10.0.0.0/8\"]", "allow-unvalidated", "set validate = none")]
    [InlineData("validate = none", "validate", "whoever forges a source address would start processes")]
    public void Forged_datagrams_start_no_process(string keys, string path, string words) =>
        Loaded.Refuses(
            Loaded.Pair("bind = \"udp://0.0.0.0:1\"", $"type = exec, command = [/bin/cat], {keys}"),
            $"router.routes.r.{path}", words);

    [Theory]
    [InlineData("10.0.0.0")]
    [InlineData("::ffff:10.0.0.0/104")]
    public void A_network_is_an_address_and_a_length(string network) => Loaded.Refuses(
        Loaded.Pair(
            "bind = \"udp://127.0.0.1:1\"",
            $"type = exec, command = [/bin/cat], validate = none, allow-unvalidated = [\"{network}\"]"),
        "router.routes.r.allow-unvalidated", "is not a network");

    [Theory]
    [InlineData("udp://127.0.0.1:1", "validate = none")]
    [InlineData("tcp://0.0.0.0:1", "validate = none")]
    [InlineData("udp://[::ffff:127.0.0.1]:1", "validate = none")]
    [InlineData("udp://0.0.0.0:1", "validate = none, allow-unvalidated = [\"10.0.0.0/8\"]")]
    [InlineData("udp://0.0.0.0:1", "validate = token, token = sesame")]
    [InlineData("udp://0.0.0.0:1", "")]
    public void Where_nobody_forges_or_peers_prove_themselves_they_may(string bind, string keys) =>
        Assert.Empty(Loaded.Pair($"bind = \"{bind}\"", $"type = exec, command = [/bin/cat], {keys}").Faults);
}
