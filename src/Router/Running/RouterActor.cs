using Router.Diagnostics;
using Router.Listeners;
using Router.Reporting;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Running;

/// <summary>A reload waits in the queue.</summary>
internal sealed record ReloadQueued;

/// <summary>Told to /user/router: a listener drains, or takes sessions again. It is answered with
/// <see cref="ListenerDrainSet"/>.</summary>
internal sealed record SetListenerDrain(string Listener, bool IsDraining);

/// <param name="IsFound">Whether there is such a listener.</param>
internal sealed record ListenerDrainSet(bool IsFound);

/// <summary>/user/router: starts the tree, changes it when the configuration is read again, and stops listeners that
/// have drained. It passes all other messages on to the tree.</summary>
/// <remarks>It runs on the pool. It decides a reload in one turn, so no other message comes between. The reload is over
/// when every actor goes by it; until then the next one waits.</remarks>
internal sealed class RouterActor : ReceiveActor, IWithTimers
{
    private const string Upstreams = "upstreams";
    private const string Listeners = "listeners";
    private const string Stats = "stats";
    private const string StartedAnew = "it has been started again";

    private static readonly TimeSpan DrainPollInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>How long actors have to take a reload over. They need longer only if a handler does not return.
    /// </summary>
    private static readonly TimeSpan InForceTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long a configuration waits for the names of its new upstreams.</summary>
    private static readonly TimeSpan ResolveFor = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(10);

    private readonly RunningRouter _running;
    private readonly Reloader _reloader;
    private readonly StatsWriter _statsWriter;
    private ReloadRequest? _request;   // waits to be tried again, or is under way
    private PendingReload? _begun;
    private int _answersLeft;          // until it is in force
    private bool _stopping;

    public RouterActor(RunningRouter running, Reloader reloader, StatsWriter statsWriter)
    {
        _running = running;
        _reloader = reloader;
        _statsWriter = statsWriter;
        Receive<TreeUpdate>(Begin);
        Receive<UpstreamsReady>(OnReady);
        Receive<ResolveTimeout>(late => GoOn(late.Update));
        Receive<Applied>(OnApplied);
        Receive<ReloadQueued>(_ => OnReload());
        Receive<ReloadRouter>(_ => OnReloadRouter());
        Receive<ShardStopped>(OnShardStopped);
        Receive<DrainTick>(_ => OnDrainTick());
        Receive<WatchTick>(_ => OnWatchTick());
        Receive<RetryReload>(_ => OnRetryReload());
        Receive<InForce>(OnInForce);
        Receive<RouteChanged>(changed => Context.Child(Listeners).Tell(changed));
        Receive<SetListenerDrain>(OnSetDrain);
        Receive<SetUpstream>(change => Context.Child(Upstreams).Forward(change));
        Receive<DrainListener>(OnStopping);
        Receive<StartedAgain>(again => HostLog.ActorStopped(_running.Log, again.Path.ToString(), StartedAnew));
        Receive<Terminated>(OnGone);
        ReceiveAny(PassOn);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>The actor's first message is a <see cref="TreeUpdate"/>, which says what to start.</summary>
    public static Props PropsOf(RunningRouter running, Reloader reloader, StatsWriter statsWriter) =>
        Props.Create<RouterActor>(running, reloader, statsWriter);

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(static _ => Directive.Restart);

    protected override void PreStart()
    {
        Context.Watch(Context.ActorOf(BranchActor.PropsOf([]), Upstreams));
        Context.Watch(Context.ActorOf(BranchActor.PropsOf([]), Listeners));
        StartStats();
    }

    /// <summary>The tree lives on, and whoever waits for a reload gets an answer.</summary>
    protected override void PreRestart(Exception reason, object? message) =>
        EndRequest($"failed: {reason.Message}");

    protected override void PostRestart(Exception reason)
    {
        StartTimers();
        Self.Tell(new ReloadQueued(), ActorRefs.NoSender);
    }

    protected override void PostStop()
    {
        EndRequest("the router is not running");
        _reloader.Queue.Close();
    }

    /// <summary>An upstream may be at the address that a listener has released.</summary>
    private void OnShardStopped(ShardStopped stopped)
    {
        var isGone = _running.Listeners.OnStopped(stopped.Shard, out var others);
        if (others.Count > 0)
        {
            Context.Child(Listeners).Tell(new StopShards(others));
        }

        if (isGone)
        {
            Context.Child(Upstreams).Tell(OwnListenersChanged.Instance);
        }
    }

    /// <summary>A child was stopped from outside: the router itself stops none of them singly.</summary>
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
        var (stats, interval) = (_running.Listeners.Stats, Interval());
        Context.Watch(Context.ActorOf(Props.Create<StatsActor>(stats, _statsWriter, interval), Stats));
    }

    private void StartTimers()
    {
        if (_running.Listeners.Binds.Any(static bind => bind.State == BindState.Draining || bind.IsDrained))
        {
            Timers.StartPeriodicTimer(nameof(DrainTick), new DrainTick(), DrainPollInterval);
        }

        var reload = _running.Setup.Options.Reloads;
        if (reload.OnChange)
        {
            Timers.StartPeriodicTimer(nameof(WatchTick), new WatchTick(), reload.Debounce);
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
            return;   // when that ends, the one that waits is taken
        }

        _request = _reloader.Queue.Take();
        if (_request is not null)
        {
            Reload(_request);
        }
    }

    private void OnReloadRouter()
    {
        _ = _reloader.Queue.Ask("program", out var isNew).PipeTo(Sender);
        if (isNew)
        {
            Self.Tell(new ReloadQueued(), ActorRefs.NoSender);
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
            Begin(begun.Tree);
        }
        else
        {
            Timers.StartSingleTimer(nameof(RetryReload), new RetryReload(), RetryDelay);
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
        Self.Tell(new ReloadQueued(), ActorRefs.NoSender);
    }

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

        return _reloader.Run(request, Self, out _begun);
    }

    /// <summary>New upstreams come first, and what else is new waits until their names are resolved: a session that
    /// begins by the new configuration finds them. Until then the old one serves; at the start what arrives waits in
    /// the kernel.</summary>
    private void Begin(TreeUpdate update)
    {
        foreach (var group in update.Groups)
        {
            Context.Child(Upstreams).Tell(new AddChild(Upstreams, group));
        }

        if (update.Resolving.Count == 0)
        {
            GoOn(update);
        }
        else
        {
            Timers.StartSingleTimer(nameof(ResolveTimeout), new ResolveTimeout(update), ResolveFor);
        }
    }

    private void OnReady(UpstreamsReady ready)
    {
        if (ready.Update.Resolving.Remove(ready.Group) && ready.Update.Resolving.Count == 0)
        {
            GoOn(ready.Update);
        }
    }

    private void GoOn(TreeUpdate update)
    {
        if (update.IsTold)
        {
            return;   // it was late, and has been gone on with
        }

        update.IsTold = true;
        Timers.Cancel(nameof(ResolveTimeout));
        _answersLeft = update.Answers;
        if (_begun is not null)
        {
            Timers.StartSingleTimer(nameof(InForce), new InForce(_running.Revision), InForceTimeout);
        }

        var done = new Applied(update.Revision);
        var (upstreams, listeners) = (Context.Child(Upstreams), Context.Child(Listeners));
        upstreams.Tell(new UpstreamGroupChanges(update.Settings, done));
        listeners.Tell(new ConfigureShards(update.Shards, done));
        foreach (var listener in update.Listeners)
        {
            listeners.Tell(new AddChild(Listeners, listener));
        }

        foreach (var route in update.Routes)
        {
            listeners.Tell(new RouteChanged(route));
        }

        Context.Child(Stats).Tell(Interval());
        OnDrainTick(mayStop: false);
        StartTimers();
        _running.Begun.TrySetResult();
        if (_answersLeft == 0)
        {
            OnInForce(new InForce(update.Revision));
        }
    }

    private void OnApplied(Applied applied)
    {
        if (applied.Revision == _running.Revision && --_answersLeft == 0)
        {
            OnInForce(new InForce(applied.Revision));
        }
    }

    private void OnDrainTick(bool mayStop = true)
    {
        var draining = _running.Listeners.Binds.Where(static bind => bind.State == BindState.Draining).ToList();
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

        if (!DrainOfOperator() && draining.Count == 0)
        {
            Timers.Cancel(nameof(DrainTick));
        }
    }

    /// <summary>Asks the sessions of drained listeners again and again, as a stop does: what has something under way
    /// now will have finished later.</summary>
    private bool DrainOfOperator()
    {
        var drained = _running.Listeners.Binds
            .Where(static bind => bind is { IsDrained: true, State: BindState.Serving, Sessions: > 0 })
            .ToList();
        if (drained.Count > 0)
        {
            Context.Child(Listeners).Tell(new DrainShards(ShardsOf(drained)));
        }

        return drained.Count > 0;
    }

    private void OnSetDrain(SetListenerDrain change)
    {
        var binds = _running.Listeners.Binds
            .Where(bind => bind.State == BindState.Serving && bind.Listener == change.Listener)
            .ToList();
        binds.ForEach(bind => bind.IsDrained = change.IsDraining);
        if (binds.Count > 0 && !_stopping)
        {
            var shards = ShardsOf(binds);
            Context.Child(Listeners).Tell(change.IsDraining ? new DrainShards(shards) : new ResumeShards(shards));
            StartTimers();
        }

        Sender.Tell(new ListenerDrainSet(binds.Count > 0), ActorRefs.NoSender);
    }

    private bool MustStop(RunningBind bind) =>
        bind.Sessions == 0
        || _running.Time.GetElapsedTime(bind.DrainStarted) >= _running.Setup.Options.DrainTimeout;

    private static HashSet<Shard> ShardsOf(IEnumerable<RunningBind> binds) =>
        [.. binds.SelectMany(static bind => bind.Shards)];

    private void OnWatchTick()
    {
        if (_reloader.HaveFilesChanged())
        {
            _ = _reloader.Queue.Ask("file", out _);
            Self.Tell(new ReloadQueued(), ActorRefs.NoSender);
        }
    }

    private StatsInterval Interval()
    {
        var log = _running.Setup.Options.Log;
        return new StatsInterval(log.StatsInterval, log.Access.LongSessionInterval);
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

    private sealed record InForce(long Revision);

    /// <summary>The log names what has not resolved; whatever else is new need not wait for it.</summary>
    private sealed record ResolveTimeout(TreeUpdate Update);

    private sealed record DrainTick;

    private sealed record WatchTick;

    private sealed record RetryReload;
}
