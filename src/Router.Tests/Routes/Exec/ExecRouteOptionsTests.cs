using Router.Routes;
using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class ExecRouteOptionsTests
{
    [Theory]
    [InlineData("command = [/bin/cat], max-processes = 0", "max-processes", "is not within 1 to 100000")]
    [InlineData("command = [/bin/cat], grace = 11m", "grace", "is not within 0s to")]
    [InlineData("command = [/bin/cat], stderr-lines = -1", "stderr-lines", "is not within")]
    [InlineData("command = [/bin/cat], limits.cpu-time = 1ms", "limits.cpu-time", "is not within")]
    [InlineData("command = [/bin/cat], limits.open-files = 2", "limits.open-files", "is not within")]
    [InlineData("command = [/bin/cat], limits.memory = 2 TiB", "limits.memory", "is not within")]
    [InlineData("command = [/bin/cat], restart = sometimes", "restart", "none of never, on-failure, always")]
    public void Its_numbers_and_words_are_within_their_limits(string keys, string path, string words) =>
        Loaded.Refuses(
            Loaded.Pair("bind = \"tcp://127.0.0.1:1\"", $"type = exec, {keys}"), $"router.routes.r.{path}", words);

    [Fact]
    public void A_route_is_read_as_it_is_written()
    {
        var options = Loaded.Options(
            """
            router {
              listeners.l { bind = "tcp://127.0.0.1:1", route = r }
              routes.r {
                type = exec, command = [/bin/cat, "-", "a b"], directory = /usr, environment = ["A=b=c", HOME]
                grace = 2s, restart = on-failure, limits { cpu-time = 90s, memory = 4 GiB }
              }
            }
            """);
        var route = Assert.IsType<ExecRouteOptions>(Assert.Single(options.Routes));

        Assert.Equal(["/bin/cat", "-", "a b"], route.Settings.Command);
        Assert.Equal(["A=b=c", "HOME"], route.Settings.Environment);
        Assert.Equal(("/usr", ExecRestart.OnFailure), (route.Settings.Directory, route.Settings.Restart));
        Assert.Equal((90L, 4L << 30), (route.Settings.Limits.CpuSeconds, route.Settings.Limits.MemoryBytes));
    }

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

    [Theory]
    [InlineData("command = [/bin/cat], environment = [\"=x\"]", "environment", "'=x' is no variable")]
    [InlineData("command = [/bin/cat], environment = [\"PROTO=x\"]", "environment", "PROTO tells a fact")]
    [InlineData("command = [/bin/cat], environment = [REMOTE_ADDR]", "environment", "REMOTE_ADDR tells a fact")]
    public void A_variable_has_a_name_that_is_no_fact(string keys, string path, string words) =>
        Loaded.Refuses(
            Loaded.Pair("bind = \"tcp://127.0.0.1:1\"", $"type = exec, {keys}"), $"router.routes.r.{path}", words);

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
