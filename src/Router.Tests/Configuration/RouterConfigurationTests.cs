using Router.Configuration;

namespace Router.Tests.Configuration;

public sealed class RouterConfigurationTests
{
    [Fact]
    public void The_built_in_configuration_echoes_on_27123_and_hears_on_2210()
    {
        var result = RouterConfiguration.Load(file: null, [], _ => null);

        Assert.Empty(result.Faults);
        Assert.Empty(result.Warnings);
        var options = Assert.IsType<RouterOptions>(result.Options);
        Assert.Equal(
            ["udp://127.0.0.1:27123", "tcp://127.0.0.1:27123", "udp://127.0.0.1:2210"],
            options.Listeners.SelectMany(l => l.Binds).Select(b => b.ToString()));
        Assert.IsType<EchoRouteOptions>(options.FindRoute(options.Listeners[0].Route));
        var hear = Assert.IsType<ReplyRouteOptions>(options.FindRoute(options.Listeners[1].Route));
        Assert.Equal("I hear you"u8.ToArray(), hear.Payload.ToArray());
    }
}
