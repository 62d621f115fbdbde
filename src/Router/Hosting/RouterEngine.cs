using System.Net;
using System.Net.NetworkInformation;
using Microsoft.Extensions.Logging;
using Router.Admission;
using Router.Diagnostics;
using Router.Listeners;
using Router.Net;
using Router.Routes;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Hosting;

/// <summary>The seams a router runs on: the system's, or a test's.</summary>
internal sealed record RouterSeams(INetwork Network, string NetworkReason, TimeProvider Time, RandomSource Random);

/// <summary>A router at work: loops, actor system, listeners. Started once, stopped once.</summary>
internal sealed class RouterEngine : IAsyncDisposable
{
    private static readonly TimeSpan DrainPollInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan BuryMargin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan TerminateTimeout = TimeSpan.FromSeconds(10);

    private readonly RouterPlan _plan;
    private readonly RouterSeams _seams;
    private readonly ILogger _log;
    private readonly IoLoopGroup _loops;
    private readonly RouterStats _stats;
    private readonly SessionSummary _summary;
    private readonly StatsWriter _statsWriter;
    private readonly CollectService _collects;
    private readonly ActorSystem _system;
    private readonly IActorRef _router;
    private readonly RouterMeter _meter;
    private readonly long _started;
    private bool _stopped;

    private RouterEngine(
        RouterPlan plan, RouterSeams seams, ILogger log, IoLoopGroup loops, IReadOnlyList<BoundListener> bound)
    {
        _plan = plan;
        _seams = seams;
        _log = log;
        _loops = loops;
        _started = seams.Time.GetTimestamp();
        _summary = new SessionSummary(log, seams.Time, plan.SessionRecords);
        plan.Guard.Own = OwnEndpointsOf(
            bound.Where(static listener => listener.Request.Transport == SessionTransport.Udp));
        var surroundings = MakeSurroundings();
        var shards = new List<Shard>();
        var listeners = new List<BranchChild>();
        foreach (var listener in plan.Listeners)
        {
            var own = bound.Where(socket => socket.Request.Listener == listener.Name).ToList();
            var starts = ListenerFactory.Create(own, listener.Route, listener.Settings, surroundings, out var made);
            shards.AddRange(made);
            listeners.Add(new BranchChild(listener.Name, BranchActor.PropsOf(starts)));
        }

        _stats = new RouterStats(shards);
        _statsWriter = new StatsWriter(log, seams.Time, seams.Network, _summary);
        _collects = new CollectService(loops.Loops, seams.Time, log);
        _collects.Start(plan.Routes.Values);
        _system = EngineSystem.Create("router", loops);
        ActorLogActor.Start(_system, log);
        loops.Start();
        _router = _system.ActorOf(BranchActor.PropsOf(
        [
            new BranchChild("upstreams", BranchActor.PropsOf(UpstreamBranch(bound))),
            new BranchChild("listeners", BranchActor.PropsOf(listeners)),
            new BranchChild("stats", StatsProps()),
        ]), "router");
        _meter = new RouterMeter(_stats, seams.Network, () => _router.Tell(RefreshFigures.Instance));
        LogListening(bound);
    }

    /// <summary>Where it listens, ports decided; in the plan's order.</summary>
    public IReadOnlyList<BoundListener> Bound { get; private init; } = [];

    public RouterStats Stats => _stats;

    internal ActorSystem System => _system;

    internal IReadOnlyList<IoLoop> Loops => _loops.Loops;

    /// <summary>Binds everything, then starts everything; or starts nothing.</summary>
    /// <param name="plan">What to run.</param>
    /// <param name="seams">What to run it on.</param>
    /// <param name="log">Where it is written down.</param>
    /// <param name="faults">Every bind that failed; empty exactly if an engine is returned.</param>
    public static RouterEngine? Start(
        RouterPlan plan, RouterSeams seams, ILogger log, out IReadOnlyList<BindFault> faults)
    {
        var requests = plan.Listeners.SelectMany(static listener => listener.Binds);
        var bound = ListenerBinder.BindAll(seams.Network, plan.Loops, requests, out faults);
        if (faults.Count > 0)
        {
            return null;
        }

        var loops = new IoLoopGroup(plan.Loops, seams.Network, seams.Time, plan.LoopOptions);
        return new RouterEngine(plan, seams, log, loops, bound) { Bound = bound };
    }

    /// <summary>Stops accepting, lets sessions finish within the drain timeout, closes the rest.</summary>
    /// <param name="cause">A word for the log: the signal, the host.</param>
    /// <param name="hurry">Cancelled: the waiting ends at once.</param>
    /// <returns>Sessions that had to be closed.</returns>
    public async Task<int> StopAsync(string cause, CancellationToken hurry)
    {
        if (_stopped)
        {
            return 0;
        }

        _stopped = true;
        var open = _stats.Sessions;
        var began = _seams.Time.GetTimestamp();
        HostLog.Draining(_log, open, (long)_plan.DrainTimeout.TotalMilliseconds, cause);
        await DrainAsync(hurry).ConfigureAwait(false);
        var left = _stats.Sessions;
        try
        {
            await _system.Terminate()
                .WaitAsync(TerminateTimeout, _seams.Time, CancellationToken.None)
                .ConfigureAwait(false);
        }
        catch (TimeoutException late)
        {
            HostLog.Fault(_log, late, "actor system: a handler does not return");
        }

        await BuryChildrenAsync().ConfigureAwait(false);
        await _collects.StopAsync(_plan.DrainTimeout - _seams.Time.GetElapsedTime(began)).ConfigureAwait(false);
        _meter.Dispose();
        _loops.Dispose();
        _statsWriter.Write(_stats.Read());
        _statsWriter.Dispose();
        HostLog.Stopped(_log, open - left, left, (long)_seams.Time.GetElapsedTime(_started).TotalMilliseconds);
        return left;
    }

    public async ValueTask DisposeAsync() =>
        await StopAsync("dispose", new CancellationToken(canceled: true)).ConfigureAwait(false);

    private static OwnEndpoints OwnEndpointsOf(IEnumerable<BoundListener> bound) =>
        new(bound.Select(static listener => listener.Address.ToIPEndPoint()), MachineAddresses());

    /// <summary>
    /// One actor per group. A name that leads to one of our own listeners, of either transport, is left off.
    /// </summary>
    private List<BranchChild> UpstreamBranch(IReadOnlyList<BoundListener> bound)
    {
        var own = OwnEndpointsOf(bound);
        var events = new UpstreamEvents(_log);
        var resolver = new SystemNameResolver();
        return
        [
            .. _plan.Groups.Select(group => new BranchChild(group.Name, UpstreamGroupActor.PropsFor(
                new UpstreamNames(group, address => own.Contains(address.Address, address.Port), events), resolver))),
        ];
    }

    /// <summary>The addresses of this machine's interfaces; none where the system does not tell.</summary>
    private static IReadOnlyList<IPAddress> MachineAddresses()
    {
        try
        {
            return
            [
                .. NetworkInterface.GetAllNetworkInterfaces()
                    .SelectMany(static card => card.GetIPProperties().UnicastAddresses)
                    .Select(static address => address.Address),
            ];
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }

    private ListenerSurroundings MakeSurroundings()
    {
        var process = SessionIdSource.DrawProcess(_seams.Random);
        var places = _loops.Loops.Select(loop => new LoopPlace(
            loop, new SessionIdSource(process, loop.Index), IoLoopGroup.DispatcherId(loop.Index)));
        foreach (var loop in _loops.Loops)
        {
            loop.OnFault = fault => HostLog.Fault(_log, fault, $"loop {loop.Index}");
        }

        return new ListenerSurroundings(
            [.. places],
            _plan.Guard,
            _seams.Random,
            new SessionEvents(_log, _seams.Time, _summary),
            new ListenerEvents(_log),
            EngineSystem.PoolDispatcher);
    }

    private Props StatsProps()
    {
        var (stats, writer, interval) = (_stats, _statsWriter, _plan.StatsInterval);
        return Props.Create(() => new StatsActor(stats, writer, interval));
    }

    /// <summary>
    /// Waits for child processes, which have been told to end: the loops have to run until their groups are gone.
    /// </summary>
    private async Task BuryChildrenAsync()
    {
        var graces = _plan.Listeners.Select(static listener => listener.Route).OfType<ExecRoute>()
            .Select(static route => route.Settings.Grace);
        var limit = graces.DefaultIfEmpty().Max() + BuryMargin;
        var started = _seams.Time.GetTimestamp();
        using var poll = new PeriodicTimer(DrainPollInterval, _seams.Time);
        while (_seams.Network.Processes.Running is > 0 and var running)
        {
            if (_seams.Time.GetElapsedTime(started) > limit)
            {
                HostLog.Fault(_log, null, $"child processes: {running} do not end although they were killed");
                return;
            }

            await poll.WaitForNextTickAsync().ConfigureAwait(false);
        }
    }

    private async Task DrainAsync(CancellationToken hurry)
    {
        var started = _seams.Time.GetTimestamp();
        using var poll = new PeriodicTimer(DrainPollInterval, _seams.Time);
        try
        {
            do
            {
                _router.Tell(DrainListener.Instance);
            }
            while (await poll.WaitForNextTickAsync(hurry).ConfigureAwait(false)
                && _stats.Sessions > 0
                && _seams.Time.GetElapsedTime(started) < _plan.DrainTimeout);
        }
        catch (OperationCanceledException)
        {
            // told to hurry: what is left is closed
        }
    }

    private void LogListening(IReadOnlyList<BoundListener> bound)
    {
        HostLog.Started(
            _log, RouterVersion.Text, _plan.Listeners.Count, _plan.Loops, _seams.Network.Name, _seams.NetworkReason,
            _plan.Source, Environment.ProcessId);
        foreach (var listener in bound)
        {
            var (request, socket) = (listener.Request, listener.Sockets[0]);
            var route = _plan.Listeners.First(plan => plan.Name == request.Listener).Route.Name;
            var isUdp = request.Transport == SessionTransport.Udp;
            var backlog = socket is StreamListener stream ? stream.GrantedBacklog : 0;
            var buffers = socket is DatagramSocket datagram ? datagram.BufferSizes : default;
            ListenerLog.Listening(
                _log, request.Listener, $"{request.Scheme}://{listener.Address}", route,
                _seams.Network.Name, _plan.Loops,
                isUdp ? 0 : request.Backlog, backlog,
                isUdp ? request.ReceiveBuffer : 0, buffers.Receive,
                isUdp ? request.SendBuffer : 0, buffers.Send);
        }
    }
}
