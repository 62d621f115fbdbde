namespace Router.Tests.Configuration.Validators;

public sealed class ListenersExistRuleTests
{
    [Fact]
    public void Without_listeners_there_is_nothing_to_serve() =>
        Assert.Contains("no listener", Assert.Single(Loaded.Result("").Faults).Message);
}
