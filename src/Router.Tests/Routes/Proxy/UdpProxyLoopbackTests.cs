using System.Net;
using System.Net.Sockets;
using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Tests.Routes;

/// <summary>The UDP proxy over the kernel's sockets.</summary>
public sealed class UdpProxyLoopbackTests
{
    private readonly byte[] _buffer = new byte[65_536];

    [Fact]
    public void A_thousand_round_trips_allocate_nothing()
    {
        using var upstream = LoopbackRig.NewUdp();
        using var client = LoopbackRig.NewUdp();
        using var rig = new LoopbackRig(
            SessionTransport.Udp, LinuxCalls.Kernel, null, (IPEndPoint)upstream.LocalEndPoint!);
        var listener = rig.EndPoint.Serialize();
        var from = new SocketAddress(AddressFamily.InterNetwork);
        RoundTrips(2_000);
        Assert.Equal(0, Allocations.Of(() => RoundTrips(1_000)));

        void RoundTrips(int count)
        {
            for (var i = 0; i < count; i++)
            {
                client.SendTo(_buffer.AsSpan(0, 64), SocketFlags.None, listener);
                while (upstream.Available == 0)
                {
                    rig.Loop.RunOnce(block: false);
                }

                upstream.ReceiveFrom(_buffer, SocketFlags.None, from);
                upstream.SendTo(_buffer.AsSpan(0, 64), SocketFlags.None, from);
                while (client.Available == 0)
                {
                    rig.Loop.RunOnce(block: false);
                }

                client.ReceiveFrom(_buffer, SocketFlags.None, from);
            }
        }
    }

    [Fact]
    public void Empty_and_longest_datagrams_pass_both_ways()
    {
        using var upstream = LoopbackRig.NewUdp();
        using var client = LoopbackRig.NewUdp();
        using var rig = Rig(upstream);
        foreach (var length in (int[])[0, 65_507, 1, 0])
        {
            client.SendTo(new byte[length], rig.EndPoint);
            Assert.Equal(length, Receive(rig, upstream, out var from));
            upstream.SendTo(new byte[length], from);
            Assert.Equal(length, Receive(rig, client, out _));
        }

        Assert.Equal(1, rig.Shard.SessionsOpen);
    }

    [Fact]
    public void Replies_that_the_kernel_drops_at_the_session_s_socket_are_counted_to_the_unit()
    {
        const int Replies = 1_000;
        using var upstream = LoopbackRig.NewUdp();
        using var client = LoopbackRig.NewUdp();
        using var rig = Rig(upstream);
        client.SendTo("burst"u8, rig.EndPoint);
        Receive(rig, upstream, out var from);
        for (var i = 0; i < Replies; i++)
        {
            upstream.SendTo(new byte[1_200], from);
        }

        rig.Settle();

        var drops = rig.Shard.Counters.Drops[DropReason.ReceiveBufferFull];
        Assert.InRange(drops, 1, Replies - 65);
        Assert.Equal(Replies, rig.Shard.Counters.PayloadsOut + drops);
    }

    [Fact]
    public void Two_thousand_refusals_end_their_sessions_only()
    {
        var dead = LoopbackRig.Dead(SocketType.Dgram);
        using var client = LoopbackRig.NewUdp();
        using var rig = new LoopbackRig(SessionTransport.Udp, null, dead);
        for (var i = 1; i <= 2_000; i++)
        {
            client.SendTo("x"u8, rig.EndPoint);
            rig.Until(() => rig.Closed.Count == i);
        }

        Assert.All(rig.Closed, reason => Assert.Equal(CloseReason.UpstreamFailed, reason));
        Assert.Equal(2_000, rig.Shard.Counters.Drops[DropReason.UpstreamRefused]);
        Assert.Equal(rig.SocketsAtStart, rig.Calls.OpenSockets.Count);

        using var upstream = LoopbackRig.NewUdpAt(dead);
        client.SendTo("back"u8, rig.EndPoint);
        Assert.Equal(4, Receive(rig, upstream, out _));
    }

    [Fact]
    public void A_socket_that_the_kernel_connects_to_itself_is_replaced()
    {
        using var client = LoopbackRig.NewUdp();
        var dead = LoopbackRig.Dead(SocketType.Dgram);
        using var rig = new LoopbackRig(SessionTransport.Udp, new SelfConnectingCalls(times: 1), null, dead);
        client.SendTo("not an echo"u8, rig.EndPoint);
        rig.Until(() => rig.Closed.Count == 1);

        Assert.Equal(CloseReason.UpstreamFailed, rig.Closed[0]);
        Assert.Equal(0, client.Available);
        using var upstream = LoopbackRig.NewUdpAt(dead);
        client.SendTo("x"u8, rig.EndPoint);
        Assert.Equal(1, Receive(rig, upstream, out _));
    }

    [Fact]
    public void A_dead_first_upstream_costs_one_datagram()
    {
        using var upstream = LoopbackRig.NewUdp();
        using var client = LoopbackRig.NewUdp();
        using var rig = new LoopbackRig(
            SessionTransport.Udp, null, LoopbackRig.Dead(SocketType.Dgram), (IPEndPoint)upstream.LocalEndPoint!);
        for (var i = 0; i < 5; i++)
        {
            client.SendTo([(byte)i], rig.EndPoint);   // one batch: the kernel refuses the first at once
        }

        for (var i = 1; i < 5; i++)
        {
            Assert.Equal(1, Receive(rig, upstream, out _));
            Assert.Equal(i, _buffer[0]);
        }

        Assert.Equal(1, rig.Shard.Counters.Drops[DropReason.UpstreamRefused]);
    }

    [Fact]
    public void An_upstream_that_restarts_keeps_its_sessions()
    {
        using var client = LoopbackRig.NewUdp();
        var upstream = LoopbackRig.NewUdp();
        var place = (IPEndPoint)upstream.LocalEndPoint!;
        using var rig = Rig(upstream);
        client.SendTo("before"u8, rig.EndPoint);
        Receive(rig, upstream, out var socketBefore);
        upstream.SendTo("reply"u8, socketBefore);
        Receive(rig, client, out _);
        upstream.Dispose();
        for (var i = 0; i < 100; i++)
        {
            client.SendTo("lost"u8, rig.EndPoint);
            rig.Settle();
        }

        using var back = LoopbackRig.NewUdpAt(place);
        client.SendTo("after"u8, rig.EndPoint);
        Assert.Equal(5, Receive(rig, back, out var socketAfter));

        Assert.Equal(socketBefore, socketAfter);
        Assert.Equal(100, rig.Shard.Counters.Drops[DropReason.UpstreamRefused]);
        Assert.Empty(rig.Closed);
    }

    [Fact]
    public void Two_thousand_short_sessions_give_every_descriptor_back()
    {
        using var upstream = LoopbackRig.NewUdp();
        using var rig = Rig(upstream, responses: 1);
        for (var i = 1; i <= 2_000; i++)
        {
            using var client = LoopbackRig.NewUdp();
            client.SendTo("x"u8, rig.EndPoint);
            Receive(rig, upstream, out var from);
            upstream.SendTo("y"u8, from);
            Receive(rig, client, out _);
            rig.Until(() => rig.Closed.Count == i);
        }

        Assert.All(rig.Closed, reason => Assert.Equal(CloseReason.Done, reason));
        Assert.Equal(rig.SocketsAtStart, rig.Calls.OpenSockets.Count);
        Assert.Equal(0, rig.Shard.SessionsOpen);
    }

    private static LoopbackRig Rig(Socket upstream, int responses = 0) => new(
        SessionTransport.Udp, settings => settings with { Responses = responses }, (IPEndPoint)upstream.LocalEndPoint!);

    private int Receive(LoopbackRig rig, Socket socket, out IPEndPoint from)
    {
        rig.Until(() => socket.Poll(0, SelectMode.SelectRead));
        EndPoint sender = new IPEndPoint(IPAddress.Any, 0);
        var received = socket.ReceiveFrom(_buffer, ref sender);
        from = (IPEndPoint)sender;
        return received;
    }
}
