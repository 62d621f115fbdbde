using System.Net;
using System.Net.Sockets;
using Router.Net;

namespace Router.Tests.Net;

/// <summary>What every network's datagram sockets do, over real loopback sockets.</summary>
public abstract class DatagramContract
{
    private protected abstract INetwork CreateNetwork();

    [Fact]
    public void Datagrams_are_echoed_to_whom_they_came_from()
    {
        using var rig = new NetRig(CreateNetwork());
        var server = rig.Bind("127.0.0.1:0");
        server.Echoes = true;
        var one = rig.Bind("127.0.0.1:0");
        var two = rig.Bind("127.0.0.1:0");

        one.Send("first"u8, server.Address);
        two.Send("second"u8, server.Address);
        rig.Until(() => one.Got.Count == 1 && two.Got.Count == 1);

        Assert.Equal("first"u8.ToArray(), one.Got[0].Payload);
        Assert.Equal("second"u8.ToArray(), two.Got[0].Payload);
        Assert.Equal(server.Address, one.Got[0].Peer);
        Assert.Contains(server.Got, got => got.Peer == one.Address);
        Assert.All(server.Got, got => Assert.True(got.Local.IsEmpty));
    }

    [Theory]
    [InlineData("127.0.0.1:0", 65_507)]
    [InlineData("[::1]:0", 65_527)]
    public void The_longest_datagram_passes_both_ways_uncut(string bind, int length)
    {
        using var rig = new NetRig(CreateNetwork());
        var server = rig.Bind(bind);
        server.Echoes = true;
        var client = rig.Bind(bind);
        var payload = new byte[length];
        new Random(1).NextBytes(payload);

        client.Send(payload, server.Address);
        rig.Until(() => client.Got.Count == 1);

        Assert.Equal(length, server.Address.DatagramBytesMax);
        Assert.Equal(length, client.Got[0].Length);
        Assert.Equal(payload, client.Got[0].Payload);
    }

    [Fact]
    public void A_datagram_too_long_to_send_is_counted_as_refused_and_the_next_ones_leave()
    {
        using var rig = new NetRig(CreateNetwork());
        var server = rig.Bind("127.0.0.1:0");
        var client = rig.Bind("127.0.0.1:0");

        client.Add("before"u8, server.Address);
        client.Add(new byte[65_508], server.Address);
        client.Send("after"u8, server.Address);
        rig.Until(() => server.Got.Count == 2);

        Assert.Equal(1, client.Queue.DroppedRefused);
        Assert.Equal(Errno.EMSGSIZE, client.Queue.LastRefusal);
        Assert.Equal(0, client.Queue.DroppedFull);
        Assert.Equal("after"u8.ToArray(), server.Got[1].Payload);
    }

    [Fact]
    public void An_empty_datagram_is_a_datagram()
    {
        using var rig = new NetRig(CreateNetwork());
        var server = rig.Bind("127.0.0.1:0");
        server.Echoes = true;
        var client = rig.Bind("127.0.0.1:0");

        client.Add([], server.Address);
        client.Add([], server.Address);
        client.Send("x"u8, server.Address);
        rig.Until(() => client.Got.Count == 3);

        Assert.Equal([0, 0, 1], client.Got.Select(got => got.Length));
    }

    [Fact]
    public void Order_holds_over_batches_and_sizes_of_all_kinds()
    {
        using var rig = new NetRig(CreateNetwork());
        var server = rig.Bind("127.0.0.1:0", receiveBuffer: 4 << 20);
        var client = rig.Bind("127.0.0.1:0");
        var random = new Random(2);
        var sent = new List<byte[]>();
        while (sent.Count < 1200)   // so many that they do not fit one batch, in trains or not
        {
            var size = random.Next(4) == 0 ? random.Next(0, 3000) : 64;
            for (var i = random.Next(1, 12); i > 0; i--)
            {
                var payload = new byte[size];
                random.NextBytes(payload);
                if (!client.Queue.HasRoom(size))
                {
                    client.Socket.Send(client.Queue);
                }

                client.Add(payload, server.Address);
                sent.Add(payload);
            }
        }

        client.Socket.Send(client.Queue);
        rig.Until(() => server.Got.Count == sent.Count);

        Assert.All(sent.Zip(server.Got), pair => Assert.True(pair.First.AsSpan().SequenceEqual(pair.Second.Payload)));
        Assert.Equal(0, client.Queue.Count);
        Assert.True(server.Batches.Count > 1);
    }

    [Fact]
    public void Replies_to_several_peers_in_one_flush_reach_each_its_own()
    {
        using var rig = new NetRig(CreateNetwork());
        var server = rig.Bind("127.0.0.1:0");
        var peers = Enumerable.Range(0, 5).Select(_ => rig.Bind("127.0.0.1:0")).ToArray();
        for (byte i = 0; i < 200; i++)
        {
            server.Add([i], peers[i / 7 % 5].Address);
        }

        server.Socket.Send(server.Queue);
        rig.Until(() => peers.Sum(peer => peer.Got.Count) == 200);

        for (var p = 0; p < 5; p++)
        {
            var expected = Enumerable.Range(0, 200).Where(i => i / 7 % 5 == p).Select(i => (byte)i);
            Assert.Equal(expected, peers[p].Got.Select(got => got.Payload.Single()));
        }
    }

    [Fact]
    public void Ipv6_datagrams_pass()
    {
        using var rig = new NetRig(CreateNetwork());
        var server = rig.Bind("[::1]:0");
        server.Echoes = true;
        var client = rig.Bind("[::1]:0");

        client.Send("six"u8, server.Address);
        rig.Until(() => client.Got.Count == 1);

        Assert.Equal(IPAddress.IPv6Loopback, client.Got[0].Peer.Address);
        Assert.Equal(server.Address, client.Got[0].Peer);
        Assert.Equal(client.Address, server.Got[0].Peer);
    }

    [Fact]
    public void A_dual_stack_socket_hears_both_families_and_answers_them()
    {
        using var rig = new NetRig(CreateNetwork());
        var server = rig.Bind("[::]:0", dualStack: true);
        server.Echoes = true;
        var four = rig.Bind("127.0.0.1:0");
        var six = rig.Bind("[::1]:0");

        four.Send("four"u8, NetRig.At($"127.0.0.1:{server.Address.Port}"));
        six.Send("six"u8, NetRig.At($"[::1]:{server.Address.Port}"));
        rig.Until(() => four.Got.Count == 1 && six.Got.Count == 1);

        var mapped = server.Got.Single(got => got.Payload.Length == 4);
        Assert.Equal(SocketAddr.FamilyIPv6, mapped.Peer.Family);
        Assert.Equal(four.Address.MapToIPv6(), mapped.Peer);
        Assert.Equal(four.Address.ToIPEndPoint(), mapped.Peer.ToIPEndPoint());
        Assert.Equal(IPAddress.Loopback, mapped.Local.Address);
        Assert.Equal(IPAddress.IPv6Loopback, server.Got.Single(got => got.Payload.Length == 3).Local.Address);
        Assert.Equal(IPAddress.Loopback, four.Got[0].Peer.Address);
    }

    [Fact]
    public void An_ipv6_socket_without_dual_stack_leaves_ipv4_to_another()
    {
        using var rig = new NetRig(CreateNetwork());
        var six = rig.Bind("[::]:0");
        var four = rig.Bind($"0.0.0.0:{six.Address.Port}");

        rig.Bind("127.0.0.1:0").Send("four"u8, NetRig.At($"127.0.0.1:{six.Address.Port}"));
        rig.Until(() => four.Got.Count == 1);

        Assert.Empty(six.Got);
    }

    [Theory]
    [InlineData("0.0.0.0:0", false)]
    [InlineData("[::]:0", true)]
    public void A_wildcard_socket_tells_the_address_a_datagram_came_to_and_answers_from_it(string bind, bool dualStack)
    {
        using var rig = new NetRig(CreateNetwork());
        var server = rig.Bind(bind, dualStack);
        server.Echoes = true;
        var client = rig.Bind("127.0.0.1:0");

        client.Add("a"u8, NetRig.At($"127.0.0.2:{server.Address.Port}"));
        client.Add("b"u8, NetRig.At($"127.0.0.3:{server.Address.Port}"));
        client.Send("c"u8, NetRig.At($"127.0.0.3:{server.Address.Port}"));
        rig.Until(() => client.Got.Count == 3);

        Assert.Equal(["127.0.0.2", "127.0.0.3", "127.0.0.3"], server.Got.Select(got => got.Local.ToString()));
        Assert.Equal(LocalAddr.From(IPAddress.Parse("127.0.0.2")), server.Got[0].Local);
        Assert.Equal(["127.0.0.2", "127.0.0.3", "127.0.0.3"], client.Got.Select(got => got.Peer.Address.ToString()));
    }

    [Theory]
    [InlineData("0.0.0.0:0", "127.255.255.255")]
    [InlineData("0.0.0.0:0", "255.255.255.255")]
    [InlineData("[::]:0", "127.255.255.255")]
    [InlineData("[::]:0", "255.255.255.255")]
    public void A_broadcast_is_answered_from_an_address_of_this_host(string bind, string broadcast)
    {
        using var rig = new NetRig(CreateNetwork());
        var server = rig.Bind(bind, dualStack: true);
        server.Echoes = true;
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
        {
            EnableBroadcast = true,
        };
        client.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        client.SendTo("who is there"u8, new IPEndPoint(IPAddress.Parse(broadcast), server.Address.Port));
        rig.Until(() => client.Available > 0);

        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        Assert.Equal(12, client.ReceiveFrom(new byte[100], ref from));
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, server.Address.Port), from);
        Assert.Equal((0, 0), (server.Queue.DroppedRefused, server.Queue.DroppedFull));
    }

    [Fact]
    public void A_batch_moves_between_sockets_of_both_families_without_leftovers()
    {
        using var rig = new NetRig(CreateNetwork());
        using var batch = new DatagramBatch(8);
        var four = rig.Bind("127.0.0.1:0");
        var six = rig.Bind("[::]:0");
        var client = rig.Bind("127.0.0.1:0");
        var client6 = rig.Bind("[::1]:0");
        var generation = batch.Generation;
        for (var round = 0; round < 3; round++)
        {
            client6.Send("long one"u8, NetRig.At($"[::1]:{six.Address.Port}"));
            client.Send("short"u8, four.Address);

            Receive(six.Socket, batch);
            Assert.Equal(client6.Address, batch.Peer(0));
            Assert.False(batch.Local(0).IsEmpty);
            Receive(four.Socket, batch);
            Assert.Equal(client.Address, batch.Peer(0));
            Assert.True(batch.Local(0).IsEmpty);
            Assert.Equal(5, batch.Length(0));
            Assert.Equal(1, batch.Count);
        }

        Assert.True(batch.Generation >= generation + 6);
    }

    [Fact]
    public void Answers_to_a_closed_port_do_not_disturb_a_bound_socket()
    {
        using var rig = new NetRig(CreateNetwork());
        var server = rig.Bind("127.0.0.1:0");
        var gone = rig.Bind("127.0.0.1:0");
        var dead = gone.Address;
        gone.Dispose();
        var client = rig.Bind("127.0.0.1:0");
        for (var i = 0; i < 100; i++)
        {
            server.Send("to nobody"u8, dead);
            rig.Loop.RunOnce(block: false);
        }

        client.Send("still there?"u8, server.Address);
        rig.Until(() => server.Got.Count == 1);
        server.Send("yes"u8, client.Address);
        rig.Until(() => client.Got.Count == 1);

        Assert.Equal(0, server.Queue.DroppedRefused + server.Queue.DroppedFull);
    }

    [Fact]
    public void A_connected_socket_reports_refusal_as_a_value_and_the_next_send_works()
    {
        using var rig = new NetRig(CreateNetwork());
        var target = rig.Bind("127.0.0.1:0");
        var address = target.Address;
        target.Dispose();
        var client = rig.Connect(address);

        Assert.Equal(4, client.Send("lost"u8));
        rig.Until(() => client.Errors.Count > 0);
        Assert.Equal(Errno.ECONNREFUSED, client.Errors[0]);

        var revived = rig.Bind(address.ToString());
        Assert.Equal(5, client.Send("found"u8));
        rig.Until(() => revived.Got.Count == 1);
        revived.Send("back"u8, revived.Got[0].Peer);
        rig.Until(() => client.Got.Count == 1);
        Assert.Equal("back"u8.ToArray(), client.Got[0]);
    }

    [Fact]
    public void A_refusal_met_while_sending_tells_of_an_earlier_datagram()
    {
        using var rig = new NetRig(CreateNetwork());
        var target = rig.Bind("127.0.0.1:0");
        target.Dispose();
        Assert.Equal(0, rig.Network.ConnectDatagram(target.Address, out var socket));
        using var client = socket!;
        var results = new List<int>();
        for (var i = 0; i < 6; i++)
        {
            results.Add(SendByte(client));
        }

        Assert.Equal(1, results[0]);
        Assert.Contains(-(int)Errno.ECONNREFUSED, results);
        Assert.All(results, result => Assert.Contains(result, (int[])[1, -(int)Errno.ECONNREFUSED]));
    }

    [Fact]
    public void A_connected_socket_hears_its_peer_only_and_marks_what_is_cut()
    {
        using var rig = new NetRig(CreateNetwork());
        var server = rig.Bind("127.0.0.1:0");
        var stranger = rig.Bind("127.0.0.1:0");
        var client = rig.Connect(server.Address);
        client.Capacity = 10;

        stranger.Send("intruder"u8, client.Socket.LocalAddress);
        server.Add([], client.Socket.LocalAddress);
        server.Add(new byte[11], client.Socket.LocalAddress);
        server.Send(new byte[10], client.Socket.LocalAddress);
        rig.Until(() => client.Got.Count == 2);

        Assert.Equal([0, 10], client.Got.Select(got => got.Length));
        Assert.Equal([Errno.EMSGSIZE], client.Errors);
    }

    [Fact]
    public void A_taken_port_is_refused()
    {
        using var rig = new NetRig(CreateNetwork());
        var server = rig.Bind("127.0.0.1:0");

        var result = rig.Network.BindDatagram(server.Address, new DatagramOptions(0, 0, false), out var second);

        Assert.Equal(-(int)Errno.EADDRINUSE, result);
        Assert.Null(second);
    }

    [Fact]
    public void An_address_of_another_host_is_refused()
    {
        var network = CreateNetwork();

        var result = network.BindDatagram(NetRig.At("192.0.2.1:0"), new DatagramOptions(0, 0, false), out var socket);

        Assert.Equal(-(int)Errno.EADDRNOTAVAIL, result);
        Assert.Null(socket);
    }

    [Fact]
    public void A_group_shares_its_port_and_refuses_a_second_instance()
    {
        var network = CreateNetwork();
        if (!network.SupportsGroups)
        {
            var refused = network.BindDatagram(
                NetRig.At("127.0.0.1:0"), new DatagramOptions(0, 0, false, JoinGroup: true), out _);
            Assert.Equal(-(int)Errno.EOPNOTSUPP, refused);
            return;
        }

        using var rig = new NetRig(network);
        var first = BindShard(rig, NetRig.At("127.0.0.1:0"), make: true, join: false);
        var second = BindShard(rig, first.Address, make: false, join: true);
        var third = BindShard(rig, first.Address, make: false, join: true);

        var alone = network.BindDatagram(first.Address, new DatagramOptions(0, 0, false), out _);
        var maker = network.BindDatagram(first.Address, new DatagramOptions(0, 0, false, MakeGroup: true), out _);
        Assert.Equal(-(int)Errno.EADDRINUSE, alone);
        Assert.Equal(-(int)Errno.EADDRINUSE, maker);

        for (var i = 0; i < 64; i++)
        {
            rig.Bind("127.0.0.1:0").Send([(byte)i], first.Address);
        }

        DatagramProbe[] shards = [first, second, third];
        rig.Until(() => shards.Sum(shard => shard.Got.Count) == 64);
        Assert.All(shards, shard => Assert.NotEmpty(shard.Got));
    }

    [Fact]
    public void Buffer_sizes_are_as_granted()
    {
        using var rig = new NetRig(CreateNetwork());
        rig.Network.BindDatagram(
            NetRig.At("127.0.0.1:0"), new DatagramOptions(300_000, 200_000, false), out var socket);
        using var owned = socket!;

        Assert.True(owned.BufferSizes.Receive >= 300_000);
        Assert.True(owned.BufferSizes.Send >= 200_000);
    }

    [Fact]
    public void A_foreign_client_is_answered()
    {
        using var rig = new NetRig(CreateNetwork());
        var server = rig.Bind("127.0.0.1:0");
        server.Echoes = true;
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.ReceiveTimeout = 10_000;
        client.Connect(server.Address.ToIPEndPoint());

        client.Send("hello"u8);
        rig.Until(() => server.Got.Count == 1);

        var buffer = new byte[16];
        Assert.Equal(5, client.Receive(buffer));
        Assert.Equal(((IPEndPoint)client.LocalEndPoint!).Port, server.Got[0].Peer.Port);
    }

    private static DatagramProbe BindShard(NetRig rig, SocketAddr address, bool make, bool join)
    {
        var options = new DatagramOptions(0, 0, false, MakeGroup: make, JoinGroup: join);
        Assert.Equal(0, rig.Network.BindDatagram(address, options, out var socket));
        return rig.Own(new DatagramProbe(rig.Loop, socket!));
    }

    private static unsafe int SendByte(ConnectedDatagramSocket socket)
    {
        var payload = (byte)1;
        return socket.Send(&payload, 1);
    }

    /// <summary>Loopback delivers within the send call, so what was sent is there.</summary>
    private static void Receive(DatagramSocket socket, DatagramBatch batch) => Assert.Equal(1, socket.Receive(batch));
}
