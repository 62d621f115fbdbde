namespace Router.Tests.Configuration.Validators;

public sealed class AbstractNameRuleTests
{
    [Fact]
    public void An_abstract_name_is_open_to_all_of_the_namespace() => Loaded.Warns(
        Loaded.Pair("bind = \"unix://@s\"", "type = echo"), "router.listeners.l.bind", "has no permissions");

    [Fact]
    public void A_path_is_not() =>
        Assert.DoesNotContain(
            Loaded.Pair("bind = \"unix:///s\"", "type = echo").Warnings,
            static warning => warning.Message.Contains("no permissions", StringComparison.Ordinal));
}
