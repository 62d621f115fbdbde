using Router.Configuration;

namespace Router.Tests.Configuration.Validators;

public sealed class StraysPickRuleTests
{
    private const string Two = "[\"10.0.0.1:1\", \"10.0.0.2:1\"]";

    [Fact]
    public void A_proxy_that_picks_otherwise_on_each_member_is_a_warning() => Loaded.Warns(
        Load($"upstreams = {Two}"), "router.listeners.l.strays", "pick = hash");

    [Theory]
    [InlineData($"upstreams = {Two}, pick = hash")]
    [InlineData("upstreams = \"10.0.0.1:1\"")]
    public void One_that_picks_alike_is_not(string keys) => Assert.Empty(Load(keys).Warnings);

    private static LoadResult Load(string keys) => Loaded.Result(
        "router {\n cluster {}\n listeners.l { bind = \"udp://127.0.0.1:1\", strays = relay, route = r }\n"
        + $" routes.r {{ type = proxy, {keys} }}\n}}");
}
