using System.Text;
using Router.Routes;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Routes;

/// <summary>When a drain takes a session of each type of routes as done.</summary>
public sealed class DrainingRouteTests
{
    private const string One = "10.0.0.1:53";

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(SessionQuiet.QuietMs);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_datagram_that_is_never_answered_keeps_a_proxys_session_for_a_moment(bool isOneWay)
    {
        using var rig = new ProxyRig([One]);
        var listener = rig.BindUdp();
        var upstream = isOneWay ? rig.Kit.UdpPeer(One) : rig.UdpEcho(One);
        var peer = rig.Kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("x"u8);
        rig.Kit.RunUntilIdle();
        upstream.OnReceived = null;   // as the last acknowledgement of a transfer
        peer.Send("y"u8);
        rig.Kit.RunUntilIdle();

        Drain(rig.Kit, listener, Moment / 2);
        Assert.Single(rig.Kit.OpenSessions);
        Drain(rig.Kit, listener, Moment);
        Assert.Empty(rig.Kit.OpenSessions);
        Assert.Equal(2, upstream.Received.Count);
        rig.AssertNothingLeft();
    }

    [Fact]
    public void One_way_traffic_keeps_no_session_for_longer()
    {
        using var rig = new ProxyRig([One]);
        var listener = rig.BindUdp();
        rig.Kit.UdpPeer(One);
        var peer = rig.Kit.UdpPeer("192.0.2.7:5000", listener);
        for (var i = 0; i < 20; i++)
        {
            peer.Send("x"u8);
            Drain(rig.Kit, listener, Moment / 10);
        }

        Assert.Empty(rig.Kit.OpenSessions);
    }

    [Fact]
    public void What_has_been_answered_ends_at_once_and_a_late_answer_still_arrives()
    {
        using var rig = new ProxyRig([One]);
        var listener = rig.BindUdp();
        var upstream = rig.Kit.UdpPeer(One);
        var peer = rig.Kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("x"u8);
        rig.Kit.RunUntilIdle();
        Drain(rig.Kit, listener, Moment / 2);

        upstream.SendTo(Assert.Single(upstream.Received).From, "late"u8);
        rig.Kit.RunUntilIdle();
        Drain(rig.Kit, listener, TimeSpan.FromMilliseconds(50));

        Assert.Equal(["late"], peer.ReceivedText);
        Assert.Empty(rig.Kit.OpenSessions);
    }

    [Fact]
    public void A_proxied_connection_is_done_when_its_ends_say_so()
    {
        using var rig = new ProxyRig([One]);
        rig.TcpEcho(One);
        var listener = rig.BindTcp();
        var peer = rig.Kit.TcpPeer("192.0.2.7:5000", listener);
        peer.Send("x"u8);
        rig.Kit.RunUntilIdle();
        Drain(rig.Kit, listener, 4 * Moment);

        Assert.Single(rig.Kit.OpenSessions);
        peer.Send("y"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal("xy", peer.ReceivedText);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_idle_child_is_ended_in_order(bool isTcp)
    {
        using var rig = new ExecRig(ExecRig.Echo);
        var (udp, tcp) = isTcp ? (null, rig.Client()) : (rig.UdpClient(), (TcpPeer?)null);
        udp?.Send("x"u8);
        tcp?.Send("x"u8);
        rig.Kit.RunUntilIdle();
        var listener = isTcp ? rig.Tcp : rig.Udp;
        Drain(rig.Kit, listener, Moment / 2);
        Assert.Single(rig.Kit.OpenSessions, static session => !session.IsClosed);

        Drain(rig.Kit, listener, Moment);
        tcp?.Finish();
        rig.Kit.RunUntilIdle();
        Assert.Empty(rig.Kit.OpenSessions);
        Assert.Equal("x", tcp?.ReceivedText ?? udp!.ReceivedText.Single());
        Assert.Equal((isTcp, false), (tcp?.HasFinished ?? false, tcp?.IsReset ?? false));
        rig.Kit.Advance(ExecRig.Grace);
        Assert.Equal(0, rig.Kit.Network.Processes.Running);
    }

    [Fact]
    public void A_child_whose_peer_waits_for_its_answer_is_not()
    {
        using var rig = new ExecRig(static _ => { });
        var peer = rig.Client();
        peer.Send("x"u8);
        peer.Finish();
        rig.Kit.RunUntilIdle();

        Drain(rig.Kit, rig.Tcp, 2 * Moment);

        Assert.Single(rig.Kit.OpenSessions);
    }

    [Theory]
    [InlineData("echo")]
    [InlineData("reply")]
    [InlineData("collect")]
    public void A_quiet_stream_of_a_route_of_ours_ends_in_order(string type)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(type switch
        {
            "echo" => new EchoRoute("r"),
            "reply" => new ReplyRoute("r", Encoding.ASCII.GetBytes("r")),
            _ => (Route)new CollectRoute("r", CollectRig.Settings),
        });
        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        kit.RunUntilIdle();
        Drain(kit, listener, Moment / 2);
        Assert.False(peer.HasFinished);

        Drain(kit, listener, Moment);
        Assert.Equal((true, false), (peer.HasFinished, peer.IsReset));
        peer.Finish();
        kit.RunUntilIdle();
        Assert.Empty(kit.OpenSessions);
    }

    private static void Drain(RouterTestKit kit, KitListener listener, TimeSpan time)
    {
        for (var left = time; left > TimeSpan.Zero; left -= TimeSpan.FromMilliseconds(50))
        {
            listener.Drain();
            kit.Advance(TimeSpan.FromMilliseconds(50));
        }
    }
}
