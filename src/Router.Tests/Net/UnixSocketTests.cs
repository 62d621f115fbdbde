using System.Net.Sockets;
using System.Text;
using Router.Net;

namespace Router.Tests.Net;

/// <summary>Unix sockets as the kernel has them: messages, ends, names and credentials.</summary>
public sealed unsafe class UnixSocketTests
{
    private const int Slot = DatagramBatch.SlotBytes;

    [Fact]
    public void An_empty_message_is_told_apart_from_the_end()
    {
        using var rig = new UnixRig();
        var (server, client) = Packets(rig);
        client.Send("one"u8);
        client.Send(""u8);
        client.Send("three"u8);
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal("one", Receive(server));
        Assert.Equal("", Receive(server));
        Assert.Equal("three", Receive(server));
        Assert.Equal("EPIPE", Receive(server));
        Assert.Equal("EPIPE", Receive(server));
    }

    [Fact]
    public void What_was_sent_before_the_accept_is_told_apart_as_well()
    {
        using var rig = new UnixRig();
        var listener = rig.Listen("s", UnixSocketType.Packet);
        var client = rig.Client(SocketType.Seqpacket, "s");
        client.Send(""u8);
        client.Dispose();

        var server = (PacketSocket)Accept(rig, listener);

        Assert.Equal("", Receive(server));
        Assert.Equal("EPIPE", Receive(server));
    }

    [Fact]
    public void A_message_that_is_too_long_is_cut_and_told_of_and_the_next_is_whole()
    {
        using var rig = new UnixRig();
        var (server, client) = Packets(rig);
        client.Send(new byte[Slot + 1]);
        client.Send(new byte[Slot]);

        Assert.Equal("EMSGSIZE", Receive(server));
        Assert.Equal(Slot, Receive(server).Length);
    }

    [Fact]
    public void A_message_goes_whole_or_not_at_all()
    {
        using var rig = new UnixRig();
        var (server, client) = Packets(rig);
        var payload = new byte[60_000];
        var sent = 0;
        fixed (byte* bytes = payload)
        {
            int result;
            while ((result = server.Send(bytes, payload.Length)) == payload.Length)
            {
                sent++;
            }

            Assert.Equal(-(int)Errno.EAGAIN, result);
        }

        for (var i = 0; i < sent; i++)
        {
            Assert.Equal(payload.Length, client.Receive(new byte[Slot]));
        }
    }

    [Theory]
    [InlineData(UnixSocketType.Stream)]
    [InlineData(UnixSocketType.Packet)]
    public void Who_connects_is_known_with_its_name_if_it_has_one(object theType)
    {
        var type = (UnixSocketType)theType;
        using var rig = new UnixRig();
        var kind = type == UnixSocketType.Stream ? SocketType.Stream : SocketType.Seqpacket;
        var listener = rig.Listen("s", type);
        rig.Client(kind, "s");
        var unnamed = Accept(rig, listener);
        rig.Client(kind, "s", own: "@" + rig.Folder);
        var named = Accept(rig, listener);

        Assert.Equal("unix:-", unnamed.PeerAddress.ToString());
        Assert.Equal($"unix:@{rig.Folder}", named.PeerAddress.ToString());
        Assert.NotEqual(named.PeerAddress, unnamed.PeerAddress);
        foreach (var each in (StreamSocket[])[named, unnamed])
        {
            var credentials = UnixAddress.CredentialsOf(each.PeerAddress);
            Assert.Equal(Environment.ProcessId, credentials?.ProcessId);
            Assert.Equal($"unix:{rig.Path("s")}", each.LocalAddress.ToString());
        }
    }

    [Fact]
    public void Datagrams_bring_name_and_credentials_and_one_without_a_name_is_seen()
    {
        using var rig = new UnixRig();
        using var batch = new DatagramBatch(64);
        var server = rig.Bind("s");
        rig.Client(SocketType.Dgram, "s", own: "me").Send("a"u8);
        rig.Client(SocketType.Dgram, "s").Send("b"u8);
        rig.Client(SocketType.Dgram, "s", own: "").Send(""u8);

        Assert.Equal(3, server.Receive(batch));

        Assert.Equal($"unix:{rig.Path("me")}", batch.Peer(0).ToString());
        Assert.Equal(Environment.ProcessId, UnixAddress.CredentialsOf(batch.Peer(0))?.ProcessId);
        Assert.Equal(0UL, batch.Peer(1).Word1);
        Assert.Null(UnixAddress.CredentialsOf(batch.Peer(1)));
        Assert.Matches("^unix:@[0-9a-f]{5}$", batch.Peer(2).ToString());   // autobind
        Assert.Equal(0, batch.Length(2));
    }

    [Fact]
    public void A_datagram_that_is_too_long_is_told_of()
    {
        using var rig = new UnixRig();
        using var batch = new DatagramBatch(4);
        var server = rig.Bind("s");
        var client = rig.Client(SocketType.Dgram, "s", own: "me");
        client.Send(new byte[Slot + 1]);
        client.Send(new byte[Slot]);

        Assert.Equal(2, server.Receive(batch));

        Assert.Equal(-(Slot + 1), batch.Length(0));
        Assert.Equal(Slot, batch.Length(1));
    }

    [Fact]
    public void Peers_that_are_full_or_gone_are_counted_and_the_others_are_served()
    {
        using var rig = new UnixRig();
        using var batch = new DatagramBatch(64);
        using var queue = new DatagramQueue(64);
        var server = rig.Bind("s");
        var clients = new[] { "full", "gone", "here" }
            .Select(name => rig.Client(SocketType.Dgram, "s", own: name)).ToList();
        clients.ForEach(static client => client.Send("a"u8));
        Assert.Equal(3, server.Receive(batch));
        clients[1].Dispose();

        clients[0].Dispose();
        File.Delete(rig.Path("full"));
        var full = rig.Own(new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified));
        full.Bind(new UnixDomainSocketEndPoint(rig.Path("full")));   // not connected: its queue has a limit
        for (var i = 0; i < 40; i++)
        {
            Queue(queue, batch.Peer(0));   // net.unix.max_dgram_qlen is 10, or 512 where systemd has set it
        }

        Queue(queue, batch.Peer(1));
        Queue(queue, batch.Peer(2));
        var isRoomy = int.Parse(File.ReadAllText("/proc/sys/net/unix/max_dgram_qlen")) >= 40;
        server.Send(queue);

        Assert.Equal(isRoomy, queue.DroppedFull == 0);
        Assert.Equal(1, queue.DroppedRefused);
        Assert.Contains(queue.LastRefusal, (Errno[])[Errno.ECONNREFUSED, Errno.ENOENT]);
        Assert.Equal(0, queue.Count);
        Assert.Equal(1, clients[2].Receive(new byte[4]));
    }

    [Fact]
    public void Two_loops_accept_from_one_queue()
    {
        using var rig = new UnixRig();
        var first = rig.Listen("s", UnixSocketType.Stream);
        Assert.Equal(0, rig.TryListen("s", UnixSocketType.Stream, out var second, joins: true));
        rig.Client(SocketType.Stream, "s");
        rig.Client(SocketType.Stream, "s");

        Accept(rig, first);
        Accept(rig, second!);

        Assert.Equal(-(int)Errno.EAGAIN, first.Accept(out _));
        Assert.Equal((16, 0), (first.GrantedBacklog, second!.GrantedBacklog));
        Assert.Equal(-1, first.QueueLength);
    }

    [Fact]
    public void An_upstream_that_comes_back_is_sent_to_again()
    {
        using var rig = new UnixRig();
        using var batch = new DatagramBatch(4);
        var server = rig.Bind("s");
        Assert.Equal(0, rig.Network.ConnectDatagram(rig.At("s", UnixSocketType.Datagram), out var client));
        rig.Own(client!);
        Assert.Equal(1, Send(client!, "a"u8));
        server.Dispose();

        Assert.Equal(-(int)Errno.ECONNREFUSED, Send(client!, "b"u8));
        Assert.Equal(-(int)Errno.ECONNREFUSED, Send(client!, "c"u8));
        server = rig.Bind("s");
        Assert.Equal(1, Send(client!, "d"u8));

        Assert.Equal(1, server.Receive(batch));
        Assert.Equal("d"u8.ToArray(), batch.First(0).ToArray());
        Assert.StartsWith("unix:@", batch.Peer(0).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none", UnixSocketType.Stream, Errno.ENOENT)]
    [InlineData("stale", UnixSocketType.Packet, Errno.ECONNREFUSED)]
    [InlineData("stream", UnixSocketType.Packet, Errno.EPROTOTYPE)]
    [InlineData("stream", UnixSocketType.Datagram, Errno.EPROTOTYPE)]
    [InlineData("full", UnixSocketType.Stream, Errno.EAGAIN)]
    public void A_connect_that_fails_says_why(string name, object theType, Errno errno)
    {
        var type = (UnixSocketType)theType;
        using var rig = new UnixRig();
        rig.Listen("stream", UnixSocketType.Stream);
        rig.Network.Listen(
            rig.At("full", UnixSocketType.Stream), new StreamListenOptions(1, false), out var full);
        rig.Own(full!);
        rig.Client(SocketType.Stream, "full");
        rig.Client(SocketType.Stream, "full");
        File.Move(Bound(rig, "made"), rig.Path("stale"));

        var result = type == UnixSocketType.Stream
            ? rig.Network.ConnectStream(rig.At(name, type), out _)
            : rig.Network.ConnectDatagram(rig.At(name, type), out _);

        Assert.Equal(-(int)errno, result);
        Assert.NotEmpty(ErrnoText.Advice(errno, SocketOperation.ConnectUnix));
    }

    /// <summary>A socket that is connected to somebody takes nothing from anybody else.</summary>
    [Fact]
    public void Who_hears_another_peer_only_is_named()
    {
        using var rig = new UnixRig();
        rig.Bind("s");
        rig.Client(SocketType.Dgram, "s", own: "taken");

        var result = rig.Network.ConnectDatagram(rig.At("taken", UnixSocketType.Datagram), out _);

        Assert.Equal(-(int)Errno.EPERM, result);
        Assert.NotEmpty(ErrnoText.Advice(Errno.EPERM, SocketOperation.ConnectUnix));
    }

    [Fact]
    public void A_message_longer_than_the_buffer_is_named()
    {
        using var rig = new UnixRig();
        rig.Bind("s");
        Assert.Equal(0, rig.Network.ConnectDatagram(rig.At("s", UnixSocketType.Datagram), out var client));
        rig.Own(client!);

        Assert.Equal(-(int)Errno.EMSGSIZE, Send(client!, new byte[16 * 1024 * 1024]));
        Assert.NotEmpty(ErrnoText.Advice(Errno.EMSGSIZE, SocketOperation.ConnectUnix));
    }

    [Fact]
    public void The_portable_network_has_none_and_says_so()
    {
        INetwork network = new PortableNetwork();
        var address = UnixAddress.Of("/run/s", UnixSocketType.Stream);

        Assert.False(network.SupportsUnix);
        Assert.Equal(
            -(int)Errno.EAFNOSUPPORT, network.Listen(address, new StreamListenOptions(1, false), out _));
        Assert.Equal(
            -(int)Errno.EAFNOSUPPORT, network.BindDatagram(address, new DatagramOptions(0, 0, false), out _));
        Assert.Equal(-(int)Errno.EAFNOSUPPORT, network.ConnectStream(address, out _));
        Assert.NotEmpty(ErrnoText.Advice(Errno.EAFNOSUPPORT, SocketOperation.ConnectUnix));
    }

    private static string Bound(UnixRig rig, string name)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(rig.Path(name)));
        File.Move(rig.Path(name), rig.Path(name + ".moved"));   // the base library removes what it bound
        return rig.Path(name + ".moved");
    }

    private static void Queue(DatagramQueue queue, in SocketAddr peer)
    {
        *queue.Reserve(1) = (byte)'x';
        queue.Commit(1, peer, default);
    }

    private static (PacketSocket Server, Socket Client) Packets(UnixRig rig)
    {
        var listener = rig.Listen("s", UnixSocketType.Packet);
        var client = rig.Client(SocketType.Seqpacket, "s");
        return (Assert.IsAssignableFrom<PacketSocket>(Accept(rig, listener)), client);
    }

    private static StreamSocket Accept(UnixRig rig, StreamListener listener)
    {
        Assert.Equal(0, listener.Accept(out var connection));
        return rig.Own(connection!);
    }

    private static int Send(ConnectedDatagramSocket socket, ReadOnlySpan<byte> payload)
    {
        fixed (byte* bytes = payload)
        {
            return socket.Send(bytes, payload.Length);
        }
    }

    /// <summary>A message, or the name of the errno.</summary>
    private static string Receive(PacketSocket socket)
    {
        var room = new byte[Slot];
        fixed (byte* bytes = room)
        {
            var result = socket.Receive(bytes, room.Length);
            return result < 0 ? ErrnoText.Name((Errno)(-result)) : Encoding.Latin1.GetString(room, 0, result);
        }
    }
}
