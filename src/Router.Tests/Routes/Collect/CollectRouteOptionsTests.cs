using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class CollectRouteOptionsTests
{
    [Theory]
    [InlineData("to = file", "file.path", "to = file needs the path")]
    [InlineData("to = upstream", "upstream", "tcp://HOST:PORT")]
    [InlineData("to = upstream, upstream = \"10.0.0.1:5\"", "upstream", "must begin with tcp:// or udp://")]
    [InlineData("to = upstream, upstream = \"tcp://10.0.0.1\"", "upstream", "port")]
    [InlineData("to = handler", "class", "one of the two")]
    [InlineData("to = handler, class = \"A, B\", name = x", "name", "one of the two")]
    [InlineData("to = paper", "to", "'paper' is none of file, upstream, log, handler")]
    [InlineData("to = log, window = infinite, every = 1s", "every", "a sliding window has a length")]
    [InlineData("to = log, bytes = 1 MiB, buffer = 1 MiB", "buffer", "do not hold a window")]
    [InlineData("to = log, window = 2d", "window", "is not within")]
    [InlineData("to = log, count = -1", "count", "is not within")]
    [InlineData("to = log, file.keep = 1001", "file.keep", "is not within")]
    [InlineData("", "to", "must be set")]
    public void A_collect_route_is_refused_for(string keys, string key, string words) =>
        Loaded.Refuses(
            Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = collect\n {keys}"), $"router.routes.r.{key}", words);

    [Fact]
    public void Two_routes_do_not_write_one_file() =>
        Loaded.Refuses(
            Loaded.Result("""
                router {
                  listeners { a { bind = "udp://127.0.0.1:1", route = a }, b { bind = "udp://127.0.0.1:2", route = b } }
                  routes {
                    a { type = collect, to = file, file.path = "/tmp/x" }
                    b { type = collect, to = file, file.path = "/tmp/./x" }
                  }
                }
                """),
            "router.routes.b.file.path",
            "route 'a' writes to the same file");

    [Theory]
    [InlineData("to = file, file.path = x, window = infinite, count = 5")]
    [InlineData("to = upstream, upstream = \"udp://name.example:5\", per = listener, every = 1s")]
    [InlineData("to = handler, name = x")]
    public void And_accepted_otherwise(string keys) =>
        Assert.Empty(Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = collect, {keys}").Faults);
}
