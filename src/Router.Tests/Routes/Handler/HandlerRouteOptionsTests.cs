using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class HandlerRouteOptionsTests
{
    [Theory]
    [InlineData("", "class", "needs class")]
    [InlineData("class = a, name = b", "name", "not both")]
    public void A_handler_has_one_name(string keys, string key, string words) =>
        Loaded.Refuses(Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = handler\n {keys}"),
            $"router.routes.r.{key}", words);
}
