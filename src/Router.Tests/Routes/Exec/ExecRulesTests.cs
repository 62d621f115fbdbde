using Router.Routes;
using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class ExecRulesTests
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

        Assert.Equal(["/bin/cat", "-", "a b"], route.Command);
        Assert.Equal(["A=b=c", "HOME"], route.Environment);
        Assert.Equal(("/usr", ExecRestart.OnFailure), (route.Directory, route.Restart));
        Assert.Equal((90L, 4L << 30), (route.Limits.CpuSeconds, route.Limits.MemoryBytes));
    }
}
