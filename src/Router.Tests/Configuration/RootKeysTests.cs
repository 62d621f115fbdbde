namespace Router.Tests.Configuration;

public sealed class RootKeysTests
{
    [Theory]
    [InlineData("routr { loops = 3 }", "routr", "did you mean 'router'?")]
    [InlineData("Router.loops = 3", "Router", "did you mean 'router'?")]
    [InlineData("aka.loglevel = DEBUG", "aka", "did you mean 'akka'?")]
    [InlineData("loops = 3", "loops", "write router.loops")]
    [InlineData("listeners { }", "listeners", "write router.listeners")]
    [InlineData("\"router.loops\" = 3", "\"router.loops\"", "write router.loops without them")]
    public void A_key_beside_router_that_looks_like_ours_is_a_warning(string text, string path, string words) =>
        Loaded.Warns(Loaded.Result($"{Loaded.Echo}\n{text}"), path, words);

    [Theory]
    [InlineData("port = 5, other { x = 1 }")]
    [InlineData("loops = 3, router.loops = ${loops}")]
    [InlineData("routes { a = 1 }, x = [{ y = b${routes.a} }]")]
    public void A_key_that_is_the_users_own_is_none(string text) =>
        Assert.Empty(Loaded.Result($"{Loaded.Echo}\n{text}").Warnings);

    [Theory]
    [InlineData("loops=99", "write router.loops")]
    [InlineData("routr.loops=99", "did you mean 'router'?")]
    [InlineData("prot=99", "nothing refers to it; did you mean 'port'?")]
    public void A_set_that_has_no_effect_is_a_warning(string set, string words)
    {
        var result = Loaded.Result($"{Loaded.Echo}\nport = 7, router.loops = ${{port}}", set);
        var found = Assert.Single(result.Faults.Concat(result.Warnings));
        Assert.StartsWith("(--set ", found.Origin.File, StringComparison.Ordinal);
        Assert.Contains(words, found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_set_of_what_something_refers_to_is_none() =>
        Assert.Empty(Loaded.Result($"{Loaded.Echo}\nport = 7, router.loops = ${{port}}", "port=3").Warnings);

    [Fact]
    public void A_refused_configuration_tells_it_too()
    {
        var result = Loaded.Result("listeners { }");
        Assert.Equal("router.listeners", Assert.Single(result.Faults).Path);
        Assert.Equal("listeners", Assert.Single(result.Warnings).Path);
    }
}
