using System.Net;
using System.Net.Sockets;
using Router.Net;

namespace Router.Tests.Net;

/// <summary>What every network's stream sockets do, over real loopback sockets.</summary>
public abstract class StreamContract
{
    private protected abstract INetwork CreateNetwork();

    /// <summary>SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT and TCP_USER_TIMEOUT of a connection.</summary>
    private protected abstract (bool, int, int, int, int) KeepAliveOf(StreamSocket socket);

    [Fact]
    public void A_connection_is_given_up_when_it_is_told_to()
    {
        using var rig = new NetRig(CreateNetwork());
        var options = new StreamListenOptions(16, false, KeepAlive: new KeepAliveOptions(61, 16, 5, 90_000));
        Assert.Equal(0, rig.Network.Listen(NetRig.At("127.0.0.1:0"), options, out var listening));
        var listener = rig.Own(new AcceptProbe(rig.Loop, listening!));
        var client = rig.ConnectStream(listener.Socket.LocalAddress);
        rig.Until(() => client.Connected && listener.Accepted.Count == 1);
        var server = rig.Own(new StreamProbe(rig.Loop, listener.Accepted[0], connecting: false));
        Assert.Equal((true, 61, 16, 5, 90_000), KeepAliveOf(server.Socket));

        client.Socket.SetKeepAlive(new KeepAliveOptions(62, 17, 6, 91_000));
        Assert.Equal((true, 62, 17, 6, 91_000), KeepAliveOf(client.Socket));
        client.Socket.SetKeepAlive(new KeepAliveOptions(0, 17, 6, 0));
        Assert.Equal((false, 62, 17, 6, 0), KeepAliveOf(client.Socket));
    }

    [Theory]
    [InlineData("127.0.0.1:0")]
    [InlineData("[::1]:0")]
    public void A_connection_is_accepted_and_carries_bytes_both_ways(string bind)
    {
        using var rig = new NetRig(CreateNetwork());
        var listener = rig.Listen(bind);
        var client = rig.ConnectStream(listener.Socket.LocalAddress);
        rig.Until(() => client.Connected && listener.Accepted.Count == 1);
        var server = rig.Own(new StreamProbe(rig.Loop, listener.Accepted[0], connecting: false));

        Assert.Equal(4, client.Send("ping"u8));
        Assert.Equal(5, server.Send("reply"u8));
        rig.Until(() => server.Got.Count == 4 && client.Got.Count == 5);

        Assert.Equal("ping"u8.ToArray(), server.Got);
        Assert.Equal(client.Socket.LocalAddress, server.Socket.PeerAddress);
        Assert.Equal(client.Socket.PeerAddress, server.Socket.LocalAddress);
        Assert.Equal(listener.Socket.LocalAddress, server.Socket.LocalAddress);
    }

    [Fact]
    public void A_dual_stack_listener_accepts_ipv4()
    {
        using var rig = new NetRig(CreateNetwork());
        var listener = rig.Listen("[::]:0", dualStack: true);
        var client = rig.ConnectStream(NetRig.At($"127.0.0.1:{listener.Socket.LocalAddress.Port}"));
        rig.Until(() => client.Connected && listener.Accepted.Count == 1);

        Assert.Equal(client.Socket.LocalAddress.ToIPEndPoint(), listener.Accepted[0].PeerAddress.ToIPEndPoint());
        Assert.Equal(SocketAddr.FamilyIPv6, listener.Accepted[0].PeerAddress.Family);
    }

    [Fact]
    public void Accept_without_a_waiting_connection_would_block()
    {
        using var rig = new NetRig(CreateNetwork());
        var listener = rig.Listen("127.0.0.1:0");

        Assert.Equal(-(int)Errno.EAGAIN, listener.Socket.Accept(out var connection));
        Assert.Null(connection);
    }

    [Fact]
    public void A_connect_to_a_dead_port_is_refused()
    {
        using var rig = new NetRig(CreateNetwork());
        var listener = rig.Listen("127.0.0.1:0");
        var dead = listener.Socket.LocalAddress;
        listener.Dispose();

        var result = rig.Network.ConnectStream(dead, out var socket);
        if (result == -(int)Errno.ECONNREFUSED)
        {
            Assert.Null(socket);
            return;
        }

        var client = rig.Own(new StreamProbe(rig.Loop, socket!, connecting: true));
        rig.Until(() => client.ConnectResult is not null);
        Assert.Equal(-(int)Errno.ECONNREFUSED, client.ConnectResult);
    }

    [Fact]
    public void Each_side_may_end_writing_while_the_other_goes_on()
    {
        using var rig = new NetRig(CreateNetwork());
        var (client, server) = rig.StreamPair();
        foreach (var (first, second) in ((StreamProbe, StreamProbe)[])[(client, server)])
        {
            first.Send("last words"u8);
            first.Socket.ShutdownWrite();
            rig.Until(() => second.Ended);
            Assert.Equal("last words"u8.ToArray(), second.Got);
            Assert.Equal(-(int)Errno.EPIPE, first.Send("more"u8));

            var payload = new byte[1_000_000];
            new Random(3).NextBytes(payload);
            SendAll(rig, second, payload, () => { });
            rig.Until(() => first.Got.Count == payload.Length);
            Assert.True(payload.AsSpan().SequenceEqual(first.Got.ToArray()));
            Assert.False(first.Ended);

            second.Socket.ShutdownWrite();
            rig.Until(() => first.Ended);
            Assert.Equal(Errno.Success, first.Error);
        }
    }

    [Fact]
    public void The_accepting_side_may_end_writing_first()
    {
        using var rig = new NetRig(CreateNetwork());
        var (client, server) = rig.StreamPair();

        server.Socket.ShutdownWrite();
        rig.Until(() => client.Ended);
        client.Send("still here"u8);
        rig.Until(() => server.Got.Count == 10);

        Assert.False(server.Ended);
    }

    [Fact]
    public void An_abort_is_a_reset_at_the_other_side()
    {
        using var rig = new NetRig(CreateNetwork());
        var (client, server) = rig.StreamPair();

        server.Socket.Abort();
        Assert.True(server.Socket.IsClosed);
        rig.Until(() => client.Error != Errno.Success || client.Ended);

        Assert.Equal(Errno.ECONNRESET, client.Error);
        Assert.False(client.Ended);
    }

    [Fact]
    public void A_plain_close_is_an_end_of_stream_at_the_other_side()
    {
        using var rig = new NetRig(CreateNetwork());
        var (client, server) = rig.StreamPair();

        server.Dispose();
        rig.Until(() => client.Ended);

        Assert.Equal(Errno.Success, client.Error);
    }

    [Fact]
    public void Sending_to_a_peer_that_does_not_read_stops_and_goes_on_when_it_reads()
    {
        using var rig = new NetRig(CreateNetwork());
        var (client, server) = rig.StreamPair();
        rig.Loop.SetInterest(server.Socket, IoReadiness.None);
        var chunk = new byte[100_000];
        new Random(4).NextBytes(chunk);
        long total = 0;
        var partial = false;
        int taken;
        while ((taken = client.Send(chunk)) > 0)
        {
            partial |= taken < chunk.Length;
            total += taken;
            Assert.True(total < 1 << 30, "the kernel takes without end");
            if (taken < chunk.Length)
            {
                chunk = [.. chunk[taken..], .. chunk[..taken]];   // keeps the byte sequence one endless repetition
            }
        }

        Assert.Equal(-(int)Errno.EAGAIN, taken);
        rig.Loop.SetInterest(client.Socket, IoReadiness.Readable | IoReadiness.Writable);
        rig.Settle();
        Assert.False(client.Writable);

        rig.Loop.SetInterest(server.Socket, IoReadiness.Readable);
        rig.Until(() => client.Writable && server.Got.Count == total);
        var original = new byte[100_000];
        new Random(4).NextBytes(original);
        for (var i = 0; i < total; i += original.Length)
        {
            var length = (int)Math.Min(original.Length, total - i);
            Assert.True(original.AsSpan(0, length).SequenceEqual(server.Got.Slice(i, length).ToArray()));
        }
    }

    [Fact]
    public void The_granted_backlog_is_the_kernels_word()
    {
        using var rig = new NetRig(CreateNetwork());
        var modest = rig.Listen("127.0.0.1:0", backlog: 7);
        var greedy = rig.Listen("127.0.0.1:0", backlog: 1_000_000);

        Assert.Equal(7, modest.Socket.GrantedBacklog);
        if (File.Exists("/proc/sys/net/core/somaxconn"))
        {
            Assert.Equal(int.Parse(File.ReadAllText("/proc/sys/net/core/somaxconn")), greedy.Socket.GrantedBacklog);
        }
    }

    [Fact]
    public void A_live_listener_refuses_a_second_one()
    {
        using var rig = new NetRig(CreateNetwork());
        var listener = rig.Listen("127.0.0.1:0");

        var options = new StreamListenOptions(16, false);
        var result = rig.Network.Listen(listener.Socket.LocalAddress, options, out var second);

        Assert.Equal(-(int)Errno.EADDRINUSE, result);
        Assert.Null(second);
    }

    [Fact]
    public void A_port_with_past_connections_can_be_listened_on_again()
    {
        using var rig = new NetRig(CreateNetwork());
        var listener = rig.Listen("127.0.0.1:0");
        var address = listener.Socket.LocalAddress;
        var client = rig.ConnectStream(address);
        rig.Until(() => client.Connected && listener.Accepted.Count == 1);

        // The listening side closes first, so that its end of the connection stays in TIME_WAIT.
        listener.Dispose();
        rig.Until(() => client.Ended);
        client.Dispose();

        rig.Listen(address.ToString());
    }

    [Fact]
    public void A_group_shares_its_port_and_refuses_a_second_instance()
    {
        var network = CreateNetwork();
        if (!network.SupportsGroups)
        {
            var refused = network.Listen(
                NetRig.At("127.0.0.1:0"), new StreamListenOptions(16, false, JoinGroup: true), out _);
            Assert.Equal(-(int)Errno.EOPNOTSUPP, refused);
            return;
        }

        using var rig = new NetRig(network);
        var first = ListenShard(rig, NetRig.At("127.0.0.1:0"), make: true, join: false);
        var address = first.Socket.LocalAddress;
        var second = ListenShard(rig, address, make: false, join: true);

        Assert.Equal(-(int)Errno.EADDRINUSE, network.Listen(address, new StreamListenOptions(16, false), out _));
        Assert.Equal(
            -(int)Errno.EADDRINUSE,
            network.Listen(address, new StreamListenOptions(16, false, MakeGroup: true), out _));

        for (var i = 0; i < 64; i++)
        {
            rig.ConnectStream(address);
        }

        rig.Until(() => first.Accepted.Count + second.Accepted.Count == 64);
        Assert.NotEmpty(first.Accepted);
        Assert.NotEmpty(second.Accepted);
    }

    [Fact]
    public void A_foreign_client_is_served()
    {
        using var rig = new NetRig(CreateNetwork());
        var listener = rig.Listen("127.0.0.1:0");
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.ReceiveTimeout = 10_000;
        client.Connect(listener.Socket.LocalAddress.ToIPEndPoint());
        rig.Until(() => listener.Accepted.Count == 1);
        var server = rig.Own(new StreamProbe(rig.Loop, listener.Accepted[0], connecting: false));

        client.Send("hi"u8);
        rig.Until(() => server.Got.Count == 2);
        server.Send("there"u8);

        Assert.Equal(5, client.Receive(new byte[16]));
        Assert.Equal((IPEndPoint)client.LocalEndPoint!, server.Socket.PeerAddress.ToIPEndPoint());
    }

    [Fact]
    public unsafe void A_pipe_carries_one_stream_into_another_where_there_are_pipes()
    {
        using var rig = new NetRig(CreateNetwork());
        var result = rig.Network.CreatePipe(64 * 1024, out var pipe);
        if (result < 0)
        {
            Assert.Equal(-(int)Errno.EOPNOTSUPP, result);
            Assert.Null(pipe);
            return;
        }

        rig.Own(pipe!);
        var (source, from) = rig.StreamPair();
        var (to, sink) = rig.StreamPair();
        rig.Loop.SetInterest(from.Socket, IoReadiness.None);
        Assert.Equal(-(int)Errno.EAGAIN, pipe!.Fill(from.Socket));

        source.Send("through the pipe"u8);
        rig.Until(() => pipe.Fill(from.Socket) > 0);
        Assert.Equal(16, pipe.Buffered);
        Assert.Equal(16, pipe.Drain(to.Socket));
        Assert.Equal(0, pipe.Buffered);
        rig.Until(() => sink.Got.Count == 16);
        Assert.Equal("through the pipe"u8.ToArray(), sink.Got);

        source.Send("and out"u8);
        rig.Until(() => pipe.Fill(from.Socket) > 0);
        var taken = stackalloc byte[16];
        Assert.Equal(7, pipe.Read(taken, 16));
        Assert.Equal("and out"u8.ToArray(), new Span<byte>(taken, 7).ToArray());

        source.Send("too late"u8);
        rig.Until(() => pipe.Fill(from.Socket) > 0);
        to.Socket.ShutdownWrite();
        Assert.Equal(-(int)Errno.EPIPE, pipe.Drain(to.Socket));
        Assert.Equal(8, pipe.Read(taken, 16));

        source.Socket.ShutdownWrite();
        rig.Until(() => pipe.Fill(from.Socket) == 0);
    }

    private static AcceptProbe ListenShard(NetRig rig, SocketAddr address, bool make, bool join)
    {
        var options = new StreamListenOptions(256, false, MakeGroup: make, JoinGroup: join);
        Assert.Equal(0, rig.Network.Listen(address, options, out var listener));
        return rig.Own(new AcceptProbe(rig.Loop, listener!));
    }

    private static void SendAll(NetRig rig, StreamProbe probe, byte[] payload, Action onStep)
    {
        var sent = 0;
        rig.Loop.SetInterest(probe.Socket, probe.Socket.Interest | IoReadiness.Writable);
        rig.Until(() =>
        {
            onStep();
            var taken = probe.Send(payload.AsSpan(sent));
            Assert.True(taken > 0 || taken == -(int)Errno.EAGAIN);
            sent += Math.Max(0, taken);
            return sent == payload.Length;
        });
        rig.Loop.SetInterest(probe.Socket, probe.Socket.Interest & ~IoReadiness.Writable);
    }
}
