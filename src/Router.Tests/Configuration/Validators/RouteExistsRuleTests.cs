namespace Router.Tests.Configuration.Validators;

public sealed class RouteExistsRuleTests
{
    [Fact]
    public void A_listener_needs_a_route_that_is_there() =>
        Loaded.Refuses(Loaded.Result("""
            router { listeners.l { bind = "udp://127.0.0.1:1", route = ekho }, routes.echo.type = echo }
            """), "router.listeners.l.route", "there is no route 'ekho'; did you mean 'echo'?");
}
