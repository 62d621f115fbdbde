using Router.Configuration;

namespace Router.Tests.Configuration.Validators;

public sealed class BacklogGrantedRuleTests
{
    private static readonly SystemLimits Kernel = SystemLimits.Unknown with { Backlog = 128 };

    [Fact]
    public void A_backlog_above_somaxconn_is_a_warning_with_the_remedy() =>
        Loaded.Warns(Loaded.Pair("bind = \"tcp://127.0.0.1:5\", backlog = 129", "type = echo", Kernel),
            "router.listeners.l.backlog", "net.core.somaxconn=129");

    [Theory]
    [InlineData("tcp://127.0.0.1:5", 128)]
    [InlineData("udp://127.0.0.1:5", 129)]
    public void What_is_granted_and_what_is_never_asked_are_not(string bind, int backlog) =>
        Assert.Empty(Loaded.Pair($"bind = \"{bind}\", backlog = {backlog}", "type = echo", Kernel).Warnings);
}
