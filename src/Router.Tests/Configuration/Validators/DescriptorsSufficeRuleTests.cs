using Router.Configuration;

namespace Router.Tests.Configuration.Validators;

public sealed class DescriptorsSufficeRuleTests
{
    private const string Proxy = "type = proxy, upstreams = \"192.0.2.99:1\"";

    private static readonly SystemLimits Process = SystemLimits.Unknown with { Descriptors = 1_000 };

    [Theory]
    [InlineData("tcp", 745, "type = echo")]
    [InlineData("tcp", 373, Proxy)]
    [InlineData("udp", 745, Proxy)]
    public void More_sessions_than_descriptors_are_a_warning(string scheme, int sessions, string route) =>
        Loaded.Warns(
            Loaded.Pair($"bind = \"{scheme}://127.0.0.1:5\", max-sessions = {sessions}", route, Process),
            "router.listeners.l.max-sessions", "ulimit -n");

    [Theory]
    [InlineData("tcp", 744, "type = echo")]
    [InlineData("tcp", 372, Proxy)]
    [InlineData("udp", 744, Proxy)]
    [InlineData("udp", 1_000_000, "type = echo")]
    public void Sessions_that_fit_are_not(string scheme, int sessions, string route) => Assert.Empty(
        Loaded.Pair($"bind = \"{scheme}://127.0.0.1:5\", max-sessions = {sessions}", route, Process).Warnings);
}
