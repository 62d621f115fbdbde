using System.Net;
using System.Net.Sockets;
using Router.Net;

namespace Router.Tests.Net;

/// <summary>What the kernel does with sockets that serve one peer, asked of the kernel.</summary>
public sealed unsafe class LinuxPeerSocketTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("127.0.0.1:0", 1)]
    [InlineData("127.0.0.1:0", 2)]
    [InlineData("[::1]:0", 2)]
    public void A_fixed_group_gives_new_sockets_nothing_and_leaves_every_peer_where_it_is(string bind, int shards)
    {
        const int Clients = 200;
        const int Joining = 20;
        using var rig = new Rig(bind, shards, Clients);
        rig.SendAll();
        var before = rig.Owners();
        Assert.Equal(Clients, before.Count);
        Assert.Equal(shards, before.Values.Distinct().Count());

        var stolen = 0;
        for (var i = 0; i < Joining; i++)
        {
            rig.Window = rig.SendAll;   // everybody sends between this socket's bind and its connect
            Assert.Equal(0, rig.Network.OpenPeer(rig.Address, rig.AddressOf(i), out var peer));
            rig.Own(peer!);
            stolen += Drain(peer!).Count(from => from != rig.AddressOf(i));
            var now = rig.Owners();
            Assert.All(now, owner => Assert.Equal(before[owner.Key], owner.Value));
            Assert.Equal(Clients - i, now.Count);   // those before have sockets of their own
        }

        Assert.Equal(0, stolen);
        foreach (var peer in rig.Peers)
        {
            Assert.Equal(Joining - 1 - rig.Peers.IndexOf(peer), Drain(peer).Count);
        }
    }

    [Fact]
    public void Two_loops_that_open_sockets_at_once_leave_every_peer_where_it_is()
    {
        const int Clients = 200;
        using var rig = new Rig("127.0.0.1:0", shards: 2, Clients);
        rig.SendAll();
        var before = rig.Owners();
        PeerSocket? first = null;
        PeerSocket? second = null;
        var other = new Thread(() =>
        {
            rig.Window = rig.SendAll;
            Assert.Equal(0, rig.Network.OpenPeer(rig.Address, rig.AddressOf(1), out second));
        });

        rig.WindowOfOption = () =>
        {
            other.Start();   // connected, and not yet without SO_REUSEPORT: whoever binds now may join the wrong group
            Assert.True(SpinWait.SpinUntil(
                () => other.ThreadState is ThreadState.WaitSleepJoin or ThreadState.Stopped, Patience));
        };
        Assert.Equal(0, rig.Network.OpenPeer(rig.Address, rig.AddressOf(0), out first));
        Assert.True(other.Join(Patience));
        rig.Own(first!);
        rig.Own(second!);

        Assert.Single(Drain(first!));
        Assert.Empty(Drain(second!));
        var now = rig.Owners();
        Assert.Equal(Clients - 1, now.Count);   // the first has a socket of its own
        Assert.All(now, owner => Assert.Equal(before[owner.Key], owner.Value));
    }

    [Fact]
    public void A_shard_joins_past_the_sockets_of_sessions_and_then_keeps_other_processes_off()
    {
        using var rig = new Rig("127.0.0.1:0", shards: 2, clients: 4);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(0, rig.Network.OpenPeer(rig.Address, rig.AddressOf(i), out var peer));
            rig.Own(peer!);
        }

        rig.CloseShard(0);
        rig.AddShard(joins: true);
        rig.CloseShard(0);   // the joined one is alone now

        var address = rig.Address;
        var other = rig.Socket(Libc.AfInet, Libc.SockDatagram, 0);
        Assert.Equal(0, rig.SetOption(other, Libc.SolSocket, Libc.SoReuseAddress, 1));
        Assert.Equal(-(int)Errno.EADDRINUSE, rig.Bind(other, &address));
        rig.Close(other);
    }

    [Fact]
    public void A_peers_socket_is_refused_where_none_may_be_opened()
    {
        var calls = new TestKit.Net.ScriptedCalls();
        var network = new LinuxNetwork(calls, coalesce: false);
        var local = NetRig.At("127.0.0.1:0");
        calls.Fail(TestKit.Net.LinuxCall.Socket, Errno.EMFILE);
        Assert.Equal(-(int)Errno.EMFILE, network.OpenPeer(local, NetRig.At("127.0.0.1:9"), out var none));
        Assert.Null(none);
        calls.Fail(TestKit.Net.LinuxCall.Connect, Errno.ENETUNREACH);
        Assert.Equal(-(int)Errno.ENETUNREACH, network.OpenPeer(local, NetRig.At("127.0.0.1:9"), out none));
        Assert.Empty(calls.OpenSockets);
    }

    [Fact]
    public void A_following_socket_takes_another_port_of_its_upstream_and_goes_on_there()
    {
        var network = new LinuxNetwork();
        using var first = Bound(IPAddress.Loopback);
        using var second = Bound(IPAddress.Loopback);
        using var foreign = Bound(IPAddress.Parse("127.0.0.2"));
        Assert.Equal(0, network.FollowDatagram(AddressOf(first), out var opened));
        using var socket = opened!;

        Assert.Equal(1, Send(socket, 1));
        var (_, from) = Receive(first);
        foreign.SendTo("no"u8, from);
        second.SendTo("yes"u8, from);
        var buffer = stackalloc byte[16];
        Assert.Equal(3, socket.Receive(buffer, 16));
        Assert.Equal(1, socket.ForeignDrops);
        Assert.Equal(1, Send(socket, 2));
        Assert.Equal(2, Receive(second).Payload[0]);
    }

    [Fact]
    public void A_following_socket_is_told_once_that_nobody_is_there()
    {
        using var rig = new NetRig(new LinuxNetwork());
        SocketAddr dead;
        using (var gone = Bound(IPAddress.Loopback))
        {
            dead = AddressOf(gone);
        }

        Assert.Equal(0, rig.Network.FollowDatagram(dead, out var socket));
        var ready = new ReadyCount();
        using (socket)
        {
            Assert.Equal(0, rig.Loop.Register(socket!, ready, IoReadiness.Readable));
            Assert.Equal(1, Send(socket!, 1));
            rig.Until(() => ready.Count > 0);
            var buffer = stackalloc byte[16];
            Assert.Equal(-(int)Errno.ECONNREFUSED, socket!.Receive(buffer, 16));
            Assert.Equal(-(int)Errno.EAGAIN, socket.Receive(buffer, 16));
            var told = ready.Count;
            rig.Settle();
            Assert.Equal(told, ready.Count);   // the queued error is gone too
        }
    }

    [Fact]
    public void A_session_s_own_socket_has_the_receive_buffer_that_is_asked_for()
    {
        const int Asked = 50_000;
        var network = new LinuxNetwork();
        using var other = Bound(IPAddress.Loopback);
        Assert.Equal(0, network.ConnectDatagram(AddressOf(other), out var connected, Asked));
        Assert.Equal(0, network.FollowDatagram(AddressOf(other), out var following, Asked));
        Assert.Equal(0, network.OpenPeer(NetRig.At("127.0.0.1:0"), AddressOf(other), out var peer, Asked));
        Assert.All((IoSocket[])[connected!, following!, peer!], static socket =>
        {
            var granted = LinuxCalls.Kernel.GetOption(socket.Descriptor, Libc.SolSocket, Libc.SoReceiveBuffer);
            Assert.Equal(2 * Asked, granted);   // twice, for bookkeeping: socket(7)
            socket.Dispose();
        });
    }

    [Fact]
    public void What_the_kernel_drops_at_a_session_s_own_socket_is_told_to_the_unit()
    {
        const int Sent = 300;
        var network = new LinuxNetwork();
        using var other = Bound(IPAddress.Loopback);
        Assert.Equal(0, network.ConnectDatagram(AddressOf(other), out var connected, 4096));
        Assert.Equal(0, network.FollowDatagram(AddressOf(other), out var following, 4096));
        Assert.Equal(0, network.OpenPeer(NetRig.At("127.0.0.1:0"), AddressOf(other), out var peer, 4096));
        Assert.All((IoSocket[])[connected!, following!, peer!], socket =>
        {
            for (var i = 0; i < Sent; i++)
            {
                other.SendTo("x"u8, new IPEndPoint(IPAddress.Loopback, socket.LocalAddress.Port));
            }

            var received = socket is PeerSocket own ? Drain(own).Count : DrainUpstream((ConnectedDatagramSocket)socket);
            Assert.InRange(received, 1, Sent - 1);
            Assert.Equal(Sent - received, socket.TakeKernelDrops());
            Assert.Equal(0, socket.TakeKernelDrops());
            socket.Dispose();
        });

        static int DrainUpstream(ConnectedDatagramSocket socket)
        {
            var buffer = stackalloc byte[16];
            var count = 0;
            while (socket.Receive(buffer, 16) >= 0)
            {
                count++;
            }

            return count;
        }
    }

    private static Socket Bound(IPAddress address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 5000 };
        socket.Bind(new IPEndPoint(address, 0));
        return socket;
    }

    private static SocketAddr AddressOf(Socket socket) => SocketAddr.From((IPEndPoint)socket.LocalEndPoint!);

    private static (byte[] Payload, EndPoint From) Receive(Socket socket)
    {
        var payload = new byte[16];
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        socket.ReceiveFrom(payload, ref from);
        return (payload, from);
    }

    private static int Send(ConnectedDatagramSocket socket, byte value) => socket.Send(&value, 1);

    private static List<SocketAddr> Drain(PeerSocket socket)
    {
        var senders = new List<SocketAddr>();
        var buffer = stackalloc byte[16];
        while (socket.Receive(buffer, 16, out var from) >= 0)
        {
            senders.Add(from);
        }

        return senders;
    }

    private sealed class ReadyCount : IIoReceiver
    {
        public int Count { get; private set; }

        public void OnReady(IoSocket socket, IoReadiness ready) => Count++;
    }

    /// <summary>A group of shards, clients of it, and a kernel that stops between bind and connect.</summary>
    private sealed class Rig : LinuxCalls, IDisposable
    {
        private readonly List<DatagramSocket> _shards = [];
        private readonly List<Socket> _clients = [];
        private readonly DatagramBatch _batch = new(64);

        public Rig(string bind, int shards, int clients)
        {
            Network = new LinuxNetwork(this, coalesce: false);
            Address = NetRig.At(bind);
            for (var i = 0; i < shards; i++)
            {
                AddShard(joins: i > 0);
            }

            Assert.Equal(0, Network.FixShards(_shards));
            for (var i = 0; i < clients; i++)
            {
                _clients.Add(Bound(Address.Address));
            }
        }

        public LinuxNetwork Network { get; }

        public SocketAddr Address { get; private set; }

        public List<PeerSocket> Peers { get; } = [];

        public Action? Window { get; set; }

        public Action? WindowOfOption { get; set; }

        public SocketAddr AddressOf(int client) => LinuxPeerSocketTests.AddressOf(_clients[client]);

        public void AddShard(bool joins)
        {
            var options = new DatagramOptions(1 << 20, 0, DualStack: false, MakeGroup: !joins, JoinGroup: joins);
            Assert.Equal(0, Network.BindDatagram(Address, options, out var socket));
            _shards.Add(socket!);
            Address = socket!.LocalAddress;
        }

        public void CloseShard(int shard)
        {
            _shards[shard].Dispose();
            _shards.RemoveAt(shard);
        }

        public void Own(PeerSocket peer) => Peers.Add(peer);

        public void SendAll() => _clients.ForEach(client => client.SendTo("x"u8, Address.ToIPEndPoint()));

        /// <summary>Which shard has a datagram of whom; takes them off.</summary>
        public Dictionary<SocketAddr, int> Owners()
        {
            var owners = new Dictionary<SocketAddr, int>();
            for (var shard = 0; shard < _shards.Count; shard++)
            {
                while (_shards[shard].Receive(_batch) > 0)
                {
                    for (var slot = 0; slot < _batch.Count; slot++)
                    {
                        owners.Add(_batch.Peer(slot), shard);
                    }
                }
            }

            return owners;
        }

        public override int Connect(int fd, SocketAddr* address)
        {
            var window = Window;
            Window = null;
            window?.Invoke();
            return base.Connect(fd, address);
        }

        public override int SetOption(int fd, int level, int name, void* value, uint length)
        {
            if (name == Libc.SoReusePort && *(int*)value == 0)
            {
                var window = WindowOfOption;
                WindowOfOption = null;
                window?.Invoke();
            }

            return base.SetOption(fd, level, name, value, length);
        }

        public void Dispose()
        {
            Peers.ForEach(static peer => peer.Dispose());
            _shards.ForEach(static shard => shard.Dispose());
            _clients.ForEach(static client => client.Dispose());
            _batch.Dispose();
        }
    }
}
