using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class ExecEnvironmentRuleTests
{
    [Theory]
    [InlineData("command = [/bin/cat], environment = [\"=x\"]", "environment", "'=x' is no variable")]
    [InlineData("command = [/bin/cat], environment = [\"PROTO=x\"]", "environment", "PROTO tells a fact")]
    [InlineData("command = [/bin/cat], environment = [REMOTE_ADDR]", "environment", "REMOTE_ADDR tells a fact")]
    public void A_variable_has_a_name_that_is_no_fact(string keys, string path, string words) =>
        Loaded.Refuses(
            Loaded.Pair("bind = \"tcp://127.0.0.1:1\"", $"type = exec, {keys}"), $"router.routes.r.{path}", words);
}
