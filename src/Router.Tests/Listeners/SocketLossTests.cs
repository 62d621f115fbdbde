using System.Net;
using System.Net.Sockets;
using Router.Admission;
using Router.Listeners;
using Router.Loop;
using Router.Net;
using Router.Routes;
using Router.Running;
using Router.Sessions;
using Router.TestKit;
using Router.TestKit.Net;
using Router.TestKit.Simulation;
using Router.Tests.Sessions;

namespace Router.Tests.Listeners;

/// <summary>A loop's socket breaks while sessions have sockets of their own on its port, by the kernel's rules of who
/// may bind.</summary>
public sealed class SocketLossTests
{
    private const int Clients = 100;

    [Theory]
    [InlineData("127.0.0.1:0", 1)]
    [InlineData("127.0.0.1:0", 2)]
    [InlineData("127.0.0.1:0", 4)]
    [InlineData("[::1]:0", 2)]
    public void A_lost_socket_is_bound_again_beside_the_sessions_sockets(string bind, int loops)
    {
        using var rig = new Rig(bind, loops);
        var old = rig.NewClients(Clients);
        rig.Exchange(old, "a"u8);
        Assert.Equal(loops, rig.Shards.Count(static shard => shard.SessionsOpen > 0));

        rig.LoseOne();
        rig.Advance(150);
        Assert.Equal(["udp socket-lost EBADF", "udp socket-rebound"], rig.Events.ListenerEvents);

        rig.Exchange(old, "b"u8);
        var sockets = rig.OpenSockets;
        rig.Exchange(rig.NewClients(Clients), "c"u8);
        Assert.Equal(sockets + Clients, rig.OpenSockets);
        Assert.Equal(2, rig.Events.ListenerEvents.Count);   // no session was refused its socket
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_session_that_begins_meanwhile_does_not_stand_in_the_way(int loops)
    {
        using var rig = new Rig("127.0.0.1:0", loops);
        var lost = rig.LoseOne();
        var client = rig.NewClient();
        lost.OnStray(SocketAddr.From((IPEndPoint)client.LocalEndPoint!), default, "left"u8);   // off a session's socket
        rig.Settle();
        Assert.Equal(1, lost.SessionsOpen);

        rig.Advance(150);
        Assert.Equal(["udp socket-lost EBADF", "udp socket-rebound"], rig.Events.ListenerEvents);
        rig.Exchange([client], "a"u8);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_session_on_a_port_of_its_own_goes_on_there(bool isRebound)
    {
        using var rig = new Rig("127.0.0.1:0", loops: 1, SessionSocket.OwnPort);
        var client = rig.NewClient();
        var port = rig.Ask(client, "a"u8, rig.EndPoint);
        Assert.NotEqual(rig.EndPoint.Port, port.Port);

        rig.LoseOne();
        rig.Advance(isRebound ? 150 : 0);
        Assert.Equal(port, rig.Ask(client, "b"u8, port));
    }

    /// <summary>A listener on several loops that the test drives, on the kernel's sockets and a clock of the test's.
    /// </summary>
    private sealed class Rig : IDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

        private readonly ScriptedCalls _calls = new();
        private readonly VirtualTimeProvider _time = new();
        private readonly IoLoopGroup _loops;
        private readonly ActorSystem _system;
        private readonly List<Socket> _clients = [];

        public Rig(string bind, int loops, SessionSocket socket = SessionSocket.Connected)
        {
            var network = new LinuxNetwork(_calls);
            Events = new KitEvents(_time, new SimulatedNetwork(_time, new SeededRandom(1)));
            _loops = new IoLoopGroup(loops, network, _time, new IoLoopOptions());
            _system = ActorSystemSettings.Create("loss", TimeProvider.System);
            _loops.RegisterWith(_system, "loss");
            var request = new BindRequest(
                "udp", SessionTransport.Udp, SocketAddr.From(IPEndPoint.Parse(bind)), 1 << 20, 1 << 20, Backlog: 0,
                DualStack: false, JoinedBySessions: socket == SessionSocket.Connected);
            var bound = ListenerBinder.BindAll(network, loops, [request], out var faults);
            Assert.Empty(faults);
            EndPoint = bound[0].Address.ToIPEndPoint();
            var around = new ListenerEnvironment(
                [.. _loops.Loops.Select(loop => new LoopResources(
                    loop,
                    new SessionIdSource(1, loop.Index),
                    new SpareSessions(loop, limit: 8, prepared: 0),
                    _loops.DispatcherId(loop.Index)))],
                new PeerGuard(answerPrivilegedPorts: false, []),
                new SeededRandom(2),
                Events,
                Events,
                "akka.actor.default-dispatcher");
            var limits = new ListenerLimits { Socket = socket };
            var configuration = new ShardConfiguration(
                "udp", new HandlerRoute("echo", static () => new ScriptHandler()), limits.ToSettings(),
                new SessionCount(limits.MaxSessions));
            var children = ListenerFactory.Create(bound, configuration, around, out var shards);
            Shards = shards;
            _system.ActorOf(BranchActor.PropsOf(children), "udp");
            Settle();
        }

        public KitEvents Events { get; }

        public IPEndPoint EndPoint { get; }

        public IReadOnlyList<Shard> Shards { get; }

        public int OpenSockets => _calls.OpenSockets.Count;

        public Socket NewClient()
        {
            var client = new Socket(EndPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
            client.Bind(new IPEndPoint(EndPoint.Address, 0));
            _clients.Add(client);
            return client;
        }

        public List<Socket> NewClients(int count) => [.. Enumerable.Range(0, count).Select(_ => NewClient())];

        /// <summary>Each client is answered what it says, once.</summary>
        public void Exchange(List<Socket> clients, ReadOnlySpan<byte> payload)
        {
            foreach (var client in clients)
            {
                client.SendTo(payload, EndPoint);
            }

            Until(() => clients.TrueForAll(static client => client.Available > 0));
            Settle();
            var buffer = new byte[16];
            foreach (var client in clients)
            {
                Assert.Equal(payload.Length, client.Receive(buffer));
                Assert.Equal(payload, buffer.AsSpan(0, payload.Length));
                Assert.Equal(0, client.Available);
            }
        }

        /// <summary>The client is answered what it says there.</summary>
        /// <returns>From where.</returns>
        public IPEndPoint Ask(Socket client, ReadOnlySpan<byte> payload, IPEndPoint to)
        {
            client.SendTo(payload, to);
            Until(() => client.Available > 0);
            var buffer = new byte[16];
            System.Net.EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            Assert.Equal(payload.Length, client.ReceiveFrom(buffer, ref from));
            Assert.Equal(payload, buffer.AsSpan(0, payload.Length));
            return (IPEndPoint)from;
        }

        /// <summary>The socket of the loop that a newcomer comes to breaks.</summary>
        public UdpShard LoseOne()
        {
            _calls.Fail(LinuxCall.ReceiveMany, Errno.EBADF);
            NewClient().SendTo("x"u8, EndPoint);
            Until(() => _calls.Left == 0);
            Settle();
            return Assert.IsType<UdpShard>(Shards.Single(static shard => shard.IsSocketClosed));
        }

        public void Advance(int milliseconds)
        {
            _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            Settle();
        }

        /// <summary>Runs passes until the condition holds; fails the test after a time no healthy run needs.</summary>
        public void Until(Func<bool> condition)
        {
            var started = TimeProvider.System.GetTimestamp();
            while (!condition())
            {
                Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, "waited in vain");
                RunPass();
            }
        }

        public void Settle()
        {
            for (var idle = 0; idle < 3; idle++)
            {
                while (RunPass())
                {
                    idle = 0;
                }
            }
        }

        public void Dispose()
        {
            var ended = _system.Terminate();
            Until(() => ended.IsCompleted);
            _loops.Dispose();
            _clients.ForEach(static client => client.Dispose());
            Assert.Empty(_calls.OpenSockets);
        }

        private bool RunPass()
        {
            var happened = false;
            foreach (var loop in _loops.Loops)
            {
                happened |= loop.RunOnce(block: false);
            }

            return happened;
        }
    }
}
