using Router.Configuration;

namespace Router.Tests.Configuration.Validators;

public sealed class SessionSocketRuleTests
{
    private const string Path = "router.listeners.l.session-socket";

    [Theory]
    [InlineData("udp://0.0.0.0:1")]
    [InlineData("udp://[::]:1")]
    public void A_connected_socket_is_refused_on_a_wildcard(string bind) =>
        Loaded.Refuses(Pair(bind, "connected"), Path, "use own-port");

    [Fact]
    public void A_socket_of_its_own_is_for_UDP_sessions() =>
        Loaded.Refuses(Pair("tcp://127.0.0.1:1", "own-port"), Path, "bound to no udp:// address");

    [Fact]
    public void A_socket_of_its_own_is_not_read_for_the_pool() =>
        Loaded.Refuses(
            Loaded.Pair(
                "bind = \"udp://127.0.0.1:1\", session-socket = connected, session.dispatcher = pool",
                "type = handler, name = x"),
            Path, "session.dispatcher is pool");

    [Fact]
    public void An_unknown_word_is_refused_with_those_that_are_known() =>
        Loaded.Refuses(Pair("udp://127.0.0.1:1", "own"), Path, "none of shared, connected, own-port");

    [Theory]
    [InlineData("udp://127.0.0.1:1", "connected")]
    [InlineData("udp://[::1]:1", "connected")]
    [InlineData("udp://0.0.0.0:1", "own-port")]
    [InlineData("tcp://0.0.0.0:1", "shared")]
    public void What_is_possible_is_let_through(string bind, string socket) =>
        Assert.Empty(Pair(bind, socket).Faults);

    private static LoadResult Pair(string bind, string socket) =>
        Loaded.Pair($"bind = \"{bind}\", session-socket = {socket}", "type = echo");
}
