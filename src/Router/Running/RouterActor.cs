using Router.Diagnostics;
using Router.Listeners;
using Router.Reporting;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Running;

/// <summary>A reload waits in the queue.</summary>
internal sealed class ReloadQueued
{
    public static readonly ReloadQueued Instance = new();
}

/// <summary>
/// /user/router: starts the tree, replaces parts of it when the configuration is read again, and takes away what has
/// drained. What it is told otherwise it passes on to all of the tree.
/// </summary>
/// <remarks>On the pool. A reload is decided in one turn of it: between two messages, whole. It is over when all that
/// runs goes by it; until then the next one waits.</remarks>
internal sealed class RouterActor : ReceiveActor, IWithTimers
{
    private const string Upstreams = "upstreams";
    private const string Listeners = "listeners";
    private const string Stats = "stats";
    private const string StartedAnew = "it has been started again";

    private static readonly TimeSpan DrainPollInterval = TimeSpan.FromMilliseconds(50);
    /// <summary>For what runs to take a reload over; longer only if a handler does not return.</summary>
    private static readonly TimeSpan InForceTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(10);

    private readonly RunningRouter _running;
    private readonly Reloader _reloader;
    private readonly TreeUpdate _start;
    private readonly StatsWriter _statsWriter;
    private ReloadRequest? _request;        // waits to be tried again, or is under way
    private PendingReload? _begun;
    private bool _stopping;

    public RouterActor(RunningRouter running, TreeUpdate start, StatsWriter statsWriter)
    {
        _running = running;
        _reloader = new Reloader(running);
        _start = start;
        _statsWriter = statsWriter;
        Receive<ReloadQueued>(_ => OnReload());
        Receive<ReloadRouter>(_ => OnReloadRouter());
        Receive<ShardStopped>(OnShardStopped);
        Receive<DrainTick>(_ => OnDrainTick());
        Receive<WatchTick>(_ => OnWatchTick());
        Receive<RetryReload>(_ => OnRetryReload());
        Receive<InForce>(OnInForce);
        Receive<RouteChanged>(changed => Context.Child(Listeners).Tell(changed));
        Receive<DrainListener>(OnStopping);
        Receive<StartedAgain>(again => HostLog.ActorStopped(_running.Log, again.Path.ToString(), StartedAnew));
        Receive<Terminated>(OnGone);
        ReceiveAny(PassOn);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props PropsOf(RunningRouter running, TreeUpdate start, StatsWriter statsWriter) =>
        Props.Create<RouterActor>(running, start, statsWriter);

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(static _ => Directive.Restart);

    protected override void PreStart()
    {
        var self = Self;
        _running.OnShardStopped = shard => self.Tell(new ShardStopped(shard), ActorRefs.NoSender);
        _running.OnInForce = revision => self.Tell(new InForce(revision), ActorRefs.NoSender);
        _running.OnUpstreamsRemoved = route => self.Tell(new RouteChanged(route), ActorRefs.NoSender);
        Context.Watch(Context.ActorOf(BranchActor.PropsOf(_start.Groups), Upstreams));
        Context.Watch(Context.ActorOf(BranchActor.PropsOf(_start.Listeners), Listeners));
        StartStats();
        StartTimers();
    }

    /// <summary>The tree lives on, and what is waited for is not forgotten.</summary>
    protected override void PreRestart(Exception reason, object? message) =>
        EndRequest($"failed: {reason.Message}");

    protected override void PostRestart(Exception reason)
    {
        StartTimers();
        Self.Tell(ReloadQueued.Instance, ActorRefs.NoSender);
    }

    protected override void PostStop()
    {
        EndRequest("the router is not running");
        _running.Reloads.Close();
    }

    /// <summary>An upstream may be at the address that a listener has given up.</summary>
    private void OnShardStopped(ShardStopped stopped)
    {
        var isGone = _running.OnStopped(stopped.Shard, out var others);
        if (others.Count > 0)
        {
            Context.Child(Listeners).Tell(new StopShards(others));
        }

        if (isGone)
        {
            Context.Child(Upstreams).Tell(OwnListenersChanged.Instance);
        }
    }

    /// <summary>None of ours stops a child of this actor: the stop of the router stops the actor itself.</summary>
    private void OnGone(Terminated gone)
    {
        if (gone.ActorRef.Path.Name == Stats)
        {
            HostLog.ActorStopped(_running.Log, gone.ActorRef.Path.ToString(), StartedAnew);
            StartStats();
            return;
        }

        HostLog.ActorStopped(
            _running.Log, gone.ActorRef.Path.ToString(), "the router cannot go on without it, and stops");
        Context.Stop(Self);
    }

    private void StartStats()
    {
        var (stats, writer, interval) = (_running.Stats, _statsWriter, _running.Setup.Plan.StatsInterval);
        Context.Watch(Context.ActorOf(Props.Create<StatsActor>(stats, writer, interval), Stats));
    }

    private void StartTimers()
    {
        if (_running.Binds.Any(static bind => bind.State == BindState.Draining))
        {
            Timers.StartPeriodicTimer(nameof(DrainTick), DrainTick.Instance, DrainPollInterval);
        }

        var reload = _running.Setup.Options.Reloads;
        if (reload.OnChange)
        {
            Timers.StartPeriodicTimer(nameof(WatchTick), WatchTick.Instance, reload.Debounce);
        }
        else
        {
            Timers.Cancel(nameof(WatchTick));
        }
    }

    private void OnReload()
    {
        if (_request is not null)
        {
            return;   // its turn comes again by itself, and then that of whoever has asked meanwhile
        }

        _request = _running.Reloads.Take();
        if (_request is not null)
        {
            Reload(_request);
        }
    }

    private void OnReloadRouter()
    {
        _ = _running.Reloads.Ask("program", out var isNew).PipeTo(Sender);
        if (isNew)
        {
            Self.Tell(ReloadQueued.Instance, ActorRefs.NoSender);
        }
    }

    private void Reload(ReloadRequest request)
    {
        var refusal = TryReload(request);
        if (refusal is not null)
        {
            End(request, refusal);
        }
        else if (_begun is { } begun)
        {
            Timers.StartSingleTimer(nameof(InForce), new InForce(_running.Revision), InForceTimeout);
            Tell(begun.Tree);
            StartTimers();
        }
        else
        {
            Timers.StartSingleTimer(nameof(RetryReload), RetryReload.Instance, RetryDelay);
        }
    }

    private void OnInForce(InForce done)
    {
        if (_request is { } request && _begun is { } begun && done.Revision == _running.Revision)
        {
            Timers.Cancel(nameof(InForce));
            _begun = null;
            End(request, _reloader.Conclude(request, begun));
        }
    }

    private void End(ReloadRequest request, ReloadResult result)
    {
        _request = null;
        request.End(result);
        Self.Tell(ReloadQueued.Instance, ActorRefs.NoSender);
    }

    /// <summary>Whoever waits does not wait for an actor that is gone.</summary>
    private void EndRequest(string refusal)
    {
        if (_request is { } request)
        {
            request.End(_begun is { } begun ? _reloader.Conclude(request, begun) : ReloadResult.Refused(refusal));
        }
    }

    private ReloadResult? TryReload(ReloadRequest request)
    {
        if (_stopping)
        {
            return _reloader.Refuse(request, ["the router is stopping"]);
        }

        return _reloader.Run(request, out _begun);
    }

    /// <summary>Upstreams first: a session that begins by the new terms finds them.</summary>
    private void Tell(TreeUpdate changes)
    {
        var (upstreams, listeners) = (Context.Child(Upstreams), Context.Child(Listeners));
        upstreams.Tell(changes.GroupChanges);
        foreach (var group in changes.Groups)
        {
            upstreams.Tell(new AddChild(Upstreams, group));
        }

        listeners.Tell(changes.Terms);
        foreach (var listener in changes.Listeners)
        {
            listeners.Tell(new AddChild(Listeners, listener));
        }

        foreach (var route in changes.Routes)
        {
            listeners.Tell(new RouteChanged(route));
        }

        Context.Child(Stats).Tell(new StatsInterval(_running.Setup.Plan.StatsInterval));
        OnDrainTick(mayStop: false);
    }

    private void OnDrainTick(bool mayStop = true)
    {
        var draining = _running.Binds.Where(static bind => bind.State == BindState.Draining).ToList();
        var ended = draining.FindAll(bind => mayStop && MustStop(bind));
        draining.RemoveAll(ended.Contains);
        foreach (var bind in ended)
        {
            bind.State = BindState.Stopping;
            bind.SessionsAtStop = bind.Sessions;
        }

        var listeners = Context.Child(Listeners);
        if (ended.Count > 0)
        {
            listeners.Tell(new StopShards(ShardsOf(ended)));
        }

        if (draining.Count > 0)
        {
            listeners.Tell(new DrainRemoved(ShardsOf(draining)));
        }
        else
        {
            Timers.Cancel(nameof(DrainTick));
        }
    }

    private bool MustStop(RunningBind bind) =>
        bind.Sessions == 0
        || _running.Time.GetElapsedTime(bind.DrainStarted) >= _running.Setup.Plan.DrainTimeout;

    private static HashSet<Shard> ShardsOf(IEnumerable<RunningBind> binds) =>
        [.. binds.SelectMany(static bind => bind.Shards)];

    private void OnWatchTick()
    {
        if (_running.Watch.Look())
        {
            _ = _running.Reloads.Ask("file", out _);
            Self.Tell(ReloadQueued.Instance, ActorRefs.NoSender);
        }
    }

    private void OnStopping(DrainListener drain)
    {
        _stopping = true;
        PassOn(drain);
    }

    private void OnRetryReload()
    {
        if (_request is { } request)
        {
            Reload(request);
        }
    }

    private void PassOn(object message)
    {
        foreach (var child in Context.GetChildren())
        {
            child.Tell(message, Sender);
        }
    }

    /// <summary>While the whole tree stops there is nobody to tell.</summary>
    private sealed record ShardStopped(Shard Shard) : IDeadLetterSuppression;

    private sealed record InForce(long Revision);

    private sealed class DrainTick
    {
        public static readonly DrainTick Instance = new();
    }

    private sealed class WatchTick
    {
        public static readonly WatchTick Instance = new();
    }

    private sealed class RetryReload
    {
        public static readonly RetryReload Instance = new();
    }
}
