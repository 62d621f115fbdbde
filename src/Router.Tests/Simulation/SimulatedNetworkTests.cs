using System.Net;
using Router.Net;
using Router.TestKit;
using Router.TestKit.Simulation;

namespace Router.Tests.Simulation;

/// <summary>The network by itself: one socket of a router against peers.</summary>
public sealed class SimulatedNetworkTests
{
    private static readonly IPEndPoint Server = IPEndPoint.Parse("198.51.100.1:9000");

    [Fact]
    public void Loss_and_duplication_come_about_as_often_as_asked()
    {
        using var rig = new Rig(seed: 5);
        var sink = rig.Udp("198.51.100.1:9000");
        var source = rig.Udp("192.0.2.1:1");
        rig.Network.Faults.Loss = 0.2;
        SendNumbers(source, 2_000);
        Assert.InRange(sink.Received.Count, 1_500, 1_700);
        Assert.Equal(2_000 - sink.Received.Count, rig.Network.DatagramsLost);

        sink.ClearReceived();
        rig.Network.Faults.Clear();
        rig.Network.Faults.Duplication = 0.1;
        SendNumbers(source, 2_000);
        Assert.InRange(sink.Received.Count, 2_120, 2_280);
        Assert.Equal(2_000, sink.ReceivedText.Distinct().Count());
    }

    [Fact]
    public void Delay_holds_datagrams_back_and_reordering_lets_later_ones_pass()
    {
        using var rig = new Rig(seed: 6);
        var sink = rig.Udp("198.51.100.1:9000");
        var source = rig.Udp("192.0.2.1:1");
        rig.Network.Faults.DelayMin = rig.Network.Faults.DelayMax = TimeSpan.FromMilliseconds(10);
        SendNumbers(source, 10);
        Assert.Empty(sink.Received);
        Assert.Equal(TimeSpan.FromMilliseconds(10), rig.Network.NextArrival);
        rig.Advance(9);
        Assert.Empty(sink.Received);
        rig.Advance(1);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}"), sink.ReceivedText);

        sink.ClearReceived();
        rig.Network.Faults.Reordering = 0.5;
        SendNumbers(source, 50);
        rig.Advance(40);
        Assert.Equal(50, sink.Received.Count);
        Assert.NotEqual(Enumerable.Range(0, 50).Select(i => $"{i}"), sink.ReceivedText);
    }

    [Fact]
    public void The_same_seed_gives_the_same_trace_and_another_seed_another()
    {
        static ulong Run(ulong seed)
        {
            using var rig = new Rig(seed);
            rig.Udp("198.51.100.1:9000");
            var source = rig.Udp("192.0.2.1:1");
            rig.Network.Faults.DelayMax = TimeSpan.FromMilliseconds(3);
            rig.Network.Faults.Loss = rig.Network.Faults.Duplication = 0.1;
            var connected = rig.Connect();
            SendNumbers(source, 50);
            rig.Send(connected, "x"u8);
            source.SendTo(connected.LocalAddress.ToIPEndPoint(), "back"u8);
            rig.Advance(10);
            return rig.Network.TraceHash;
        }

        Assert.Equal(Run(11), Run(11));
        Assert.NotEqual(Run(11), Run(12));
    }

    [Fact]
    public void Injected_errors_come_in_their_order_and_then_the_call_works()
    {
        using var rig = new Rig(seed: 1);
        rig.Network.Faults.Inject(NetworkOperation.BindDatagram, Errno.EMFILE, times: 2);
        rig.Network.Faults.Inject(NetworkOperation.Listen, Errno.EADDRINUSE, after: 1);
        var address = SocketAddr.From(Server);
        var options = new DatagramOptions(0, 0, false);

        Assert.Equal(-(int)Errno.EMFILE, rig.Network.BindDatagram(address, options, out _));
        Assert.Equal(-(int)Errno.EMFILE, rig.Network.BindDatagram(address, options, out _));
        Assert.Equal(0, rig.Network.BindDatagram(address, options, out var socket));
        Assert.Equal(-(int)Errno.EADDRINUSE, rig.Network.BindDatagram(address, options, out _));
        socket!.Dispose();

        Assert.Equal(0, rig.Network.Listen(address, new StreamListenOptions(1, false), out var listener));
        Assert.Equal(-(int)Errno.EADDRINUSE, rig.Network.Listen(address, new StreamListenOptions(1, false), out _));
        listener!.Dispose();
        Assert.Equal(0, rig.Network.OpenSockets);
    }

    [Fact]
    public void A_full_receive_buffer_drops_and_counts()
    {
        using var rig = new Rig(seed: 1);
        rig.Network.BindDatagram(SocketAddr.From(Server), new DatagramOptions(10_000, 0, false), out var socket);
        using var bound = socket!;
        var source = rig.Udp("192.0.2.1:1");
        for (var i = 0; i < 20; i++)
        {
            source.SendTo(Server, new byte[1_000]);
        }

        var drops = bound.TakeKernelDrops();
        Assert.InRange(drops, 10, 13);
        Assert.Equal(drops, rig.Network.DatagramsLost);
        Assert.Equal(0, bound.TakeKernelDrops());
    }

    [Fact]
    public void A_black_hole_neither_answers_nor_refuses()
    {
        using var rig = new Rig(seed: 1);
        rig.Network.SetBlackHole(Server);
        var connected = rig.Connect();
        Assert.Equal(1, rig.Send(connected, "x"u8));
        Assert.Equal(1, rig.Send(connected, "x"u8));
        Assert.Equal(-(int)Errno.EINPROGRESS, rig.Network.ConnectStream(SocketAddr.From(Server), out var stream));
        rig.Advance(60_000);
        Assert.Equal(-(int)Errno.EINPROGRESS, stream!.ConnectResult());
        stream.Dispose();

        rig.Network.SetBlackHole(Server, isBlackHole: false);
        Assert.Equal(1, rig.Send(connected, "x"u8));
        Assert.Equal(-(int)Errno.ECONNREFUSED, rig.Send(connected, "x"u8));
    }

    [Fact]
    public void A_wildcard_hears_every_address_and_answers_from_it()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new Kit.EchoHandler(), "0.0.0.0:9000");
        var one = kit.UdpPeer("192.0.2.1:5000", IPEndPoint.Parse("198.51.100.1:9000"));

        one.Send("a"u8);
        one.SendTo(IPEndPoint.Parse("198.51.100.2:9000"), "b"u8);
        kit.RunUntilIdle();

        Assert.Equal(2, listener.Sessions);   // the local address is part of the key
        Assert.Equal(
            ["198.51.100.1:9000", "198.51.100.2:9000"], one.Received.Select(datagram => datagram.From.ToString()));
    }

    private static void SendNumbers(UdpPeer source, int count)
    {
        for (var i = 0; i < count; i++)
        {
            source.SendTo(Server, System.Text.Encoding.ASCII.GetBytes($"{i}"));
        }
    }

    private sealed class Rig(ulong seed) : IDisposable
    {
        private readonly List<IDisposable> _owned = [];

        public VirtualTimeProvider Time { get; } = new();

        public SimulatedNetwork Network => field ??= new SimulatedNetwork(Time, new SeededRandom(seed));

        public UdpPeer Udp(string endPoint) => new(Network, IPEndPoint.Parse(endPoint), null);

        public ConnectedDatagramSocket Connect()
        {
            Assert.Equal(0, Network.ConnectDatagram(SocketAddr.From(Server), out var socket));
            _owned.Add(socket!);
            return socket!;
        }

        public unsafe int Send(ConnectedDatagramSocket socket, ReadOnlySpan<byte> payload)
        {
            fixed (byte* bytes = payload)
            {
                return socket.Send(bytes, payload.Length);
            }
        }

        public void Advance(int milliseconds)
        {
            Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            Network.RunDue();
        }

        public void Dispose()
        {
            _owned.ForEach(static item => item.Dispose());
            Assert.Equal(0, Network.OpenSockets);
        }
    }
}
