using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Router.Cluster.Rooms;
using Router.Diagnostics;
using Router.Listeners;
using Router.Net;
using Router.Reporting;
using Router.Routes;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Running;

/// <summary>An upstream group and the route that it serves.</summary>
internal sealed record RouteGroup(string Route, UpstreamGroup Group);

/// <summary>The routes of new sessions, and the upstream groups behind them, which outlive a reload.</summary>
/// <param name="own">Where no upstream may be.</param>
/// <param name="collects">The writers of collect routes; null where windows are not written out.</param>
/// <param name="resolver">Resolves the upstreams' names.</param>
/// <param name="log">The router's.</param>
/// <param name="span">Where rooms are to span members; null without a cluster.</param>
/// <param name="connectTimes">Where the times of connects to upstreams go, seconds.</param>
internal sealed class RunningRoutes(
    OwnAddresses own,
    CollectWriters? collects,
    INameResolver resolver,
    ILogger log,
    RoomSpan? span = null,
    Histogram<double>? connectTimes = null)
{
    private readonly HashSet<UpstreamGroup> _outlets = [];
    private readonly HashSet<IAsyncDisposable> _disposables = [];
    private Dictionary<string, Route> _routes = new(StringComparer.Ordinal);
    private volatile IReadOnlyList<ListenerPlan> _listeners = [];
    private volatile IReadOnlyList<RouteGroup> _groups = [];

    /// <summary>The longest that a child process is given to end, by any configuration so far: sessions keep their
    /// routes.</summary>
    public TimeSpan GraceMax { get; private set; }

    /// <summary>Upstream groups of the configuration in force, with their routes. Any thread.</summary>
    public IReadOnlyList<RouteGroup> Groups => _groups;

    /// <summary>The running route of the same name as the plan's.</summary>
    public Route Of(ListenerPlan listener) => _routes[listener.Route.Name];

    /// <summary>Brings a plan's routes into force. A proxy route stays, with its upstream group, and takes over the new
    /// settings. Of any other route whose definition has changed there is a new one, and live sessions keep the old.
    /// </summary>
    /// <param name="plan">The plan.</param>
    /// <param name="changed">Names of routes whose definition has changed.</param>
    /// <param name="update">Gets the groups' settings, and the proxy routes that have changed.</param>
    /// <returns>Proxy routes whose groups are to be started.</returns>
    public IReadOnlyList<ProxyRoute> Apply(RouterPlan plan, IReadOnlySet<string> changed, TreeUpdate update)
    {
        var (before, started) = (_routes, new List<ProxyRoute>());
        _routes = new Dictionary<string, Route>(StringComparer.Ordinal);
        _listeners = plan.Listeners;
        GraceMax = plan.Listeners
            .Select(static listener => listener.Route)
            .OfType<ExecRoute>()
            .Select(static route => route.Settings.Grace)
            .Append(GraceMax)
            .Max();
        foreach (var (name, route) in plan.Routes)
        {
            var running = before.GetValueOrDefault(name);
            if (running is ProxyRoute proxy && route is ProxyRoute next)
            {
                update.Settings[proxy.Group] = next.Group.Settings;
                var isSooner = proxy.Apply(next.Settings);
                _routes[name] = proxy;
                var mayMove = changed.Contains(name)
                    && next.Settings.OnUpstreamRemoved != UpstreamRemoval.Finish;
                if (isSooner || mayMove)
                {
                    update.Routes.Add(proxy);
                }

                continue;
            }

            _routes[name] = running is null || changed.Contains(name) ? route : running;
            if (_routes[name] is ProxyRoute fresh)
            {
                update.Settings[fresh.Group] = fresh.Group.Settings;
                started.Add(fresh);
            }
        }

        ApplyFlows();
        SpreadRooms();
        collects?.Start(_routes.Values);
        _disposables.UnionWith(_routes.Values.OfType<IAsyncDisposable>());
        return started;
    }

    /// <summary>Has rooms span members, where there are others.</summary>
    private void SpreadRooms()
    {
        foreach (var route in _routes.Values.OfType<RoomRoute>())
        {
            if (span is not null && route.Settings.Span == RoomExtent.Cluster)
            {
                span.Start();
                route.Spread(span);
            }
        }
    }

    /// <summary>Disposes what routes of any configuration so far hold. Called when all sessions have ended.</summary>
    /// <param name="limit">How long each may take.</param>
    /// <param name="time">The clock.</param>
    public async Task StopAsync(TimeSpan limit, TimeProvider time)
    {
        foreach (var route in _disposables)
        {
            try
            {
                await route.DisposeAsync().AsTask().WaitAsync(limit, time).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                HostLog.Fault(log, failure, $"route {((Route)route).Name}: what it holds cannot be disposed");
            }
        }
    }

    /// <summary>Starts the groups of new proxies, and the new groups behind routes that are no proxies, which live as
    /// long as the router. Called when it is known where the router is bound.</summary>
    public void StartGroups(RouterPlan plan, IEnumerable<ProxyRoute> proxies, TreeUpdate update)
    {
        foreach (var proxy in proxies)
        {
            StartGroup(proxy.Group, proxy, update);
            if (!proxy.Group.Ready.IsCompleted)
            {
                var ready = new UpstreamsReady(update, proxy.Group);
                proxy.Group.OnReady = () => update.Tree.Tell(ready, ActorRefs.NoSender);
                update.Resolving.Add(proxy.Group);
            }
        }

        foreach (var (name, group) in plan.Groups)
        {
            if (ReferenceEquals(_routes[name], plan.Routes[name]) && _outlets.Add(group))
            {
                StartGroup(group, _routes[name], update);
            }
        }

        foreach (var group in _outlets)
        {
            update.Settings[group] = group.Settings;
        }

        _groups =
        [
            .. _routes.Values.OfType<ProxyRoute>().Select(static route => new RouteGroup(route.Name, route.Group)),
            .. plan.Groups.Where(each => _outlets.Contains(each.Value))
                .Select(static each => new RouteGroup(each.Key, each.Value)),
        ];
    }

    /// <summary>Has flow routes lead to the routes that run instead of the plan's.</summary>
    private void ApplyFlows()
    {
        foreach (var flow in _routes.Values.OfType<FlowRoute>().ToList())
        {
            _routes[flow.Name] = flow.Over(_routes[flow.Inner.Name]);
        }
    }

    private void StartGroup(UpstreamGroup group, Route route, TreeUpdate update)
    {
        var (tree, changed) = (update.Tree, new RouteChanged(route));
        group.OnRemoved = () => tree.Tell(changed, ActorRefs.NoSender);
        var names = new UpstreamNames(group, address => IsOwn(route, address), new UpstreamEvents(log, connectTimes));
        update.Groups.Add(new BranchChild(
            update.NameOf(group.Name),
            UpstreamGroupActor.PropsFor(names, resolver),
            IsNeeded: () => group.Settings.Targets.Count > 0));   // none are left once a reload has removed it
    }

    /// <summary>Whether a listener of ours would get what the route sends to that address, by the transports of the
    /// listeners that the route serves.</summary>
    private bool IsOwn(Route route, SocketAddr address) => route is ProxyRoute
        ? own.Contains(address, _listeners
            .Where(listener => NameOfRoute(listener.Route) == route.Name)
            .SelectMany(static listener => listener.Binds)
            .Select(static bind => bind.Transport))
        : own.Contains(address);

    private static string NameOfRoute(Route route) => route is FlowRoute flow ? flow.Inner.Name : route.Name;
}
