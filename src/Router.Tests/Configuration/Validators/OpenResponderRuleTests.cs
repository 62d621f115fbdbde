namespace Router.Tests.Configuration.Validators;

public sealed class OpenResponderRuleTests
{
    [Theory]
    [InlineData("udp://0.0.0.0:5", "type = echo")]
    [InlineData("udp://[::]:5", "type = reply, text = x")]
    public void An_echo_open_to_a_network_is_a_warning(string bind, string route) =>
        Loaded.Warns(Loaded.Pair($"bind = \"{bind}\"", route), "router.listeners.l.bind", "bind to 127.0.0.1");

    [Theory]
    [InlineData("udp://127.0.0.2:5", "type = echo")]
    [InlineData("udp://[::1]:5", "type = echo")]
    [InlineData("tcp://0.0.0.0:5", "type = echo")]
    [InlineData("udp://0.0.0.0:5", "type = handler, name = x")]
    public void Loopback_streams_and_handlers_are_not(string bind, string route) =>
        Assert.Empty(Loaded.Pair($"bind = \"{bind}\"", route).Warnings);
}
