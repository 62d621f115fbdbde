using System.Collections.Frozen;
using System.Net;
using System.Net.NetworkInformation;
using Microsoft.Extensions.Logging;
using Router.Admission;
using Router.Configuration;
using Router.Diagnostics;
using Router.Listeners;
using Router.Net;
using Router.Reporting;
using Router.Routes;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Running;

/// <summary>What the tree of actors has to do for a configuration to come into force: first that, then they are told in
/// this order.</summary>
/// <param name="Groups">Actors of upstream groups to start.</param>
/// <param name="Listeners">Branches of shards to start.</param>
/// <param name="GroupChanges">What each group goes by.</param>
/// <param name="Terms">What each shard goes by.</param>
/// <param name="Routes">Routes whose live sessions have to look at what has changed.</param>
internal sealed record TreeUpdate(
    IReadOnlyList<BranchChild> Groups,
    IReadOnlyList<BranchChild> Listeners,
    UpstreamGroupChanges GroupChanges,
    ApplyTerms Terms,
    IReadOnlyList<Route> Routes);

/// <summary>
/// What runs: the snapshot in force, and the sockets, shards, routes and counts that carry it from one to the next.
/// </summary>
/// <remarks>/user/router alone uses it, once the tree has started; kept apart from it, so that a restart of the actor
/// forgets nothing. <see cref="Bound"/> and <see cref="Stats"/>: any thread.</remarks>
internal sealed class RunningRouter
{
    private readonly ListenerEnvironment _environment;
    private readonly RouterSeams _seams;
    private readonly ILogger _log;
    private readonly INameResolver _resolver;
    private readonly List<RunningBind> _binds = [];
    private readonly Dictionary<string, SessionCount> _counts = new(StringComparer.Ordinal);
    private readonly HashSet<UpstreamGroup> _outlets = [];
    private Dictionary<string, Route> _routes = new(StringComparer.Ordinal);
    private volatile OwnEndpoints _ownStreams = OwnEndpoints.None;
    private volatile OwnEndpoints _ownDatagrams = OwnEndpoints.None;
    private volatile IReadOnlyList<BoundListener> _bound = [];

    public RunningRouter(
        RouterSetup setup, RouterSeams seams, ListenerEnvironment environment, ILogger log, INameResolver resolver)
    {
        _seams = seams;
        _environment = environment;
        _log = log;
        _resolver = resolver;
        Setup = setup;
        GraceMax = GraceOf(setup.Plan);
        Watch.Reset(setup.Files);
    }

    public RouterSetup Setup { get; private set; }

    /// <summary>The longest that a child of any configuration so far is given to end: sessions keep their routes.
    /// </summary>
    public TimeSpan GraceMax { get; private set; }

    /// <summary>1 once it runs; grows by one with every configuration that comes into force.</summary>
    public long Revision { get; private set; }

    public ListenerStats Stats { get; } = new();

    public ReloadQueue Reloads { get; } = new();

    public FileWatch Watch { get; } = new();

    /// <summary>Where it listens, ports decided.</summary>
    public IReadOnlyList<BoundListener> Bound => _bound;

    public IReadOnlyList<RunningBind> Binds => _binds;

    public ILogger Log => _log;

    public TimeProvider Time => _seams.Time;

    /// <summary>Told when an actor has stopped whose shard is among ours; set before the tree starts.</summary>
    public Action<Shard>? OnShardStopped { get; set; }

    /// <summary>Told by a group, any thread, that it lacks an upstream of before; set before the tree starts.</summary>
    public Action<Route>? OnUpstreamsRemoved { get; set; }

    /// <summary>Told, any thread, when everything that runs goes by the configuration of a revision; set before the
    /// tree starts.</summary>
    public Action<long>? OnInForce { get; set; }

    /// <summary>Told the routes of every configuration, before any session can begin by them.</summary>
    public Action<IEnumerable<Route>>? OnRoutes { get; set; }

    /// <summary>Told of every configuration that came into force by a reload, before that is written down.</summary>
    public Action<RouterOptions>? OnReloaded { get; set; }

    /// <summary>What a configuration needs that is not there.</summary>
    public IReadOnlyList<string> FaultsOf(RouterSetup setup) => setup.FaultsOn(_seams.Network, _seams.NetworkReason);

    /// <summary>Binds addresses on all loops, all or none; the running ones are not touched.</summary>
    public IReadOnlyList<BoundListener> Bind(IEnumerable<BindRequest> requests, out IReadOnlyList<BindFault> faults) =>
        ListenerBinder.BindAll(_seams.Network, _environment.Loops.Count, requests, out faults);

    /// <summary>Brings a configuration into force. Nothing here fails half-way: what could was done before.</summary>
    /// <param name="setup">The configuration.</param>
    /// <param name="routesChanged">Names of routes that are defined otherwise than before.</param>
    /// <param name="kept">Addresses that stay, and whose they are now; what runs and is not among them drains.</param>
    /// <param name="bound">Fresh ones; the router owns them from here on.</param>
    public TreeUpdate Commit(
        RouterSetup setup,
        IReadOnlySet<string> routesChanged,
        IReadOnlyDictionary<RunningBind, ListenerPlan> kept,
        IReadOnlyList<BoundListener> bound)
    {
        Revision++;
        Setup = setup;
        GraceMax = GraceOf(setup.Plan) is var grace && grace > GraceMax ? grace : GraceMax;
        var groups = new List<BranchChild>();
        var settings = new Dictionary<UpstreamGroup, UpstreamGroupSettings>();
        var told = new List<Route>();
        var started = TakeRoutes(setup.Plan, routesChanged, settings, told);
        OnRoutes?.Invoke(_routes.Values);
        var terms = new Dictionary<Shard, ShardTerms>();
        Keep(kept, terms);
        var listeners = setup.Plan.Listeners
            .Select(listener => StartBinds(listener, [.. bound.Where(b => b.Request.Listener == listener.Name)]))
            .OfType<BranchChild>()
            .ToList();
        ForgetCounts();
        TakeEndpoints();
        _environment.Guard.Apply(setup.Plan.Guard);
        groups.AddRange(started.Select(route => StartGroup(route.Settings.Group, route)));
        groups.AddRange(StartOutlets(setup.Plan, settings));
        foreach (var listener in bound)
        {
            LogListening(listener);
        }

        var onApplied = CountDown(terms.Count + settings.Count - groups.Count);
        return new TreeUpdate(
            groups, listeners, new UpstreamGroupChanges(settings, onApplied), new ApplyTerms(terms, onApplied), told);
    }

    /// <summary>The shard's actor has stopped. If nobody of ours had it stopped, its address is given up as a whole: a
    /// reload binds it again.</summary>
    /// <param name="shard">Whose actor.</param>
    /// <param name="others">Shards of the same address that have to be stopped now.</param>
    /// <returns>Whether an address is ours no more.</returns>
    public bool OnStopped(Shard shard, out IReadOnlySet<Shard> others)
    {
        others = FrozenSet<Shard>.Empty;
        Stats.Retire(shard);
        if (_binds.Find(bind => bind.Shards.Contains(shard)) is not { } bind)
        {
            return false;
        }

        bind.OnStopped(shard);
        if (bind.State != BindState.Stopping)
        {
            bind.State = BindState.Stopping;
            bind.IsLost = true;
            others = bind.Left;
            ListenerLog.Stopped(_log, bind.Listener, AddressOf(bind.Bound));
        }

        if (!bind.HasStopped)
        {
            return false;
        }

        _binds.Remove(bind);
        ForgetCounts();
        TakeEndpoints();
        if (!bind.IsLost)
        {
            ListenerLog.Removed(
                _log, bind.Listener, AddressOf(bind.Bound), bind.SessionsAtRemoval - bind.SessionsAtStop,
                bind.SessionsAtStop);
        }

        return true;
    }

    /// <summary>
    /// The tree and the loops are gone: gives back what an actor that never came to run would have. A loop whose thread
    /// has not ended keeps all.
    /// </summary>
    public void Release()
    {
        var shards = _binds.SelectMany(static bind => bind.Shards);
        foreach (var shard in shards.Where(static shard => !shard.Loop.IsStarted))
        {
            shard.Release();
        }
    }

    /// <summary>What is to be called so often until this revision is in force.</summary>
    private Action CountDown(int count)
    {
        var (left, revision) = (count, Revision);
        if (count == 0)
        {
            OnInForce?.Invoke(revision);
        }

        return () =>
        {
            if (Interlocked.Decrement(ref left) == 0)
            {
                OnInForce?.Invoke(revision);
            }
        };
    }

    private static TimeSpan GraceOf(RouterPlan plan) => plan.Listeners
        .Select(static listener => listener.Route)
        .OfType<ExecRoute>()
        .Select(static route => route.Settings.Grace)
        .DefaultIfEmpty()
        .Max();

    private static string AddressOf(BoundListener bound) => bound.Request.TextOf(bound.Address);

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

    /// <summary>A proxy route goes on with its upstream group; any other that is defined otherwise is a new one, and
    /// live sessions keep the old.</summary>
    /// <returns>Proxy routes whose groups are to be started.</returns>
    private List<ProxyRoute> TakeRoutes(
        RouterPlan plan,
        IReadOnlySet<string> changed,
        Dictionary<UpstreamGroup, UpstreamGroupSettings> settings,
        List<Route> told)
    {
        var (before, started) = (_routes, new List<ProxyRoute>());
        _routes = new Dictionary<string, Route>(StringComparer.Ordinal);
        foreach (var (name, route) in plan.Routes)
        {
            var running = before.GetValueOrDefault(name);
            if (running is ProxyRoute proxy && route is ProxyRoute next)
            {
                settings[proxy.Settings.Group] = next.Settings.Group.Settings;
                var isSooner = proxy.Apply(next.Settings);
                _routes[name] = proxy;
                var mayMove = changed.Contains(name)
                    && next.Settings.OnUpstreamRemoved != UpstreamRemoval.Finish;
                if (isSooner || mayMove)
                {
                    told.Add(proxy);
                }

                continue;
            }

            _routes[name] = running is null || changed.Contains(name) ? route : running;
            if (_routes[name] is ProxyRoute fresh)
            {
                settings[fresh.Settings.Group] = fresh.Settings.Group.Settings;
                started.Add(fresh);
            }
        }

        TakeFlows();
        return started;
    }

    /// <summary>Flows are of the routes that run, whatever they were planned over.</summary>
    private void TakeFlows()
    {
        foreach (var flow in _routes.Values.OfType<FlowRoute>().ToList())
        {
            _routes[flow.Name] = flow.Over(_routes[flow.Inner.Name]);
        }
    }

    private void Keep(IReadOnlyDictionary<RunningBind, ListenerPlan> kept, Dictionary<Shard, ShardTerms> terms)
    {
        foreach (var bind in _binds)
        {
            if (!kept.TryGetValue(bind, out var listener))
            {
                Remove(bind);
                continue;
            }

            bind.State = BindState.Serving;
            bind.Listener = listener.Name;
            var shared = TermsOf(listener);
            foreach (var shard in bind.Shards)
            {
                // Actors are on a dispatcher for life, and a socket is bound the way its sessions' own need it.
                terms[shard] = shared with
                {
                    Settings = shared.Settings with
                    {
                        OnPool = shard.Settings.OnPool,
                        Socket = shard.Settings.Socket,
                    },
                };
                Stats.Assign(shard, listener.Name);
            }
        }
    }

    private void Remove(RunningBind bind)
    {
        if (bind.State == BindState.Serving)
        {
            bind.State = BindState.Draining;
            bind.DrainStarted = Time.GetTimestamp();
            bind.SessionsAtRemoval = bind.Sessions;
        }
    }

    private ShardTerms TermsOf(ListenerPlan listener)
    {
        if (!_counts.TryGetValue(listener.Name, out var count))
        {
            _counts[listener.Name] = count = new SessionCount(listener.Settings.MaxSessions);
        }

        count.Limit = listener.Settings.MaxSessions;
        return new ShardTerms(listener.Name, _routes[listener.Route.Name], listener.Settings, count);
    }

    private BranchChild? StartBinds(ListenerPlan listener, IReadOnlyList<BoundListener> bound)
    {
        if (bound.Count == 0)
        {
            return null;
        }

        var starts = ListenerFactory.Create(bound, TermsOf(listener), _environment, out var shards);
        var made = 0;
        foreach (var each in bound)
        {
            _binds.Add(new RunningBind(each, [.. shards.Skip(made).Take(each.Sockets.Count)]));
            made += each.Sockets.Count;
        }

        foreach (var shard in shards)
        {
            shard.OnStopped = stopped => OnShardStopped?.Invoke(stopped);
            Stats.Assign(shard, listener.Name);
        }

        return new BranchChild(NameOf(listener.Name), BranchActor.PropsOf(starts, endsEmpty: true));
    }

    /// <summary>Names are unique among what runs and what still drains.</summary>
    private string NameOf(string name) => Revision == 1 ? name : $"{name}.r{Revision}";

    /// <summary>Groups behind routes that are no proxies: they live as long as the router.</summary>
    private List<BranchChild> StartOutlets(
        RouterPlan plan, Dictionary<UpstreamGroup, UpstreamGroupSettings> settings)
    {
        var started = new List<BranchChild>();
        foreach (var (name, group) in plan.Groups)
        {
            if (ReferenceEquals(_routes[name], plan.Routes[name]) && _outlets.Add(group))
            {
                started.Add(StartGroup(group, _routes[name]));
            }
        }

        foreach (var group in _outlets)
        {
            settings[group] = group.Settings;
        }

        return started;
    }

    private BranchChild StartGroup(UpstreamGroup group, Route route)
    {
        group.OnRemoved = () => OnUpstreamsRemoved?.Invoke(route);
        var names = new UpstreamNames(
            group, address => IsOwn(route, address), new UpstreamEvents(_log));
        return new BranchChild(
            NameOf(group.Name),
            UpstreamGroupActor.PropsFor(names, _resolver),
            IsNeeded: () => group.Settings.Targets.Count > 0);   // none are left once a reload has taken it away
    }

    /// <summary>Whether what goes over the route to that address would come to a listener of ours, by the transports of
    /// the listeners that the route serves.</summary>
    private bool IsOwn(Route route, SocketAddr address)
    {
        if (route is not ProxyRoute)
        {
            return _ownStreams.Contains(address) || _ownDatagrams.Contains(address);
        }

        var transports = Setup.Plan.Listeners
            .Where(listener => NameOfRoute(listener.Route) == route.Name)
            .SelectMany(static listener => listener.Binds)
            .Select(static bind => bind.Transport)
            .ToList();
        return (transports.Exists(static transport => transport.KeepsMessages()) && _ownDatagrams.Contains(address))
            || (transports.Exists(static transport => !transport.KeepsMessages()) && _ownStreams.Contains(address));
    }

    private static string NameOfRoute(Route route) => route is FlowRoute flow ? flow.Inner.Name : route.Name;

    /// <summary>Listeners that are gone with all their sessions need no count any more.</summary>
    private void ForgetCounts()
    {
        var names = _binds.Select(static bind => bind.Listener).ToHashSet(StringComparer.Ordinal);
        foreach (var name in _counts.Keys.Where(name => !names.Contains(name)).ToList())
        {
            _counts.Remove(name);
        }
    }

    /// <summary>What drains is ours too as long as it is bound.</summary>
    private void TakeEndpoints()
    {
        var machine = MachineAddresses();
        _bound = [.. _binds.Where(static bind => bind.State == BindState.Serving).Select(static bind => bind.Bound)];
        var addresses = _binds.Select(static bind => bind.Bound.Address).ToList();
        var unix = addresses.Where(static address => address.IsUnix).ToList();
        _ownStreams = OwnOf(SessionTransport.Tcp);
        _ownDatagrams = OwnOf(SessionTransport.Udp);
        _environment.Guard.Own = _ownDatagrams;

        OwnEndpoints OwnOf(SessionTransport transport)
        {
            var own = _binds.FindAll(bind => bind.Request.Transport == transport);
            return new OwnEndpoints(
                own.Select(static bind => bind.Bound.Address.ToIPEndPoint()),
                machine,
                unix,
                own.FindAll(static bind => !bind.Request.DualStack)
                    .Select(static bind => bind.Bound.Address.ToIPEndPoint()));
        }
    }

    private void LogListening(BoundListener listener)
    {
        var (request, socket) = (listener.Request, listener.Sockets[0]);
        var route = Setup.Plan.Listeners.First(plan => plan.Name == request.Listener).Route.Name;
        var isUdp = request.Transport.IsConnectionless();
        var backlog = socket is StreamListener stream ? stream.GrantedBacklog : 0;
        var buffers = socket is DatagramSocket datagram ? datagram.BufferSizes : default;
        ListenerLog.Listening(
            _log, request.Listener, AddressOf(listener), route,
            _seams.Network.Name, listener.Sockets.Count,
            isUdp ? 0 : request.Backlog, backlog,
            isUdp ? request.ReceiveBuffer : 0, buffers.Receive,
            isUdp ? request.SendBuffer : 0, buffers.Send);
    }
}
