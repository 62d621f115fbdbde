using Router.Diagnostics;
using Router.Listeners;
using Router.Net;
using Router.TestKit;
using Router.Tests.Sessions;

namespace Router.Tests.Listeners;

/// <summary>A listener that fails is restarted with its socket; its sessions are not disturbed.</summary>
public sealed class ListenerFailureTests
{
    [Fact]
    public void Sessions_and_their_handlers_outlive_a_failure_of_their_udp_listener()
    {
        using var kit = new RouterTestKit(seed: 1);
        var made = 0;
        var listener = kit.BindUdp(() => NumberedHandler(++made));
        var peer = kit.UdpPeer("192.0.2.7:5000", to: listener);
        peer.Send("a"u8);
        kit.RunUntilIdle();
        var id = kit.OpenSessions.Single().Id;

        Fail(kit, ((UdpShard)listener.Shards[0]).Actor);
        peer.Send("b"u8);
        kit.UdpPeer("192.0.2.8:5000", to: listener).Send("c"u8);
        kit.RunUntilIdle();

        Assert.Equal(["1a", "1b"], peer.ReceivedText);
        Assert.Equal(2, kit.OpenSessions.Count);
        Assert.Contains(kit.OpenSessions, session => session.Id == id && session.Restarts == 0);
        Assert.Equal(0, listener.AllDrops());
        Assert.Contains(kit.ListenerEvents, record => record.Contains("restarted", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Connections_outlive_a_failure_of_their_tcp_listener_and_it_accepts_again()
    {
        using var kit = new RouterTestKit(seed: 1);
        var made = 0;
        var listener = kit.BindTcp(() => NumberedHandler(++made));
        var peer = kit.TcpPeer("192.0.2.7:5000", to: listener);
        peer.Send("a"u8);
        kit.RunUntilIdle();

        Fail(kit, ((TcpShard)listener.Shards[0]).Actor);
        peer.Send("b"u8);
        var second = kit.TcpPeer("192.0.2.8:5000", to: listener);
        second.Send("c"u8);
        kit.RunUntilIdle();

        Assert.Equal("1a1b", peer.ReceivedText);
        Assert.Equal("2c", second.ReceivedText);
        Assert.Equal(0, listener.Restarts);
    }

    [Fact]
    public void A_failure_while_a_batch_is_dealt_out_loses_that_batch_counted_and_no_session()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new ScriptHandler());
        var shard = (UdpShard)listener.Shards[0];
        var peer = kit.UdpPeer("192.0.2.7:5000", to: listener);
        peer.Send("a"u8);
        kit.RunUntilIdle();

        peer.Send("b"u8);
        kit.UdpPeer("192.0.2.9:5000", to: listener).Send("new"u8);
        Assert.Throws<InvalidOperationException>(
            () => shard.Receive(static (_, _) => throw new InvalidOperationException("open")));
        kit.RunUntilIdle();
        Assert.Equal(1, listener.Drops(DropReason.ListenerFailed));

        peer.Send("c"u8);
        kit.RunUntilIdle();
        Assert.Equal(["a", "c"], peer.ReceivedText);
    }

    private static ScriptHandler NumberedHandler(int number) => new()
    {
        Received = (session, text) => session.Reply(System.Text.Encoding.UTF8.GetBytes($"{number}{text}")),
    };

    private static void Fail(RouterTestKit kit, IActorRef listener)
    {
        listener.Tell(new BrokenSocket());
        kit.RunUntilIdle();
    }

    /// <summary>Has the listener fail in its own turn, when it looks whether the socket is closed.</summary>
    private sealed class BrokenSocket : IoSocket
    {
        public override SocketAddr LocalAddress => default;

        public override bool IsClosed => throw new InvalidOperationException("broken");

        protected override void Close()
        {
        }
    }
}
