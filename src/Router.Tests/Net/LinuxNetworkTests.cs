using System.Net;
using System.Net.Sockets;
using Router.Loop;
using Router.Net;
using Router.Tests.Loop;

namespace Router.Tests.Net;

public sealed class LinuxDatagramTests : DatagramContract
{
    private protected override INetwork CreateNetwork() => new LinuxNetwork();
}

public sealed class LinuxDatagramWithoutSegmentationTests : DatagramContract
{
    private protected override INetwork CreateNetwork() => new LinuxNetwork(LinuxCalls.Kernel, coalesce: false);
}

public sealed class LinuxDatagramWithoutTrainsTests : DatagramContract
{
    private protected override INetwork CreateNetwork() => new LinuxNetwork(LinuxCalls.Kernel, receiveTrains: false);
}

/// <summary>Trains as this machine's kernel makes them; the contract holds that what is in them arrives.</summary>
public sealed class LinuxTrainTests
{
    private static readonly int[] Sizes = [.. Enumerable.Repeat(64, 70), 10, 64, 64, 65, 65, 0, 0, 20];

    [Theory]
    [InlineData("127.0.0.1:0", false)]
    [InlineData("0.0.0.0:0", false)]
    [InlineData("[::]:0", true)]
    public void Datagrams_sent_as_one_message_are_received_as_a_train_and_seen_singly(string bind, bool dualStack)
    {
        using var rig = new NetRig(new LinuxNetwork());
        var server = rig.Bind(bind, dualStack);
        server.Echoes = true;
        Assert.True(server.Socket.ReceivesTrains);

        var client = Exchange(rig, server, $"127.0.0.1:{server.Address.Port}");

        Assert.Equal(4, server.Trains);   // 64, 7, 2 and 2 datagrams
        Assert.Equal(server.Trains, client.Trains);
        Assert.All(server.Got, got => Assert.Equal(bind != "127.0.0.1:0", !got.Local.IsEmpty));
    }

    [Fact]
    public void Without_UDP_GRO_the_kernel_takes_trains_apart()
    {
        using var rig = new NetRig(new LinuxNetwork(LinuxCalls.Kernel, receiveTrains: false));
        var server = rig.Bind("127.0.0.1:0");
        server.Echoes = true;

        Exchange(rig, server, server.Address.ToString());

        Assert.Equal(0, server.Trains);
        Assert.False(server.Socket.ReceivesTrains);
    }

    [Theory]
    [InlineData(65_000, 1)]
    [InlineData(65_507, 0)]   // with its headers more than loopback passes on in one piece
    public void A_train_as_long_as_a_datagram_can_be_arrives_whole(int length, int trains)
    {
        using var rig = new NetRig(new LinuxNetwork());
        var server = rig.Bind("127.0.0.1:0");
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.SetRawSocketOption(Libc.SolUdp, Libc.UdpSegment, BitConverter.GetBytes(1024));
        var payload = new byte[length];
        new Random(3).NextBytes(payload);

        client.SendTo(payload, server.Address.ToIPEndPoint());
        rig.Until(() => server.Got.Count == 64);

        Assert.Equal(trains, server.Trains);
        Assert.Equal(payload, server.Got.SelectMany(got => got.Payload));
        Assert.Equal(length - (63 * 1024), server.Got[^1].Length);
    }

    [Fact]
    public void What_the_kernel_drops_at_a_full_buffer_is_counted_to_the_unit()
    {
        const int Sent = 3000;
        using var rig = new NetRig(new LinuxNetwork());
        var server = rig.Bind("127.0.0.1:0", receiveBuffer: 4096);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.Connect(server.Address.ToIPEndPoint());
        for (var i = 0; i < Sent; i++)
        {
            client.Send("sixty-four bytes are not needed here"u8);
        }

        var drops = 0L;
        rig.Until(() => server.Got.Count + (drops += server.Socket.TakeKernelDrops()) == Sent);

        Assert.InRange(drops, 1, Sent - 1);
    }

    /// <summary>Sends datagrams of <see cref="Sizes"/> and waits for their echo.</summary>
    private static DatagramProbe Exchange(NetRig rig, DatagramProbe server, string to)
    {
        var client = rig.Bind("127.0.0.1:0");
        var random = new Random(1);
        var sent = Sizes.Select(size => new byte[size]).ToList();
        foreach (var payload in sent)
        {
            random.NextBytes(payload);
            client.Add(payload, NetRig.At(to));
        }

        client.Socket.Send(client.Queue);
        rig.Until(() => client.Got.Count == Sizes.Length);

        Assert.Equal(sent, server.Got.Select(got => got.Payload));
        Assert.Equal(sent, client.Got.Select(got => got.Payload));
        return client;
    }
}

public sealed unsafe class LinuxGroupAddressTests
{
    private const int AddMembership = 35, MulticastInterface = 32;   // IP_ADD_MEMBERSHIP, IP_MULTICAST_IF

    private static readonly byte[] Loopback = [127, 0, 0, 1];

    [Theory]
    [InlineData("0.0.0.0:0")]
    [InlineData("[::]:0")]
    public void A_multicast_is_answered_from_an_address_of_this_host(string bind)
    {
        byte[] group = [239, 255, 0, 1];
        using var rig = new NetRig(new LinuxNetwork());
        var server = rig.Bind(bind, dualStack: true);
        server.Echoes = true;
        fixed (byte* membership = (byte[])[.. group, .. Loopback])
        {
            Assert.Equal(
                0, LinuxCalls.Kernel.SetOption(server.Socket.Descriptor, Libc.SolIp, AddMembership, membership, 8));
        }

        var client = rig.Bind("127.0.0.1:0");
        fixed (byte* loopback = Loopback)
        {
            Assert.Equal(0, LinuxCalls.Kernel.SetOption(
                client.Socket.Descriptor, Libc.SolIp, MulticastInterface, loopback, 4));
        }

        client.Send("who is there"u8, NetRig.At($"239.255.0.1:{server.Address.Port}"));
        rig.Until(() => client.Got.Count == 1);

        Assert.Equal(NetRig.At($"127.0.0.1:{server.Address.Port}"), client.Got[0].Peer);
        Assert.Equal("127.0.0.1", server.Got[0].Local.ToString());
    }

    [Fact]
    public void Where_the_kernel_does_not_tell_an_address_to_answer_from_the_route_decides()
    {
        using var rig = new NetRig(new LinuxNetwork(new NoPacketInfo()));
        var server = rig.Bind("[::]:0", dualStack: true);
        server.Echoes = true;
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
        {
            EnableBroadcast = true,
        };
        client.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        client.SendTo("who is there"u8, new IPEndPoint(IPAddress.Broadcast, server.Address.Port));
        rig.Until(() => client.Available > 0);

        Assert.True(server.Got[0].Local.IsEmpty);
    }

    private sealed class NoPacketInfo : LinuxCalls
    {
        public override int SetOption(int fd, int level, int name, void* value, uint length) =>
            level == Libc.SolIp && name == Libc.IpPacketInfo
                ? -(int)Errno.ENOPROTOOPT
                : base.SetOption(fd, level, name, value, length);
    }
}

public sealed class LinuxStreamTests : StreamContract
{
    private protected override INetwork CreateNetwork() => new LinuxNetwork();

    private protected override (bool, int, int, int, int) KeepAliveOf(StreamSocket socket)
    {
        return (Of(Libc.SolSocket, Libc.SoKeepAlive) != 0, Tcp(Libc.TcpKeepIdle), Tcp(Libc.TcpKeepInterval),
            Tcp(Libc.TcpKeepCount), Tcp(Libc.TcpUserTimeout));

        int Tcp(int name) => Of(Libc.SolTcp, name);

        int Of(int level, int name) => LinuxCalls.Kernel.GetOption(socket.Descriptor, level, name);
    }
}

public sealed class LinuxIoLoopTests : IoLoopContract
{
    private protected override INetwork CreateNetwork() => new LinuxNetwork();
}

public sealed unsafe class LinuxAllocationTests
{
    [Theory]
    [InlineData("127.0.0.1:0")]
    [InlineData("0.0.0.0:0")]
    [InlineData("[::]:0")]
    public void Ten_thousand_echoed_datagrams_allocate_nothing(string bind)
    {
        using var loop = new IoLoop(0, new LinuxNetwork(), TimeProvider.System, new IoLoopOptions());
        using var server = new Echo(loop, NetRig.At(bind));
        using var client = new Echo(loop, NetRig.At("127.0.0.1:0"));
        var target = NetRig.At($"127.0.0.1:{server.Socket.LocalAddress.Port}");
        if (server.Socket.LocalAddress.Family == SocketAddr.FamilyIPv6)
        {
            client.Dispose();
            using var six = new Echo(loop, NetRig.At("[::1]:0"));
            Measure(loop, server, six, NetRig.At($"[::1]:{server.Socket.LocalAddress.Port}"));
            return;
        }

        Measure(loop, server, client, target);
    }

    private static void Measure(IoLoop loop, Echo server, Echo client, SocketAddr target)
    {
        for (var i = 0; i < 32; i++)
        {
            client.Queue.Reserve(64);
            client.Queue.Commit(64, target, default);
        }

        client.Socket.Send(client.Queue);
        RunUntil(loop, server, 2000);

        Assert.Equal(0, Allocations.Of(() => RunUntil(loop, server, server.Echoed + 10_000)));
    }

    private static void RunUntil(IoLoop loop, Echo server, long echoed)
    {
        for (var pass = 0; server.Echoed < echoed; pass++)
        {
            Assert.True(pass < 1_000_000);
            loop.RunOnce(block: false);
        }
    }

    private sealed class Echo : IIoReceiver, IEndOfPass, IRunnable, IDisposable
    {
        private readonly DatagramBatch _batch = new(64);
        private readonly IoLoop _loop;

        public Echo(IoLoop loop, SocketAddr address)
        {
            _loop = loop;
            var result = loop.Network.BindDatagram(address, new DatagramOptions(0, 0, false), out var socket);
            Assert.Equal(0, result);
            Socket = socket!;
            loop.Register(Socket, this, IoReadiness.Readable);
        }

        public DatagramSocket Socket { get; }

        public DatagramQueue Queue { get; } = new(64);

        public long Echoed { get; private set; }

        public void OnReady(IoSocket socket, IoReadiness ready)
        {
            if (Socket.Receive(_batch) > 0)
            {
                _loop.Enqueue(this);
            }
        }

        public void Run()
        {
            for (var i = 0; i < _batch.Count; i++)
            {
                Queue.Add(_batch.Payload(i), _batch.Length(i), _batch.Peer(i), _batch.Local(i));
            }

            Echoed += _batch.Count;
            _loop.AtEndOfPass(this);
        }

        void IThreadPoolWorkItem.Execute() => Run();

        public void OnEndOfPass() => Socket.Send(Queue);

        public void Dispose()
        {
            Socket.Dispose();
            Queue.Dispose();
            _batch.Dispose();
        }
    }
}
