using Router.Reporting;
using Router.TestKit.Simulation;
using Router.Tests.Diagnostics;

namespace Router.Tests.Reporting;

public sealed class RemotingLogTests : IDisposable
{
    private const string Writer =
        "akka://router/system/endpointManager/reliableEndpointWriter-akka.ssl.tcp%3A%2F%2Frouter%40127.0.0.2%3A27200-1";

    private readonly VirtualTimeProvider _time = new();
    private readonly LineLogger _log = new("Router");
    private readonly RemotingLog _remoting;

    public RemotingLogTests() => _remoting = new RemotingLog(_log, _time);

    public void Dispose() => _remoting.Dispose();

    [Fact]
    public void A_member_that_is_gone_is_one_plain_line_a_second()
    {
        Say(Writer, "Association with remote system akka.ssl.tcp://router@127.0.0.2:27200 has failed; address is now "
            + "gated for 500 ms. Reason is: [Akka.Remote.EndpointDisassociatedException: Disassociated\n  at Akka.X]");
        Say($"{Writer}/endpointWriter", "Disassociated", new InvalidOperationException("Disassociated\nmore"));
        for (var i = 0; i < 1_000; i++)
        {
            Say("remoting (akka://router)", "Tried to associate with unreachable remote address "
                + "[akka.ssl.tcp://router@[::1]:27200]. Address is now gated for 500 ms, all messages to this address "
                + "will be delivered to dead letters. Reason: [Connection refused] ");
        }

        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(2, _log.Lines.Count);
        Assert.Contains(
            "\"event\":\"member-link-lost\",\"peer\":\"127.0.0.2:27200\",\"error\":\"Disassociated\",\"count\":1",
            _log.Lines[0], StringComparison.Ordinal);
        Assert.Contains(
            "\"peer\":\"[::1]:27200\",\"error\":\"Connection refused\",\"count\":1001", _log.Lines[1],
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_peer_is_known_by_the_actor_that_speaks_of_it()
    {
        Say($"{Writer}/endpointWriter", "Disassociated", new InvalidOperationException("Disassociated"));

        Assert.Contains("\"peer\":\"127.0.0.2:27200\"", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Tries_to_join_are_told_when_they_have_doubled()
    {
        for (var i = 1; i <= 100; i++)
        {
            Say("akka://router/system/cluster/core", $"Couldn't join seed nodes after [{i}] attempts, will try again. "
                + "seed-nodes=[akka.tcp://router@10.0.0.7:27200,akka.tcp://router@10.0.0.8:27200]");
        }

        Assert.Equal(7, _log.Lines.Count);
        Assert.Contains(
            "\"tries\":64,\"seeds\":\"10.0.0.7:27200 10.0.0.8:27200\"", _log.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_end_of_a_connection_is_left_to_others()
    {
        Assert.False(_remoting.Takes(Event(Writer, "Serialization failed for message [X].", new IOException("x"))));
        Assert.False(_remoting.Takes(Event("akka://router/user/mine", "Disassociated", null)));
        Assert.Empty(_log.Lines);
    }

    private static LogEvent Event(string source, string text, Exception? cause) =>
        cause is null
            ? new Warning(source, typeof(RemotingLogTests), text)
            : new Error(cause, source, typeof(RemotingLogTests), text);

    private void Say(string source, string text, Exception? cause = null) =>
        Assert.True(_remoting.Takes(Event(source, text, cause)), text);
}
