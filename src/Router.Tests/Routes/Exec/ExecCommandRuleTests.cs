using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class ExecCommandRuleTests
{
    [Theory]
    [InlineData("", "command", "a program is wanted")]
    [InlineData("command = []", "command", "a program is wanted")]
    [InlineData("command = [cat]", "command", "'cat' is no absolute path")]
    [InlineData("command = [/no/such/program]", "command", "there is no program '/no/such/program'")]
    [InlineData("command = [/etc/passwd]", "command", "may not be executed")]
    [InlineData("command = [/etc]", "command", "there is no program '/etc'")]
    [InlineData("command = [/bin/cat, \"a\\u0000b\"]", "command", "null character")]
    [InlineData("command = [/bin/cat], directory = bin", "directory", "'bin' is no directory")]
    [InlineData("command = [/bin/cat], directory = /no/such", "directory", "'/no/such' is no directory")]
    public void A_program_and_its_directory_are_there(string keys, string path, string words) =>
        Loaded.Refuses(
            Loaded.Pair("bind = \"tcp://127.0.0.1:1\"", $"type = exec, {keys}"), $"router.routes.r.{path}", words);
}
