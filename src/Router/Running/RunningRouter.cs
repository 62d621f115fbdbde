using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Router.Cluster.Relay;
using Router.Cluster.Rooms;
using Router.Listeners;
using Router.Upstreams;

namespace Router.Running;

/// <summary>The configuration in force, with the routes and listeners that run by it.</summary>
/// <remarks>Once the tree has started, /user/router alone uses it. It is not a part of that actor, so that a restart of
/// the actor forgets nothing.</remarks>
internal sealed class RunningRouter
{
    private readonly RouterSeams _seams;
    private readonly RelaySpan? _relay;

    public RunningRouter(
        RouterSetup setup,
        RouterSeams seams,
        ListenerEnvironment environment,
        ILogger log,
        INameResolver resolver,
        CollectWriters? collects = null,
        RoomSpan? rooms = null,
        RelaySpan? relay = null,
        Histogram<double>? connectTimes = null)
    {
        (_seams, _relay, Setup, Log) = (seams, relay, setup, log);
        var own = new OwnAddresses();
        Routes = new RunningRoutes(own, collects, resolver, log, rooms, connectTimes);
        Listeners = new RunningListeners(seams, environment, Routes, own, log);
    }

    public RouterSetup Setup { get; private set; }

    /// <summary>The number of configurations that have come into force.</summary>
    public long Revision { get; private set; }

    /// <summary>Completes when the listeners of the first configuration have been told to start.</summary>
    public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RunningRoutes Routes { get; }

    public RunningListeners Listeners { get; }

    public ILogger Log { get; }

    public TimeProvider Time => _seams.Time;

    public IReadOnlyList<string> FaultsOf(RouterSetup setup) => setup.FaultsOn(_seams.Network, _seams.NetworkReason);

    /// <summary>Brings a configuration into force. Nothing here can fail: what could has been done before.</summary>
    /// <param name="setup">The configuration.</param>
    /// <param name="routesChanged">Names of routes whose definition has changed.</param>
    /// <param name="kept">Addresses that stay, and which listener has them now; all others drain.</param>
    /// <param name="bound">Fresh ones, whose sockets the router owns from here on.</param>
    /// <param name="tree">/user/router, which the caller tells what this returns.</param>
    public TreeUpdate Commit(
        RouterSetup setup,
        IReadOnlySet<string> routesChanged,
        IReadOnlyDictionary<RunningBind, ListenerPlan> kept,
        IReadOnlyList<BoundListener> bound,
        IActorRef tree)
    {
        Setup = setup;
        var (plan, update) = (setup.Plan, new TreeUpdate(++Revision, tree));
        var proxies = Routes.Apply(plan, routesChanged, update);
        Listeners.Apply(plan, kept, bound, update);
        Routes.StartGroups(plan, proxies, update);
        if (plan.Listeners.Any(static listener => listener.Settings.Strays is not null))
        {
            _relay?.Start();
        }

        return update;
    }
}
