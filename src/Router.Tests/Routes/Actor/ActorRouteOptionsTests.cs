using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class ActorRouteOptionsTests
{
    [Theory]
    [InlineData("", "path", "one of the two")]
    [InlineData("path = /user/a, key = b", "key", "one of the two")]
    [InlineData("path = backend", "path", "no actor's path")]
    [InlineData("path = /user/", "path", "no actor's path")]
    [InlineData("path = \"/user/*\"", "path", "without wildcards")]
    public void An_actor_has_one_name(string keys, string key, string words) =>
        Loaded.Refuses(Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = actor\n {keys}"),
            $"router.routes.r.{key}", words);

    [Theory]
    [InlineData("path = /user/backend")]
    [InlineData("path = \"akka://mine/user/a/b\"")]
    [InlineData("key = backend")]
    public void A_path_or_a_key_is_one(string keys) =>
        Assert.Empty(Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = actor\n {keys}").Faults);
}
