using System.Net;
using System.Net.Sockets;
using Router.Admission;
using Router.Diagnostics;
using Router.Listeners;
using Router.Loop;
using Router.Net;
using Router.Routes;
using Router.Running;
using Router.Sessions;
using Router.TestKit.Net;
using Router.Tests.Upstreams;
using Router.Upstreams;

namespace Router.Tests.Routes;

/// <summary>
/// A proxy route over the kernel's own sockets: one loop that the test drives, so that client, router and upstream take
/// turns on one thread and nobody waits for anybody.
/// </summary>
internal sealed class LoopbackRig : ISessionEvents, IListenerEvents, IDisposable
{
    private const long PatienceMs = 20_000;

    private readonly IoLoopGroup _loops;
    private readonly ActorSystem _system;

    public LoopbackRig(
        SessionTransport transport, Func<ProxyRouteSettings, ProxyRouteSettings>? change, params IPEndPoint[] upstreams)
        : this(transport, calls: null, change, upstreams)
    {
    }

    /// <param name="transport">Of the listener.</param>
    /// <param name="calls">Instead of <see cref="Calls"/>, which count sockets and allocate.</param>
    /// <param name="change">What differs from the rig's settings.</param>
    /// <param name="upstreams">The group.</param>
    public LoopbackRig(
        SessionTransport transport,
        LinuxCalls? calls,
        Func<ProxyRouteSettings, ProxyRouteSettings>? change,
        params IPEndPoint[] upstreams)
        : this(transport, calls, change, pipes: 0, upstreams)
    {
    }

    /// <param name="transport">Of the listener.</param>
    /// <param name="calls">Instead of <see cref="Calls"/>, which count sockets and allocate.</param>
    /// <param name="change">What differs from the rig's settings.</param>
    /// <param name="pipes">What the loop has of them.</param>
    /// <param name="upstreams">The group.</param>
    public LoopbackRig(
        SessionTransport transport,
        LinuxCalls? calls,
        Func<ProxyRouteSettings, ProxyRouteSettings>? change,
        int pipes,
        params IPEndPoint[] upstreams)
        : this(transport, calls, pipes, upstreams, onPool: false, group =>
        {
            var settings = new ProxyRouteSettings(
                PickPolicy.RoundRobin, Responses: 0, TimeSpan.FromSeconds(1),
                Timeout.InfiniteTimeSpan, NextUpstreamTries: 3);
            return new ProxyRoute("proxy", group, change?.Invoke(settings) ?? settings);
        })
    {
    }

    /// <summary>Handlers whose sessions run on the pool, and fail for good with their second failure.</summary>
    public LoopbackRig(SessionTransport transport, Func<SessionHandler> onPool)
        : this(transport, calls: null, pipes: 0, [], onPool: true, _ => new HandlerRoute("handler", onPool))
    {
    }

    private LoopbackRig(
        SessionTransport transport,
        LinuxCalls? calls,
        int pipes,
        IPEndPoint[] upstreams,
        bool onPool,
        Func<UpstreamGroup, Route> routeOf)
    {
        var network = new LinuxNetwork(calls ?? Calls);
        _loops = new IoLoopGroup(1, network, TimeProvider.System, new IoLoopOptions(Pipes: pipes));
        Loop = _loops.Loops[0];
        Loop.OnFault = Faults.Add;
        _system = ActorSystemSettings.Create("loopback", TimeProvider.System);
        _loops.RegisterWith(_system, "loopback");
        Group = TestUpstreams.Group(TimeProvider.System, [.. upstreams.Select(upstream => upstream.ToString())]);
        var route = routeOf(Group);
        var request = new BindRequest(
            "listener", transport, SocketAddr.From(IPAddress.Loopback, 0), 1 << 20, 1 << 20, Backlog: 512,
            DualStack: false);
        var bound = ListenerBinder.BindAll(network, 1, [request], out var faults);
        Assert.Empty(faults);
        EndPoint = bound[0].Address.ToIPEndPoint();
        var random = new TestKit.Simulation.SeededRandom(1);
        var around = new ListenerEnvironment(
            [new LoopResources(
                Loop,
                new SessionIdSource(1, 0),
                new SpareSessions(Loop, limit: 8, prepared: 0),
                _loops.DispatcherId(0))],
            new PeerGuard(answerPrivilegedPorts: false, []),
            random,
            this,
            this,
            "akka.actor.default-dispatcher");
        var sessions = new SessionSettings(
            IdleTimeoutMs: 30_000,
            MaxLifetimeMs: 0,
            MaxSessions: 10_000,
            MailboxMessages: 1_024,
            MailboxBytes: 1 << 20,
            WriteBuffer: 64 * 1024,
            MaxRestarts: onPool ? 1 : 5,
            RestartWindow: TimeSpan.FromMinutes(1),
            OnPool: onPool);
        var configuration = new ShardConfiguration("listener", route, sessions, new SessionCount(10_000));
        var children = ListenerFactory.Create(bound, configuration, around, out var shards);
        Shard = shards[0];
        _system.ActorOf(BranchActor.PropsOf(children), "listener");
        Settle();
        SocketsAtStart = Calls.OpenSockets.Count;
    }

    public ScriptedCalls Calls { get; } = new();

    public IoLoop Loop { get; }

    public Shard Shard { get; }

    public UpstreamGroup Group { get; }

    public IPEndPoint EndPoint { get; }

    public int SocketsAtStart { get; }

    public List<Exception> Faults { get; } = [];

    public List<CloseReason> Closed { get; } = [];

    public DateTimeOffset Now => DateTimeOffset.UnixEpoch;

    public static Socket NewUdp() => NewUdpAt(new IPEndPoint(IPAddress.Loopback, 0));

    public static Socket NewUdpAt(IPEndPoint endPoint)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        socket.Bind(endPoint);
        return socket;
    }

    public static Socket NewTcpServer()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(512);
        return socket;
    }

    /// <summary>Connected to the listener when it returns, with a small receive buffer.</summary>
    public Socket NewTcpClient()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveBufferSize = 32 * 1024,
        };
        socket.Connect(EndPoint);
        socket.Blocking = false;
        return socket;
    }

    public Socket Accept(Socket server)
    {
        Until(() => server.Poll(0, SelectMode.SelectRead));
        var accepted = server.Accept();
        accepted.Blocking = false;
        return accepted;
    }

    /// <summary>An endpoint that nobody has bound.</summary>
    public static IPEndPoint Dead(SocketType type)
    {
        using var socket = new Socket(
            AddressFamily.InterNetwork, type, type == SocketType.Dgram ? ProtocolType.Udp : ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    /// <summary>Runs passes until the condition holds; fails the test after a time no healthy run needs.</summary>
    public void Until(Func<bool> condition)
    {
        var limit = Loop.NowMs + PatienceMs;
        while (!condition())
        {
            Assert.True(Loop.NowMs < limit, "waited in vain");
            Loop.RunOnce(block: false);
        }
    }

    /// <summary>Passes in which all that has arrived is handled.</summary>
    public void Settle()
    {
        for (var idle = 0; idle < 3; idle++)
        {
            while (Loop.RunOnce(block: false))
            {
                idle = 0;
            }
        }
    }

    public void Opened(SessionContext session)
    {
    }

    public void Restarted(SessionContext session, Exception reason, long suppressed) => Faults.Add(reason);

    public void Failed(SessionContext session, Exception reason, long suppressed) => Faults.Add(reason);

    public void EndFailed(SessionContext session, Exception reason, long suppressed) => Faults.Add(reason);

    void ISessionEvents.Closed(SessionContext session, CloseReason reason) => Closed.Add(reason);

    public void AcceptSuspended(string listener, SocketAddr address, Errno errno, long backoffMs)
    {
    }

    public void AcceptResumed(string listener, SocketAddr address, long suspendedMs)
    {
    }

    public void AcceptOverflow(string listener, SocketAddr address, int queue, int backlog, long count)
    {
    }

    public void SessionSocketRefused(
        string listener, SocketAddr address, SocketAddr peer, Errno errno, long count)
    {
    }

    public void SendRefused(string listener, SocketAddr address, Errno errno, long count)
    {
    }

    public void SocketLost(string listener, SocketAddr address, Errno errno, long backoffMs)
    {
    }

    public void SocketRebound(string listener, SocketAddr address)
    {
    }

    void IListenerEvents.Restarted(string listener, SocketAddr address, Exception reason) => Faults.Add(reason);

    public void Dispose()
    {
        var ended = _system.Terminate();
        Until(() => ended.IsCompleted);
        _loops.Dispose();
        Assert.Empty(Calls.OpenSockets);
        Assert.Empty(Faults);
        Assert.Equal(0, Loop.Pipes.Taken);
        Assert.All(Group.Current.Upstreams.ToArray(), upstream => Assert.Equal(0, upstream.Sessions));
    }
}

/// <summary>Binds sockets to the very port they are to be connected to, as the kernel may pick it.</summary>
internal sealed unsafe class SelfConnectingCalls(int times) : LinuxCalls
{
    private int _left = times;

    public override int Connect(int fd, SocketAddr* address)
    {
        if (_left-- > 0)
        {
            Assert.Equal(0, Bind(fd, address));
        }

        return base.Connect(fd, address);
    }
}
