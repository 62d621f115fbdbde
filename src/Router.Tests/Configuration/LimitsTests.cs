namespace Router.Tests.Configuration;

public sealed class LimitsTests
{
    [Theory]
    [InlineData("backlog = 65536", "backlog", "65536 is not within 1 to 65535")]
    [InlineData("idle-timeout = 0s", "idle-timeout", "0s is not within 1ms to 365d")]
    [InlineData("idle-timeout = -5s", "idle-timeout", "-5s is not within")]
    [InlineData("max-sessions = -1", "max-sessions", "-1 is not within 1 to 10000000")]
    [InlineData("write-buffer = 5", "write-buffer", "5 is not within 1024 to")]
    [InlineData("session.mailbox-bytes = 1 KiB", "session.mailbox-bytes", "1024 is not within 65536")]
    [InlineData("session.max-restarts = 1001", "session.max-restarts", "0 to 1000")]
    public void A_listeners_numbers_sizes_and_durations_have_limits(string key, string path, string words) =>
        Loaded.Refuses(Loaded.Pair($"bind = \"udp://127.0.0.1:1\", {key}", "type = echo"),
            $"router.listeners.l.{path}", words);

    [Theory]
    [InlineData("responses = -1", "responses")]
    [InlineData("next-upstream-tries = 0", "next-upstream-tries")]
    [InlineData("connect-timeout = 11m", "connect-timeout")]
    [InlineData("resolve-interval = 10ms", "resolve-interval")]
    public void So_have_a_proxys(string key, string path) =>
        Loaded.Refuses(Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = proxy, upstreams = \"a:1\", {key}"),
            $"router.routes.r.{path}", "is not within");

    [Theory]
    [InlineData("loops = 65", "loops")]
    [InlineData("drain-timeout = 2d", "drain-timeout")]
    [InlineData("log.stats-interval = 1ms", "log.stats-interval")]
    [InlineData("log.queue = 1", "log.queue")]
    [InlineData("log.session-records = 1000001", "log.session-records")]
    public void So_have_the_routers_own(string key, string path) =>
        Loaded.Refuses(Loaded.Result($"{Loaded.Echo}\nrouter.{key}"), $"router.{path}", "is not within");

    [Theory]
    [InlineData("metrics.otlp")]
    [InlineData("spans.otlp")]
    [InlineData("log.otlp")]
    public void A_collectors_URL_has_no_secret(string section) => Loaded.Refuses(
        Loaded.Result($"{Loaded.Echo}\nrouter.{section}.endpoint = \"http://me:secret@127.0.0.1:4317\""),
        $"router.{section}.endpoint", "set headers-secret");
}
