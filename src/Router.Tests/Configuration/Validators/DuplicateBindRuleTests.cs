namespace Router.Tests.Configuration.Validators;

public sealed class DuplicateBindRuleTests
{
    [Theory]
    [InlineData("udp://127.0.0.1:5", "udp://127.0.0.1:5")]
    [InlineData("udp://0.0.0.0:5", "udp://127.0.0.1:5")]
    [InlineData("udp://127.0.0.1:5", "udp://0.0.0.0:5")]
    [InlineData("udp://[::]:5", "udp://127.0.0.1:5")]
    [InlineData("udp://[::]:5", "udp://[::1]:5")]
    [InlineData("udp://[::ffff:127.0.0.1]:5", "udp://127.0.0.1:5")]
    public void An_endpoint_is_bound_once_however_it_is_spelled(string first, string second) =>
        Loaded.Refuses(Loaded.Result($$"""
            router {
              listeners { a { bind = "{{first}}", route = r }, b { bind = "{{second}}", route = r } }
              routes.r { type = handler, name = x }
            }
            """), "router.listeners.b.bind", "already bound by listener 'a' at test.conf:2:");

    [Theory]
    [InlineData("udp://127.0.0.1:5", "tcp://127.0.0.1:5")]
    [InlineData("udp://127.0.0.1:5", "udp://127.0.0.2:5")]
    [InlineData("udp://127.0.0.1:0", "udp://127.0.0.1:0")]
    [InlineData("udp://0.0.0.0:5", "udp://[::1]:5")]
    public void Other_endpoints_do_not_clash(string first, string second) =>
        Loaded.Options($$"""
            router.listeners.a { bind = ["{{first}}", "{{second}}"], route = r }
            router.routes.r { type = handler, name = x }
            """);

    [Fact]
    public void Without_dual_stack_the_two_wildcards_go_together() =>
        Assert.Empty(Loaded.Pair(
            "bind = [\"udp://0.0.0.0:5\", \"udp://[::]:5\"], dual-stack = off", "type = handler, name = x").Faults);
}
