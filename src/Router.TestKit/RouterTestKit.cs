using System.Net;
using Router.Admission;
using Router.Listeners;
using Router.Loop;
using Router.Net;
using Router.Routes;
using Router.Sessions;
using Router.TestKit.Simulation;

namespace Router.TestKit;

/// <summary>
/// A fact that a <see cref="RouterTestKit"/> was asked to confirm does not hold. The message ends with the seed that
/// replays it.
/// </summary>
public sealed class RouterTestKitException : Exception
{
    /// <summary>Says what was expected and what has come.</summary>
    public RouterTestKitException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// A router in a test: the real listeners, sessions, actors and loops on one thread, with a virtual clock and sockets
/// in memory.
/// </summary>
/// <remarks>
/// Nothing happens until <see cref="RunUntilIdle"/> or <see cref="Advance"/>; both return when nothing is left to do.
/// The same seed and the same calls give the same run. Any test framework will do; for xunit and Akka's TestKit there
/// is <see cref="RouterActorTestKit"/>. One thread, the one that made it.
/// </remarks>
public sealed partial class RouterTestKit : IDisposable
{
    private const int PassesMax = 1_000_000;
    private static readonly TimeSpan TerminationPoll = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan TerminationTimeout = TimeSpan.FromSeconds(30);
    private const int FirstPort = 9_000;

    private readonly IoLoopGroup _loops;
    private readonly KitPool _pool = new();
    private readonly Func<bool> _pass;
    private readonly KitEvents _events;
    private readonly ListenerEnvironment _listenerEnvironment;
    private readonly SeededRandom? _shuffle;
    private readonly List<Exception> _faults = [];
    private readonly List<KitListener> _listeners = [];
    private KitCluster? _cluster;
    private int _nextPort = FirstPort;
    private bool _stopped;

    /// <param name="seed">
    /// Replays a run: feeds session ids, hash seeds, network faults and <see cref="Random"/>.
    /// </param>
    /// <param name="loops">I/O loops; they take turns on the test's thread.</param>
    /// <param name="shuffle">Whether sockets ready at once, and actors beside the loops, run in seeded instead of
    /// natural order.</param>
    /// <param name="prepared">Sessions made ahead on each loop; <c>heap.prepared-sessions</c> is over all
    /// loops.</param>
    /// <param name="spares">Ended sessions' actors that each loop keeps; <c>heap.spare-sessions</c> is over all
    /// loops.</param>
    public RouterTestKit(long seed = 1, int loops = 1, bool shuffle = false, int prepared = 0, int spares = 8)
    {
        Seed = seed;
        _pass = Pass;
        var root = new SeededRandom((ulong)seed);
        Time = new VirtualTimeProvider();
        Network = new SimulatedNetwork(Time, root.Fork());
        Network.Faults.ShuffleReadiness = shuffle;
        Random = root.Fork();
        _shuffle = shuffle ? root.Fork() : null;
        _events = new KitEvents(Time, Network);
        _loops = new IoLoopGroup(loops, Network, Time, new IoLoopOptions());
        foreach (var loop in _loops.Loops)
        {
            loop.OnFault = _faults.Add;
        }

        Sys = KitEngine.Create(_pool, Time, logged => OnLog?.Invoke(logged));
        _loops.RegisterWith(Sys, "kit");
        var process = SessionIdSource.DrawProcess(root);
        _listenerEnvironment = new ListenerEnvironment(
            [.. _loops.Loops.Select(loop => new LoopResources(
                loop,
                new SessionIdSource(process, loop.Index),
                new SpareSessions(loop, spares, prepared),
                _loops.DispatcherId(loop.Index)))],
            Guard,
            root.Fork(),
            _events,
            _events,
            "akka.actor.default-dispatcher");
    }

    /// <summary>The number that replays this run.</summary>
    public long Seed { get; }

    /// <summary>The actor system that everything runs in.</summary>
    public ActorSystem Sys { get; }

    /// <summary>The network, for its faults, its trace and its other settings.</summary>
    internal SimulatedNetwork Network { get; }

    /// <summary>What goes wrong in it: loss, delays, errors of socket calls. Nothing at first.</summary>
    public NetworkFaults Faults => Network.Faults;

    /// <summary>The virtual clock; <see cref="Advance"/> moves it.</summary>
    public VirtualTimeProvider Time { get; }

    /// <summary>What is logged in the actor system, of level info and above, unless an EventFilter took it.</summary>
    public Action<LogEvent>? OnLog { get; set; }

    /// <summary>The test's own randomness: what it draws does not change what the network does.</summary>
    internal SeededRandom Random { get; }

    /// <summary>The cluster that the router is a member of, for listeners with an identity; made when it is first asked
    /// for.</summary>
    public KitCluster Cluster => _cluster ??= new KitCluster(this);

    /// <summary>Which peers routes that answer by themselves refuse; as configured by default.</summary>
    internal PeerGuard Guard { get; } = new(answerPrivilegedPorts: false, []);

    /// <summary>What listeners that are bound later may only send through; null for none.</summary>
    internal Fence? Fence { get; set; }

    /// <summary>Where sessions of listeners that are bound later are attached; null for where their member has them
    /// attached.</summary>
    internal IActorRef? Hub { get; set; }

    /// <summary>What relays datagrams to and from listeners that are bound later; null for nothing.</summary>
    internal Func<IoLoop, IStrayRelay>? RelayOf { get; set; }

    /// <summary>Limits of listeners that are bound without any of their own.</summary>
    public ListenerLimits Limits { get; set; } = new();

    /// <summary>Everything that happened on the network and to sessions, folded: equal for equal runs.</summary>
    public ulong TraceHash => Network.TraceHash;

    internal IReadOnlyList<IoLoop> Loops => _loops.Loops;

    internal ListenerEnvironment ListenerEnvironment => _listenerEnvironment;

    /// <summary>A datagram listener whose sessions are run by handlers made here, one per session.</summary>
    /// <param name="create">Makes a handler.</param>
    /// <param name="endPoint">Where it is bound; without one, 198.51.100.1 and a port of its own.</param>
    /// <param name="limits">Its limits; without any, <see cref="Limits"/>.</param>
    /// <exception cref="RouterTestKitException">The bind failed.</exception>
    public KitListener BindUdp(Func<SessionHandler> create, string? endPoint = null, ListenerLimits? limits = null) =>
        BindUdp(new HandlerRoute("handler", create), endPoint, limits);

    /// <summary>A datagram listener with a route.</summary>
    internal KitListener BindUdp(Route route, string? endPoint = null, ListenerLimits? limits = null) =>
        Bind(SessionTransport.Udp, route, endPoint, limits ?? Limits);

    /// <summary>A stream listener whose sessions are run by handlers made here, one per session.</summary>
    public KitListener BindTcp(Func<SessionHandler> create, string? endPoint = null, ListenerLimits? limits = null) =>
        BindTcp(new HandlerRoute("handler", create), endPoint, limits);

    /// <summary>A stream listener with a route.</summary>
    internal KitListener BindTcp(Route route, string? endPoint = null, ListenerLimits? limits = null) =>
        Bind(SessionTransport.Tcp, route, endPoint, limits ?? Limits);

    /// <summary>
    /// A peer with a datagram socket; without a listener it is a server, or sends by <see cref="UdpPeer.SendTo"/>.
    /// </summary>
    public UdpPeer UdpPeer(string endPoint, KitListener? to = null) => UdpPeer(endPoint, to?.EndPoint);

    /// <summary>
    /// A peer that sends to an address of the test's choice: on a wildcard listener, any with its port.
    /// </summary>
    public UdpPeer UdpPeer(string endPoint, IPEndPoint? to) => new(Network, IPEndPoint.Parse(endPoint), to);

    /// <summary>A peer that connects to a listener, at once; look at <see cref="TcpPeer.IsRefused"/>.</summary>
    public TcpPeer TcpPeer(string endPoint, KitListener to) => TcpPeer(endPoint, to.EndPoint);

    /// <summary>A peer that connects to an address of the test's choice.</summary>
    public TcpPeer TcpPeer(string endPoint, IPEndPoint to)
    {
        var own = IPEndPoint.Parse(endPoint);
        var target = SimulatedNetwork.Canonical(SocketAddr.From(to));
        return new TcpPeer(Network, own, Network.Connect(SocketAddr.From(own), target));
    }

    /// <summary>A server that routes connect to: an upstream.</summary>
    public TcpServer TcpServer(string endPoint) => new(Network, IPEndPoint.Parse(endPoint));

    /// <summary>Runs until nothing is ready; time stands still.</summary>
    /// <exception cref="RouterTestKitException">It does not come to rest, or something failed that nothing contained: a
    /// defect.</exception>
    public void RunUntilIdle()
    {
        for (var pass = 0; pass < PassesMax; pass++)
        {
            if (!RunPass())
            {
                return;
            }
        }

        throw Failed($"the router did not come to rest in {PassesMax} passes");
    }

    /// <summary>One pass of every loop, then what is ready beside them.</summary>
    /// <returns>Whether anything happened.</returns>
    public bool RunPass()
    {
        var happened = _pool.Pass(_pass);
        ThrowFaults();
        return happened;
    }

    /// <summary>Moves the clock on, from one deadline or arrival to the next, running until idle at each.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        var target = Time.Elapsed + by;
        RunUntilIdle();
        while (NextDue() is { } next && next < target)
        {
            Move(next > Time.Elapsed ? next - Time.Elapsed : TimeSpan.Zero);
        }

        Move(target - Time.Elapsed);
    }

    /// <summary>Stops the actor system, so that everything is closed, and runs until it is.</summary>
    /// <exception cref="RouterTestKitException">It does not stop.</exception>
    public void Stop()
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;
        var done = Sys.Terminate();
        RunUntilIdle();
        for (var waits = 0; !done.Wait(TerminationPoll); waits++)
        {
            // Akka ends in continuations on the thread pool, which may have left something more to run.
            RunUntilIdle();
            if (waits * TerminationPoll > TerminationTimeout)
            {
                throw Failed("the actor system has not stopped although nothing is left to run");
            }
        }
    }

    /// <summary>Stops what still runs; throws nothing, so that a test's own failure is what is seen.</summary>
    public void Dispose()
    {
        try
        {
            Stop();
        }
        catch (Exception failure)
        {
            Network.OnTrace?.Invoke($"while stopping: {failure}");
        }

        _loops.Dispose();
    }

    private bool Pass()
    {
        var happened = false;
        foreach (var loop in _loops.Loops)
        {
            happened |= loop.RunOnce(block: false);
        }

        return (_pool.RunReady(_shuffle) > 0) | happened;
    }

    internal KitListener Bind(
        SessionTransport transport, Func<SessionHandler> create, string? endPoint, ListenerLimits? limits,
        KitMember member) =>
        Bind(transport, new HandlerRoute("handler", create), AddressOf(endPoint), limits ?? Limits, member);

    private KitListener Bind(SessionTransport transport, Route route, string? endPoint, ListenerLimits limits) =>
        Bind(transport, route, AddressOf(endPoint), limits);

    private SocketAddr AddressOf(string? endPoint) => SocketAddr.From(
        endPoint is null ? new IPEndPoint(Network.HostAddress, _nextPort++) : IPEndPoint.Parse(endPoint));

    private KitListener Bind(
        SessionTransport transport, Route route, in SocketAddr address, ListenerLimits limits) =>
        limits.Identity is null
            ? Bind(transport, route, address, limits, null)
            : Cluster.Members[0].Add(Bind(transport, route, address, limits, Cluster.Members[0]));

    private KitListener Bind(
        SessionTransport transport, Route route, in SocketAddr address, ListenerLimits limits, KitMember? member)
    {
        var name = $"{transport.Scheme()}-{_listeners.Count}";
        var request = new BindRequest(
            name, transport, address, limits.ReceiveBuffer, SendBuffer: 0, limits.Backlog,
            limits.DualStack);
        var bound = ListenerBinder.BindAll(Network, _loops.Loops.Count, [request], out var faults);
        if (faults.Count > 0)
        {
            throw Failed($"{address} cannot be bound: {faults[0].Errno}");
        }

        var settings = limits.ToSettings();
        if (settings.Identity is { } identity)
        {
            var proof = identity.Proof.DrawnFrom(_listenerEnvironment.Random);
            settings = settings with { Identity = identity with { Proof = proof } };
        }

        var fence = settings.Identity is null ? Fence : member?.Fence;
        var configuration = new ShardConfiguration(
            limits.Name ?? name, route, settings, new SessionCount(limits.MaxSessions), fence);
        var environment = _listenerEnvironment with { Hub = Hub ?? member?.Hub };
        if (RelayOf is { } relayOf)
        {
            environment = environment with { RelayOf = relayOf };
        }

        var children = ListenerFactory.Create(bound, configuration, environment, out var shards);
        var listener = new KitListener(bound[0], shards, Sys.ActorOf(BranchActor.PropsOf(children), name));
        _listeners.Add(listener);
        RunUntilIdle();
        return listener;
    }

    private void Move(TimeSpan by)
    {
        _pool.Pass(() =>
        {
            Time.Advance(by);   // fires what Akka's scheduler holds
            return true;
        });
        RunUntilIdle();
    }

    /// <summary>The earliest deadline of a loop, timer or arrival, as the clock's Elapsed will say then.</summary>
    private TimeSpan? NextDue()
    {
        TimeSpan? next = Time.NextTimer;
        next = Earlier(next, Network.NextArrival);
        foreach (var loop in _loops.Loops)
        {
            if (loop.ArmedTimers > 0)
            {
                next = Earlier(next, TimeSpan.FromMilliseconds(loop.NowMs + loop.NextTimerMs()));
            }
        }

        return next;
    }

    private static TimeSpan? Earlier(TimeSpan? one, TimeSpan? other) => other is null || one < other ? one : other;

    private void ThrowFaults()
    {
        if (_faults.Count > 0)
        {
            var fault = _faults[0];
            _faults.Clear();
            throw Failed($"the loop met a fault: {fault.Message}", fault);
        }
    }

    private RouterTestKitException Failed(string what, Exception? reason = null) =>
        new($"{what} (seed {Seed})", reason);
}
