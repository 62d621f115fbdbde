namespace Router.Tests.Configuration.Validators;

public sealed class PoolDispatcherRuleTests
{
    [Fact]
    public void Only_handlers_run_on_the_pool()
    {
        const string Listener = "bind = \"udp://127.0.0.1:1\", session.dispatcher = pool";
        Assert.Empty(Loaded.Pair(Listener, "type = handler, name = x").Faults);
        Loaded.Refuses(Loaded.Pair(Listener, "type = echo"), "router.listeners.l.session.dispatcher", "use 'io'");
    }
}
