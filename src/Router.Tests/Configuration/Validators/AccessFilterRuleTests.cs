using Router.Tests.Reporting;

namespace Router.Tests.Configuration.Validators;

public sealed class AccessFilterRuleTests
{
    [Theory]
    [InlineData("filter.routes = [web, dsn]", "filter.routes", "there is no route 'dsn'; did you mean 'dns'?")]
    [InlineData("filter.not-routes = x", "filter.not-routes", "there is no route 'x'")]
    [InlineData("filter.reasons = [ilde]", "filter.reasons", "'ilde' is no close reason; did you mean 'idle'?")]
    [InlineData("always = none", "always", "'none' is no close reason")]
    [InlineData("fields = [peer, bytes]", "fields", "there is no field 'bytes'")]
    [InlineData("sample = 0", "sample", "is not within 1 to 1000000")]
    public void What_is_not_there_cannot_be_asked_for(string access, string key, string message) =>
        Loaded.Refuses(AccessRig.Load(access), $"router.log.access.{key}", message);

    [Fact]
    public void What_is_there_may() =>
        Assert.Empty(AccessRig.Load("filter { routes = [web], not-routes = dns, reasons = [idle] }").Faults);
}
