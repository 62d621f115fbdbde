using System.Collections.Frozen;
using System.Runtime;
using Microsoft.Extensions.Logging;
using Router.Cluster.Members;
using Router.Cluster.Relay;
using Router.Cluster.Rooms;
using Router.Diagnostics;
using Router.Heap;
using Router.Listeners;
using Router.Loop;
using Router.Net;
using Router.Processes;
using Router.Reporting;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Running;

/// <summary>What a router uses of the world: the system's, or a test's.</summary>
internal sealed record RouterSeams(INetwork Network, string NetworkReason, TimeProvider Time, RandomSource Random);

/// <summary>How a router has ended.</summary>
internal enum RouterEnd
{
    /// <summary>It was told to stop.</summary>
    Stopped,

    /// <summary>Something else stopped its actor, which ends it without a drain.</summary>
    ActorStopped,

    /// <summary>It is no member of its cluster any more, and did not leave in order.</summary>
    Downed,
}

/// <summary>A router at work: loops, actors, listeners. Started once, stopped once.</summary>
/// <remarks>However the stop is asked for, it is the one task of the actor system's
/// <see cref="CoordinatedShutdown"/>.</remarks>
internal sealed class RouterEngine : IAsyncDisposable
{
    private static readonly TimeSpan DrainPollInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan KillMargin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan DisposeTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TerminateTimeout = TimeSpan.FromSeconds(10);

    private readonly RouterSeams _seams;
    private readonly ILogger _log;
    private readonly IoLoopGroup _loops;
    private readonly RunningRouter _running;
    private readonly Reloader _reloader;
    private readonly EventGate<int> _faults;
    private readonly SessionSummary _summary;
    private readonly AccessLog _access;
    private readonly StatsWriter _statsWriter;
    private readonly AllSpareSessions _spares;
    private readonly CollectWriters _collects;
    private readonly RoomSpan? _rooms;
    private readonly RelaySpan? _relay;
    private readonly ActorSystemHandle _system;
    private readonly Lock _stopLock = new();
    private readonly CancellationTokenSource _drainEnd = new();
    private readonly Fence? _fence;
    private readonly IActorRef _router;
    private readonly RouterMeter _meter = new();
    private readonly OtlpMetrics? _export;
    private readonly SessionSpans _spans;
    private readonly ClusterMember? _member;
    private readonly LoopWatch? _loopWatch;
    private LoopMeter? _loopMeter;
    private readonly long _started;
    private Task<int>? _stopping;

    private RouterEngine(
        RouterSetup setup,
        RouterSeams seams,
        ILogger log,
        ActorSystemHandle system,
        IoLoopGroup loops,
        IReadOnlyList<BoundListener> bound)
    {
        (_seams, _log, _system, _loops, _started) = (seams, log, system, loops, seams.Time.GetTimestamp());
        var options = setup.Options;
        _spares = new AllSpareSessions(
            loops.Loops, options.Heap.SpareSessions, options.Heap.PreparedSessions, setup.OnPrepared, seams.Time, log);
        HostLog.Started(
            log, RouterVersion.Text, setup.Plan.Listeners.Count, options.LoopCount, seams.Network.Name,
            seams.NetworkReason, Kebab.From(GCSettings.LatencyMode.ToString()), setup.Source, Environment.ProcessId);
        _faults = new EventGate<int>(seams.Time);
        _access = new AccessLog(log, options.Log.Access);
        _summary = new SessionSummary(log, seams.Time, options.Log.SessionRecords);
        loops.RegisterWith(system.System, system.RouterName);
        _spans = new SessionSpans(options.Spans, seams.Time, log);
        Traces = new SessionTraces(seams.Time, trace => SessionLog.TraceEnded(
            log, trace.Number, ClosedSet<TraceEnd>.NameOf(trace.End), trace.Lines, (long)trace.Age.TotalMilliseconds));
        _collects = new CollectWriters(loops.Loops, seams.Time, log);
        if (options.Cluster is { } cluster)
        {
            _fence = new Fence(BootClock.For(seams.Time));
            _member = new ClusterMember(System, cluster, seams.Time, _fence, seams.Random, log);
            _member.SetConfiguration(options);
            _rooms = new RoomSpan(
                System, system.RouterName, loops.Loops, cluster.RoomWindow, seams.Time, log);
            _relay = new RelaySpan(
                System, system.RouterName, loops.Loops, RelayOptionsOf(cluster), seams.Random, seams.Time, log);
        }

        _running = new RunningRouter(
            setup, seams, MakeEnvironment(setup), log, new SystemNameResolver(), _collects, _rooms, _relay,
            _meter.ConnectTimes);
        _reloader = new Reloader(_running) { OnReloaded = OnReload };
        _reloader.OnReloaded += reloaded => _member?.SetConfiguration(reloaded);
        _statsWriter = new StatsWriter(
            log, seams.Time, seams.Network, _summary, () => Spare, WriteMemberStats(), setup.LogSinks);
        if (system.IsOwned)
        {
            ActorLogActor.Start(System, log, seams.Time);
        }

        DeadLetterCounting.Of(System).Join(log, seams.Time);
        _router = System.ActorOf(RouterActor.PropsOf(_running, _reloader, _statsWriter), system.RouterName);
        _export = options.Metrics.Otlp is { } collector
            ? OtlpMetrics.Start(collector, options.Metrics.Interval, _meter, seams.Time, log)
            : null;
        AddInstruments(setup);   // before anything is said to listen: their assemblies are files that the process opens
        var start = _running.Commit(
            setup, FrozenSet<string>.Empty, FrozenDictionary<RunningBind, ListenerPlan>.Empty, bound, _router);
        loops.Start();
        CountTurns();   // where metrics are exported
        _loopWatch = StartWatch(options.StallTimeout);
        _member?.Join(seams.Time, new SystemNameResolver());
        _router.Tell(start, ActorRefs.NoSender);
        CoordinatedShutdown.Get(System).AddTask(
            ActorSystemSettings.DrainPhase, $"{system.RouterName}-drain", async () =>
            {
                await StopOnceAsync().ConfigureAwait(false);
                return Akka.Done.Instance;
            });
        Ended = EndAsync();
    }

    /// <summary>Completes when the router has ended.</summary>
    public Task<RouterEnd> Ended { get; }

    /// <summary>Where it listens, ports decided; at first in the order of the configuration.</summary>
    public IReadOnlyList<BoundListener> Bound => _running.Listeners.Bound;

    public ListenerStats Stats => _running.Listeners.Stats;

    /// <summary>Called on the pool after every reload that came into force.</summary>
    public Action<Configuration.RouterOptions>? OnReloaded
    {
        set => _reloader.OnReloaded += value;
    }

    /// <summary>Called once, when a stop begins, with the sessions that are open and the time that they have at most.
    /// </summary>
    public Action<int, TimeSpan>? OnDraining { get; set; }

    /// <summary>Null without a cluster.</summary>
    internal ClusterMember? Member => _member;

    /// <summary>Until when this member may send for sessions with an identity; null without a cluster.</summary>
    internal Fence? Fence => _fence;

    /// <summary>Completes when the listeners have been told to start.</summary>
    internal Task Begun => _running.Begun.Task;

    /// <summary>A stop has begun, whoever asked for it. Any thread.</summary>
    internal bool IsStopping =>
        Volatile.Read(ref _stopping) is not null || CoordinatedShutdown.Get(System).ShutdownReason is not null;

    internal TimeSpan Uptime => _seams.Time.GetElapsedTime(_started);

    /// <inheritdoc cref="RunningRouter.Revision"/>
    internal long Revision => _running.Revision;

    /// <inheritdoc cref="RunningRoutes.Groups"/>
    internal IReadOnlyList<RouteGroup> Groups => _running.Routes.Groups;

    /// <summary>Has a listener drain, or take sessions again. Any thread.</summary>
    /// <returns>False where there is no such listener.</returns>
    internal async Task<bool> SetListenerDrainAsync(string listener, bool isDraining, CancellationToken end) =>
        (await _router.Ask<ListenerDrainSet>(new SetListenerDrain(listener, isDraining), end).ConfigureAwait(false))
        .IsFound;

    /// <summary>Has an upstream be otherwise. Any thread.</summary>
    /// <returns>False where there is no such upstream.</returns>
    internal async Task<bool> SetUpstreamAsync(SetUpstream change, CancellationToken end) =>
        (await _router.Ask<UpstreamSet>(change, end).ConfigureAwait(false)).IsFound;

    /// <summary>Has figures that the kernel keeps read soon. Any thread.</summary>
    internal void RefreshFigures() => _router.Tell(new RefreshFigures(), ActorRefs.NoSender);

    internal RouterSetup Setup => _running.Setup;

    internal ActorSystem System => _system.System;

    /// <summary>/user/NAME.</summary>
    internal IActorRef Actor => _router;

    /// <summary>Its instruments, which end with it.</summary>
    internal RouterMeter Meter => _meter;

    internal IReadOnlyList<IoLoop> Loops => _loops.Loops;

    /// <summary>Null for a router that is no member of a cluster.</summary>
    internal RoomSpan? Rooms => _rooms;

    /// <summary>Null for a router that is no member of a cluster.</summary>
    internal RelaySpan? Relay => _relay;

    /// <summary>Binds everything, then starts everything; or starts nothing.</summary>
    /// <param name="setup">What to run.</param>
    /// <param name="seams">What to run it on.</param>
    /// <param name="log">The router's.</param>
    /// <param name="system">Where its actors run.</param>
    /// <param name="faults">Every bind that failed; empty exactly if an engine is returned.</param>
    public static RouterEngine? Start(
        RouterSetup setup, RouterSeams seams, ILogger log, ActorSystemHandle system,
        out IReadOnlyList<BindFault> faults)
    {
        var count = setup.Options.LoopCount;
        var loops = new IoLoopGroup(count, seams.Network, seams.Time, setup.Options.Loop);
        var requests = setup.Plan.Listeners.SelectMany(static listener => listener.Binds);
        var bound = ListenerBinder.BindAll(seams.Network, count, requests, out faults);
        if (faults.Count > 0)
        {
            loops.Dispose();
            return null;
        }

        return new RouterEngine(setup, seams, log, system, loops, bound);
    }

    /// <summary>Reads the configuration again, once for all who ask before that begins. Any thread.</summary>
    /// <param name="cause">A word for the log.</param>
    public Task<ReloadResult> ReloadAsync(string cause)
    {
        var result = _reloader.Queue.Ask(cause, out var isNew);
        if (isNew)
        {
            _router.Tell(new ReloadQueued(), ActorRefs.NoSender);
        }

        return result;
    }

    /// <summary>Closes the files of collect routes, which their next windows open again. Any thread; may block.
    /// </summary>
    /// <returns>How many were open.</returns>
    public int ReopenFiles() => _collects.CloseFiles();

    /// <summary>Stops accepting, lets sessions finish within the drain timeout, closes the rest, and ends the actor
    /// system if the router owns it. Later callers wait for the same stop.</summary>
    /// <param name="cause">A word for the log: the signal, the host.</param>
    /// <param name="endDrain">Cancelled: sessions are given no more time.</param>
    /// <returns>Sessions that had to be closed.</returns>
    public async Task<int> StopAsync(string cause, CancellationToken endDrain)
    {
        using var registration = endDrain.Register(EndDrain);
        if (_system.IsOwned)
        {
            await CoordinatedShutdown.Get(System).Run(new StopReason(cause)).ConfigureAwait(false);
        }

        return await StopOnceAsync(cause).ConfigureAwait(false);
    }

    /// <summary>Gives sessions no more time to finish, in a stop that is under way or to come.</summary>
    internal void EndDrain() => _drainEnd.Cancel();

    private void OnReload(Configuration.RouterOptions options)
    {
        _collects.EndUnused();
        _access.Apply(options.Log.Access);
    }

    private Task<int> StopOnceAsync(string? cause = null)
    {
        lock (_stopLock)
        {
            return _stopping ??= StopAsync(cause ?? CauseOf(CoordinatedShutdown.Get(System).ShutdownReason));
        }
    }

    /// <summary>When a host stops, Akka.Hosting gives the end of the process as the reason.</summary>
    private static string CauseOf(CoordinatedShutdown.Reason? reason) => reason switch
    {
        StopReason ours => ours.Cause,
        null or CoordinatedShutdown.ClrExitReason => "host",
        _ => Kebab.From(reason.GetType().Name.Replace("Reason", "", StringComparison.Ordinal)),
    };

    private async Task<RouterEnd> EndAsync()
    {
        await _router.WatchAsync().ConfigureAwait(false);
        var isStopped = Volatile.Read(ref _stopping) is not null;
        if (!isStopped)
        {
            HostLog.ActorStopped(_log, _router.Path.ToString(), "the router ends");
            EndDrain();
        }

        await StopOnceAsync("actor-stopped").ConfigureAwait(false);
        return !isStopped ? RouterEnd.ActorStopped : IsDowned ? RouterEnd.Downed : RouterEnd.Stopped;
    }

    private bool IsDowned =>
        CoordinatedShutdown.Get(System).ShutdownReason is CoordinatedShutdown.ClusterDowningReason;

    private async Task<int> StopAsync(string cause)
    {
        if (IsDowned)
        {
            ClusterLog.Downed(_log, MemberTable.TextOf(Akka.Cluster.Cluster.Get(System).SelfAddress));
            EndDrain();   // others have the places of its sessions already
        }

        _spares.Stop();
        _relay?.OnDraining();
        var (open, closedBefore) = (Stats.Sessions, Stats.Closed);
        var drainTimeout = _running.Setup.Options.DrainTimeout;
        var began = _seams.Time.GetTimestamp();
        HostLog.Draining(_log, open, (long)drainTimeout.TotalMilliseconds, cause);
        OnDraining?.Invoke(open, drainTimeout);
        await DrainAsync(drainTimeout, _drainEnd.Token).ConfigureAwait(false);
        var (left, finished) = (Stats.Sessions, Stats.Closed - closedBefore);
        DeadLetterCounting.Of(System).Leave();   // the tree ends: its dead letters mean nothing
        try
        {
            var gone = _router.WatchAsync();
            System.Stop(_router);
            await gone.WaitAsync(TerminateTimeout, _seams.Time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException late)
        {
            HostLog.Fault(_log, late, "actor system: a handler does not return");
        }

        await WaitForChildProcessesAsync().ConfigureAwait(false);
        await _collects.StopAsync(drainTimeout - _seams.Time.GetElapsedTime(began)).ConfigureAwait(false);
        await _running.Routes.StopAsync(DisposeTimeout, _seams.Time).ConfigureAwait(false);
        await Task.Run(DisposeExports).ConfigureAwait(false);   // they may wait for the collector
        _loopMeter?.Dispose();
        _meter.Dispose();
        Traces.Dispose();
        await StopRoomsAndRelayAsync().ConfigureAwait(false);
        _loopWatch?.Dispose();
        _loops.Dispose();
        _reloader.Queue.Close();
        _running.Listeners.Release();
        _statsWriter.Write(Stats.Read());
        _statsWriter.Dispose();
        HostLog.Stopped(_log, finished, left, (long)_seams.Time.GetElapsedTime(_started).TotalMilliseconds);
        return left;
    }

    private void AddInstruments(RouterSetup setup)
    {
        var meter = _meter.Meter;
        _meter.Observe(Stats, () => Spare, _seams.Network, RefreshFigures);
        _meter.Observe(setup.LogSinks);
        new UpstreamMeter(meter, () => Groups, _seams.Time).Observe();
        _loopMeter = new LoopMeter(_meter, Loops, _seams.Time, () => _loopWatch?.Stalls ?? 0);
        ProcessMeter.Observe(meter, () => Uptime, () => DeadLetterCounting.Of(System).Total);
        ClusterMeter.Observe(meter, _fence, _rooms, _relay);
        MemberMeter.Observe(meter, ReadMember());
    }

    /// <summary>Has turns timed and counted from now on, if somebody has asked for the instruments.</summary>
    internal void CountTurns() => _loopMeter?.Begin();

    /// <summary>What metrics have as tags now of parts that come and go: listeners with their routes, and upstreams
    /// with theirs. Any thread.</summary>
    internal HashSet<(string Listener, string Upstream, string Route)> ReadSeries() =>
    [
        .. Stats.ReadByRoute().Select(static each => (each.Listener, "", each.Route)),
        .. from @group in Groups
           from upstream in @group.Group.Held
           select ("", upstream.Text, @group.Route),
    ];

    private void DisposeExports()
    {
        _export?.Dispose();
        _spans.Dispose();
    }

    private async Task StopRoomsAndRelayAsync()
    {
        try
        {
            await (_rooms?.StopAsync(DisposeTimeout) ?? Task.CompletedTask).ConfigureAwait(false);
            await (_relay?.StopAsync(DisposeTimeout) ?? Task.CompletedTask).ConfigureAwait(false);
        }
        catch (TimeoutException late)
        {
            HostLog.Fault(_log, late, "what goes on between members: it does not end");
        }
    }

    private Action? WriteMemberStats() =>
        _member is { } member ? () => member.WriteStats(_relay!.Figures, _rooms!.Figures) : null;

    private Func<MemberFigures>? ReadMember() => _member is { } member ? member.ReadFigures : null;

    private static RelayOptions RelayOptionsOf(Configuration.ClusterOptions cluster) =>
        new(cluster.RelayWindow, cluster.StraysFor, cluster.StrayTimeout, cluster.StraysAsked);

    public async ValueTask DisposeAsync() =>
        await StopAsync("dispose", new CancellationToken(canceled: true)).ConfigureAwait(false);

    private ListenerEnvironment MakeEnvironment(RouterSetup setup)
    {
        var process = SessionIdSource.DrawProcess(_seams.Random);
        var resources = _loops.Loops.Select(loop => new LoopResources(
            loop, new SessionIdSource(process, loop.Index), _spares[loop.Index], _loops.DispatcherId(loop.Index)));
        foreach (var loop in _loops.Loops)
        {
            loop.OnFault = fault =>
            {
                if (_faults.Passes(loop.Index, out var suppressed))
                {
                    var more = suppressed == 0 ? "" : $" ({suppressed} more not logged)";
                    HostLog.Fault(_log, fault, $"loop {loop.Index}{more}");
                }
            };
        }

        var isEvery = setup.Options.Cluster is { WhenIsolated: Configuration.WhenIsolated.Stop };
        return new ListenerEnvironment(
            [.. resources],
            setup.Plan.Guard,
            _seams.Random,
            new SessionEvents(_log, _seams.Time, _summary, _access, _spans),
            new ListenerEvents(_log, _seams.Time),
            ActorSystemSettings.PoolDispatcher,
            _member?.Hub)
        {
            FenceOf = settings => isEvery || settings.Identity is not null ? _fence : null,
            RelayOf = loop => _relay?.Loops[loop.Index],
            Traces = Traces,
        };
    }

    /// <summary>Not where time is virtual: there a test decides how long a turn takes.</summary>
    private LoopWatch? StartWatch(TimeSpan stallTimeout) =>
        stallTimeout == Timeout.InfiniteTimeSpan || !ThreadTimer.IsFor(_seams.Time)
            ? null
            : new LoopWatch(
                _loops.Loops, stallTimeout, LoopWatch.PeriodFor(stallTimeout), _seams.Time, ThreadFigures.Read, _log);

    /// <summary>What somebody has asked to be told of sessions. Any thread.</summary>
    internal SessionTraces Traces { get; }

    /// <summary>Spare sessions now. Any thread.</summary>
    internal int Spare => _spares.Count;

    /// <summary>Waits for child processes, which have been told to end. The loops must run until they are gone.
    /// </summary>
    private async Task WaitForChildProcessesAsync()
    {
        var limit = _running.Routes.GraceMax + KillMargin;
        var started = _seams.Time.GetTimestamp();
        using var poll = new PeriodicTimer(DrainPollInterval, _seams.Time);
        while (NetworkProcesses.Of(_seams.Network).Running is > 0 and var running)
        {
            if (_seams.Time.GetElapsedTime(started) > limit)
            {
                HostLog.Fault(_log, null, $"child processes: {running} do not end although they were killed");
                return;
            }

            await poll.WaitForNextTickAsync().ConfigureAwait(false);
        }
    }

    private async Task DrainAsync(TimeSpan timeout, CancellationToken end)
    {
        var started = _seams.Time.GetTimestamp();
        using var progress = new DrainProgress(_seams.Time, _log, () => Stats.Sessions, ReadMember());
        using var poll = new PeriodicTimer(DrainPollInterval, _seams.Time);
        try
        {
            do
            {
                _router.Tell(new DrainListener());
            }
            while (await poll.WaitForNextTickAsync(end).ConfigureAwait(false)
                && Stats.Sessions > 0
                && _seams.Time.GetElapsedTime(started) < timeout);
        }
        catch (OperationCanceledException)
        {
            // No more time: what is left is closed.
        }
    }
}
