using Microsoft.Extensions.Logging;
using Router.Listeners;
using Router.Upstreams;

namespace Router.Running;

/// <summary>The configuration in force, and what runs by it.</summary>
/// <remarks>/user/router alone uses it, once the tree has started; kept apart from it, so that a restart of the actor
/// forgets nothing.</remarks>
internal sealed class RunningRouter
{
    private readonly RouterSeams _seams;

    public RunningRouter(
        RouterSetup setup,
        RouterSeams seams,
        ListenerEnvironment environment,
        ILogger log,
        INameResolver resolver,
        CollectWriters? collects = null)
    {
        (_seams, Setup, Log) = (seams, setup, log);
        var own = new OwnAddresses();
        Routes = new RunningRoutes(own, collects, resolver, log);
        Listeners = new RunningListeners(seams, environment, Routes, own, log);
    }

    public RouterSetup Setup { get; private set; }

    /// <summary>1 once it runs; grows by one with every configuration that comes into force.</summary>
    public long Revision { get; private set; }

    public RunningRoutes Routes { get; }

    public RunningListeners Listeners { get; }

    public ILogger Log { get; }

    public TimeProvider Time => _seams.Time;

    /// <summary>What a configuration needs that is not there.</summary>
    public IReadOnlyList<string> FaultsOf(RouterSetup setup) => setup.FaultsOn(_seams.Network, _seams.NetworkReason);

    /// <summary>Brings a configuration into force. Nothing here fails half-way: what could was done before.</summary>
    /// <param name="setup">The configuration.</param>
    /// <param name="routesChanged">Names of routes that are defined otherwise than before.</param>
    /// <param name="kept">Addresses that stay, and whose they are now; what runs and is not among them drains.</param>
    /// <param name="bound">Fresh ones; the router owns them from here on.</param>
    /// <param name="tree">/user/router, which is to be told what this returns.</param>
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
        return update;
    }
}
