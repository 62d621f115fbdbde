using System.Net;
using Router.Admission;
using Router.Diagnostics;
using Router.Net;
using Router.Routes;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Sessions;

namespace Router.Tests.Routes;

/// <summary>One forged datagram that claims to come from a listener of ours must not go round.</summary>
public sealed class OwnListenerPeerTests
{
    private const string Upstream = "10.0.0.1:53";
    private const string Forged = "198.51.100.1:7777";

    [Theory]
    [InlineData("proxy")]
    [InlineData("handler")]
    [InlineData("actor")]
    [InlineData("flow")]
    [InlineData("room")]
    [InlineData("exec")]
    [InlineData("collect")]
    [InlineData("reply")]
    [InlineData("echo")]
    public void It_is_a_counted_drop_of_every_route(string type)
    {
        using var kit = new RouterTestKit(seed: 1);
        using var rig = new ProxyRig([Upstream], kit: kit);
        var upstream = rig.UdpEcho(Upstream);
        var listener = kit.BindUdp(RouteOf(type, rig, kit));
        kit.Guard.Own = new OwnEndpoints([listener.EndPoint, IPEndPoint.Parse(Forged)], []);
        var forged = kit.UdpPeer(Forged, listener);

        forged.Send("x"u8);
        kit.RunUntilIdle();

        Assert.Equal(1, listener.Drops(DropReason.OwnListener));
        Assert.Equal(0, listener.Sessions);
        Assert.Empty(upstream.Received);
        Assert.Empty(forged.Received);
    }

    [Fact]
    public void Without_that_it_would_go_round_through_a_proxy()
    {
        using var kit = new RouterTestKit(seed: 1);
        using var rig = new ProxyRig([Upstream], kit: kit);
        var upstream = rig.UdpEcho(Upstream);
        var listener = rig.BindUdp();
        var other = kit.UdpPeer(Forged, listener);   // in the place of the listener: what comes, goes on
        other.OnReceived = datagram =>
        {
            if (other.Received.Count < 100)
            {
                other.Send(datagram.Payload);
            }
        };

        other.Send("x"u8);
        kit.RunUntilIdle();

        Assert.Equal(100, upstream.Received.Count);
    }

    private static Route RouteOf(string type, ProxyRig rig, RouterTestKit kit) => type switch
    {
        "proxy" => rig.Route,
        "handler" => new HandlerRoute("r", static () => new ScriptHandler()),
        "actor" => new ActorRoute("r", "/user/backend"),
        "flow" => new FlowRoute("r", rig.Route, new FlowTable(
            new FlowRouteSettings(FlowJoin.Address, false, 2, TimeSpan.FromSeconds(30), true), kit.Random)),
        "room" => new RoomRoute("r", new RoomSettings(
            RoomEntry.Listener, false, 1, 10, 100, 1 << 20, RoomWhenSlow.Drop, Validation())),
        "exec" => new ExecRoute("r", new ExecRouteSettings(
            ["/bin/cat"], "/", [], 1, TimeSpan.Zero, ExecRestart.Never, 1, new(), Validation())),
        "collect" => new CollectRoute("r", CollectRig.Settings),
        "reply" => new ReplyRoute("r", "r"u8.ToArray()),
        _ => new EchoRoute("r"),
    };

    private static PeerValidation Validation() =>
        new(PeerProof.None, default, [], TimeSpan.FromSeconds(1), RandomSource.System);
}
