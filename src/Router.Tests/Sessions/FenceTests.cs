using Router.Diagnostics;
using Router.Net;
using Router.Routes;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Routes;

namespace Router.Tests.Sessions;

/// <summary>What sessions send while the member of a cluster that they are on has no majority: nothing.</summary>
public sealed class FenceTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(nameof(SessionSocket.Shared))]
    [InlineData(nameof(SessionSocket.Connected))]
    [InlineData(nameof(SessionSocket.OwnPort))]
    public void Datagrams_are_dropped_and_counted_while_it_is_shut(string kind)
    {
        var socket = Enum.Parse<SessionSocket>(kind);
        using var kit = new RouterTestKit(seed: 1);
        var fence = FenceOf(kit, openFor: Second);
        var listener = kit.BindUdp(() => new ScriptHandler(), limits: new ListenerLimits { Socket = socket });
        var peer = kit.UdpPeer("192.0.2.7:5000", to: listener);

        peer.Send("1"u8);
        kit.RunUntilIdle();
        var from = peer.Received[0].From;
        kit.Advance(Second);
        peer.SendTo(from, "2"u8);
        peer.SendTo(from, "3"u8);
        kit.RunUntilIdle();
        Assert.Equal(["1"], peer.ReceivedText);
        Assert.Equal(2, listener.Drops(DropReason.Isolated));

        fence.Set(long.MaxValue);
        peer.SendTo(from, "4"u8);
        kit.RunUntilIdle();
        Assert.Equal(["1", "4"], peer.ReceivedText);
        Assert.Equal(2, listener.AllDrops());
        Assert.Equal(1, listener.Sessions);
    }

    /// <summary>The handlers of one batch run with the fence open, and then the process stands still: the batch is not
    /// sent.</summary>
    [Fact]
    public void It_is_read_when_the_batch_is_sent()
    {
        using var kit = new RouterTestKit(seed: 1);
        FenceOf(kit, openFor: Second);
        var listener = kit.BindUdp(() => new ScriptHandler
        {
            Received = (session, text) =>
            {
                session.Reply("answer"u8);
                kit.Time.Advance(text == "stop" ? Second : TimeSpan.Zero);
            },
        });
        var peers = Enumerable.Range(0, 10).Select(i => kit.UdpPeer($"192.0.2.7:{5000 + i}", to: listener)).ToList();

        peers.ForEach(static peer => peer.Send("go"u8));
        kit.RunUntilIdle();
        peers[9].Send("stop"u8);
        peers[0].Send("go"u8);
        kit.RunUntilIdle();

        Assert.All(peers, static peer => Assert.Equal(["answer"], peer.ReceivedText));
        Assert.Equal(2, listener.Drops(DropReason.Isolated));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_connection_that_would_be_sent_something_is_reset(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        FenceOf(kit, openFor: Second);
        var listener = kit.BindTcp(() => new ScriptHandler(), limits: new ListenerLimits { OnPool = onPool });
        var (talks, listens) = (kit.TcpPeer("192.0.2.7:5000", listener), kit.TcpPeer("192.0.2.7:5001", listener));
        talks.Send("1"u8);
        listens.Send("1"u8);
        kit.RunUntilIdle();

        kit.Advance(Second);
        talks.Send("2"u8);
        kit.RunUntilIdle();

        Assert.Equal("1", talks.ReceivedText);
        Assert.True(talks.IsReset);
        Assert.False(listens.HasEnded);
        Assert.Equal(CloseReason.Isolated, kit.ExpectSessionClosed(talks.EndPoint));
        Assert.Equal(1, listener.Drops(DropReason.Isolated));
        Assert.Equal(1, listener.Sessions);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_a_slow_reader_has_not_taken_yet_is_not_sent_either(bool closes)
    {
        using var kit = new RouterTestKit(seed: 1);
        FenceOf(kit, openFor: Second);
        var payload = new byte[1_000_000];
        var listener = kit.BindTcp(
            () => new ScriptHandler
            {
                Received = (session, _) =>
                {
                    session.Reply(payload);
                    if (closes)
                    {
                        session.Close();
                    }
                },
            });
        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        peer.IsReading = false;
        peer.Send("1"u8);
        kit.RunUntilIdle();

        kit.Advance(Second);
        peer.IsReading = true;
        kit.RunUntilIdle();

        Assert.InRange(peer.Received.Length, 0, payload.Length - 1);
        Assert.True(peer.IsReset);
        Assert.Equal(closes ? CloseReason.Done : CloseReason.Isolated, kit.ExpectSessionClosed(peer.EndPoint));
        Assert.Equal(1, listener.Drops(DropReason.Isolated));
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_proxied_connection_is_reset_on_both_sides_when_its_upstream_answers()
    {
        using var rig = new ProxyRig(["203.0.113.1:7000"]);
        FenceOf(rig.Kit, openFor: Second);
        var listener = rig.BindTcp();
        var server = rig.TcpEcho("203.0.113.1:7000");
        var peer = rig.Kit.TcpPeer("192.0.2.7:5000", listener);
        peer.Send("1"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal("1", peer.ReceivedText);

        rig.Kit.Advance(Second);
        peer.Send("2"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal("1", peer.ReceivedText);
        Assert.True(peer.IsReset);
        Assert.True(server.Accepted[0].IsReset);
        Assert.Equal(CloseReason.Isolated, rig.Kit.ExpectSessionClosed(peer.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void A_proxied_datagram_session_goes_on_when_it_opens_again()
    {
        using var rig = new ProxyRig(["203.0.113.1:7000"]);
        var fence = FenceOf(rig.Kit, openFor: Second);
        var listener = rig.BindUdp();
        rig.UdpEcho("203.0.113.1:7000");
        var peer = rig.Kit.UdpPeer("192.0.2.7:5000", to: listener);

        peer.Send("1"u8);
        rig.Kit.RunUntilIdle();
        rig.Kit.Advance(Second);
        peer.Send("2"u8);
        rig.Kit.RunUntilIdle();
        fence.Set(long.MaxValue);
        peer.Send("3"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["1", "3"], peer.ReceivedText);
        Assert.Equal(1, listener.Drops(DropReason.Isolated));
    }

    [Fact]
    public void A_message_of_a_unix_connection_ends_it()
    {
        using var kit = new RouterTestKit(seed: 1);
        FenceOf(kit, openFor: Second);
        var listener = kit.BindUnix("@fence", new EchoRoute("echo"));
        var peer = kit.UnixPeer(listener, new PeerCredentials(7, 8, 9));
        peer.Send("1"u8);
        kit.RunUntilIdle();

        kit.Advance(Second);
        peer.Send("2"u8);
        kit.RunUntilIdle();

        Assert.Equal("1", peer.ReceivedText);
        Assert.Equal(CloseReason.Isolated, Assert.Single(kit.ClosedSessions).Reason);
    }

    private static Fence FenceOf(RouterTestKit kit, TimeSpan openFor)
    {
        var fence = new Fence(kit.Time);
        fence.Set(kit.Time.GetTimestamp() + (long)(openFor.TotalSeconds * kit.Time.TimestampFrequency));
        kit.Fence = fence;
        return fence;
    }
}
