namespace Router.Tests.Configuration.Validators;

public sealed class RouteIsUsedRuleTests
{
    [Fact]
    public void A_route_without_listener_is_a_warning() =>
        Loaded.Warns(Loaded.Result(Loaded.Echo + "\nrouter.routes.x.type = echo"),
            "router.routes.x", "no listener uses");
}
