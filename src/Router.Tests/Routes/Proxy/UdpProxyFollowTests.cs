using Router.Diagnostics;
using Router.Routes;
using Router.TestKit;

namespace Router.Tests.Routes;

/// <summary>Upstreams that answer from another port than the one that was asked.</summary>
public sealed class UdpProxyFollowTests
{
    private const string Upstream = "10.0.0.1:69";

    [Fact]
    public void A_session_that_follows_goes_on_at_the_port_that_answered()
    {
        using var rig = Rig(follows: true, out var asked, out var answering);
        var peer = rig.Kit.UdpPeer("192.0.2.7:5000", to: rig.BindUdp());

        peer.Send("read"u8);
        rig.Kit.RunUntilIdle();
        peer.Send("ack"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["read"], asked.ReceivedText);
        Assert.Equal(["ack"], answering.ReceivedText);
        Assert.Equal(["data", "more"], peer.ReceivedText);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Replies_dropped_at_the_session_s_socket_are_in_its_record_and_its_listener_s_drops(bool follows)
    {
        using var rig = Rig(follows, out var asked, out _);
        rig.Kit.Limits = rig.Kit.Limits with { SessionReceiveBuffer = 3_000 };
        asked.OnReceived = datagram =>
        {
            for (var i = 0; i < 10; i++)
            {
                asked.SendTo(datagram.From, new byte[1_000]);   // two fit
            }
        };
        var listener = rig.BindUdp();
        var peer = rig.Kit.UdpPeer("192.0.2.7:5000", to: listener);
        peer.Send("read"u8);
        rig.Kit.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(2, peer.Received.Count);
        Assert.Equal(8, Assert.Single(rig.Kit.ClosedSessions).Drops);
        Assert.Equal((8, 8), (listener.Drops(DropReason.ReceiveBufferFull), listener.AllDrops()));
    }

    [Fact]
    public void A_strict_session_refuses_it()
    {
        using var rig = Rig(follows: false, out var asked, out var answering);
        var peer = rig.Kit.UdpPeer("192.0.2.7:5000", to: rig.BindUdp());

        peer.Send("read"u8);
        rig.Kit.RunUntilIdle();
        peer.Send("again"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["read", "again"], asked.ReceivedText);
        Assert.Empty(answering.ReceivedText);
        Assert.Empty(peer.ReceivedText);
    }

    [Fact]
    public void Another_address_is_not_followed_and_counted()
    {
        using var rig = Rig(follows: true, out var asked, out _);
        var foreign = rig.Kit.UdpPeer("10.0.0.2:69");
        asked.OnReceived = datagram =>
        {
            foreign.SendTo(datagram.From, "forged"u8);
            asked.SendTo(datagram.From, "true"u8);
        };
        var listener = rig.BindUdp();
        var peer = rig.Kit.UdpPeer("192.0.2.7:5000", to: listener);

        peer.Send("read"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["true"], peer.ReceivedText);
        Assert.Equal(1, listener.Drops(DropReason.ForeignSource));
    }

    /// <summary>A server that answers the first datagram from another port, and what comes there as well.</summary>
    private static ProxyRig Rig(bool follows, out UdpPeer asked, out UdpPeer answering)
    {
        var rig = new ProxyRig([Upstream], settings => settings with
        {
            Replies = follows ? UpstreamReplies.Follow : UpstreamReplies.Strict,
        });
        var transfer = rig.Kit.UdpPeer("10.0.0.1:40000");
        transfer.OnReceived = datagram => transfer.SendTo(datagram.From, "more"u8);
        asked = rig.Kit.UdpPeer(Upstream);
        asked.OnReceived = datagram => transfer.SendTo(datagram.From, "data"u8);
        answering = transfer;
        return rig;
    }
}
