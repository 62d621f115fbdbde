using System.Globalization;
using Router.Diagnostics;
using Router.Net;
using Router.Sessions;
using Router.TestKit;
using Router.TestKit.Simulation;

namespace Router.Tests.Sessions;

/// <summary>Datagram sessions with sockets of their own: nothing is lost or misplaced on the way to them.</summary>
public sealed class SessionSocketTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_session_goes_on_by_its_own_socket_which_ends_with_it(bool ownPort)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new ScriptHandler(), limits: Limits(ownPort));
        var sockets = kit.Network.OpenSockets;
        var peer = kit.UdpPeer("192.0.2.7:5000", to: listener);

        peer.Send("a"u8);
        kit.RunUntilIdle();
        var from = peer.Received[0].From;
        peer.SendTo(from, "b"u8);
        kit.RunUntilIdle();
        peer.Send("c"u8);
        kit.RunUntilIdle();

        Assert.Equal(["a", "b", "c"], peer.ReceivedText);
        Assert.All(peer.Received, datagram => Assert.Equal(from, datagram.From));
        Assert.Equal(ownPort, from.Port != listener.EndPoint.Port);
        Assert.Equal(listener.EndPoint.Address, from.Address);
        Assert.Equal(sockets + 1, kit.Network.OpenSockets);
        Assert.Equal(1, listener.Sessions);

        kit.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(CloseReason.Idle, kit.ExpectSessionClosed(peer.EndPoint));
        Assert.Equal(sockets, kit.Network.OpenSockets);
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void What_comes_between_bind_and_connect_goes_to_its_own_session()
    {
        using var kit = new RouterTestKit(seed: 1, loops: 2);
        var listener = kit.BindUdp(() => new ScriptHandler(), limits: Limits(ownPort: false));
        var peers = Enumerable.Range(0, 20).Select(i => kit.UdpPeer($"192.0.2.7:{5000 + i}", to: listener)).ToList();
        kit.Network.BetweenBindAndConnect = () =>
        {
            kit.Network.BetweenBindAndConnect = null;
            peers.ForEach(static peer => peer.Send("2"u8));
        };

        peers[0].Send("1"u8);
        kit.RunUntilIdle();
        peers.ForEach(static peer => peer.Send("3"u8));
        kit.RunUntilIdle();

        Assert.Equal(["1", "2", "3"], peers[0].ReceivedText);
        Assert.All(peers.Skip(1), static peer => Assert.Equal(["2", "3"], peer.ReceivedText));
        Assert.Equal(20, listener.Sessions);
        Assert.Equal(0, listener.AllDrops());
        Assert.Equal(0, kit.Network.DatagramsLost);
    }

    [Fact]
    public void What_came_by_the_listeners_socket_before_is_handled_before()
    {
        const int Before = 150;
        using var kit = new RouterTestKit(seed: 1);
        var seen = new List<string>();
        UdpPeer? peer = null;
        var listener = kit.BindUdp(
            () => new ScriptHandler
            {
                Received = (_, text) =>
                {
                    seen.Add(text);
                    if (text == "0")
                    {
                        peer!.Send("late"u8);   // comes by the session's own socket
                    }
                },
            },
            limits: Limits(ownPort: false));
        peer = kit.UdpPeer("192.0.2.7:5000", to: listener);
        for (var i = 0; i < Before; i++)
        {
            peer.Send(System.Text.Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture)));
        }

        kit.RunUntilIdle();

        var numbers = Enumerable.Range(0, Before).Select(static i => i.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(numbers.Append("late"), seen);
    }

    [Fact]
    public void A_session_without_a_descriptor_uses_the_listeners_socket_and_that_is_told_once_a_second()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new ScriptHandler(), limits: Limits(ownPort: true));
        kit.Network.Faults.Inject(NetworkOperation.ConnectDatagram, Errno.EMFILE, 2);
        var peers = Enumerable.Range(0, 3).Select(i => kit.UdpPeer($"192.0.2.7:{5000 + i}", to: listener)).ToList();

        peers.ForEach(static peer => peer.Send("a"u8));
        kit.RunUntilIdle();

        Assert.All(peers, static peer => Assert.Equal(["a"], peer.ReceivedText));
        Assert.Equal([true, true, false], peers.Select(peer => peer.Received[0].From.Equals(listener.EndPoint)));
        Assert.Equal(2, listener.Shards[0].Counters.SocketFallbacks);
        Assert.Single(kit.ListenerEvents, static record =>
            record.Contains("session-socket-refused 192.0.2.7:5000 EMFILE count=1", StringComparison.Ordinal));
    }

    [Fact]
    public void A_peer_that_is_gone_ends_its_session_and_no_other()
    {
        using var kit = new RouterTestKit(seed: 1);
        var handlers = new List<SessionContext>();
        var listener = kit.BindUdp(
            () => new ScriptHandler { Opened = handlers.Add }, limits: Limits(ownPort: false));
        var gone = kit.UdpPeer("192.0.2.7:5000", to: listener);
        var stays = kit.UdpPeer("192.0.2.8:5000", to: listener);
        gone.Send("a"u8);
        stays.Send("a"u8);
        kit.RunUntilIdle();

        gone.Close();
        handlers[0].Self.Tell("speak");
        handlers[0].MarkPeerValidated();
        handlers[0].Reply("anybody?");
        kit.RunUntilIdle();

        Assert.Equal(CloseReason.Reset, kit.ExpectSessionClosed(gone.EndPoint));
        Assert.Equal(1, listener.Sessions);
    }

    [Fact]
    public void What_is_left_on_the_socket_of_a_session_that_ends_begins_a_new_one()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(
            () => new ScriptHandler
            {
                Received = static (session, text) =>
                {
                    session.Reply(text);
                    if (text == "last")
                    {
                        session.Close();
                    }
                },
            },
            limits: Limits(ownPort: false));
        var peer = kit.UdpPeer("192.0.2.7:5000", to: listener);
        peer.Send("first"u8);
        kit.RunUntilIdle();

        peer.Send("last"u8);
        peer.Send("again"u8);
        kit.RunUntilIdle();

        Assert.Equal(["first", "last", "again"], peer.ReceivedText);
        Assert.Single(kit.ClosedSessions);
        Assert.Equal(1, listener.Sessions);
        Assert.Equal(0, listener.AllDrops());
    }

    [Fact]
    public void A_handler_that_fails_on_a_datagram_of_the_own_socket_loses_that_one()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(
            () => new ScriptHandler
            {
                Received = static (session, text) => _ = text == "bad"
                    ? throw new InvalidOperationException("bad")
                    : session.Reply(text),
            },
            limits: Limits(ownPort: false));
        var peer = kit.UdpPeer("192.0.2.7:5000", to: listener);
        peer.Send("a"u8);
        kit.RunUntilIdle();

        peer.Send("bad"u8);
        peer.Send("b"u8);
        kit.RunUntilIdle();

        Assert.Equal(["a", "b"], peer.ReceivedText);
        Assert.Equal(1, listener.Restarts);
        Assert.Equal(1, listener.Drops(DropReason.HandlerFailed));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_dropped_at_a_session_s_own_socket_is_in_its_record_and_its_listener_s_drops(bool ownPort)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(
            static () => new ScriptHandler { Received = static (session, _) => session.Reply("here"u8) },
            limits: Limits(ownPort) with { SessionReceiveBuffer = 3_000 });
        var peer = kit.UdpPeer("192.0.2.7:5000", to: listener);
        peer.Send("first"u8);
        kit.RunUntilIdle();
        for (var i = 0; i < 10; i++)
        {
            peer.SendTo(peer.Received[0].From, new byte[1_000]);   // two fit
        }

        kit.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(3, peer.Received.Count);
        Assert.Equal(8, Assert.Single(kit.ClosedSessions).Drops);
        Assert.Equal((8, 8), (listener.Drops(DropReason.ReceiveBufferFull), listener.AllDrops()));
    }

    private static ListenerLimits Limits(bool ownPort) =>
        new() { Socket = ownPort ? SessionSocket.OwnPort : SessionSocket.Connected };
}
