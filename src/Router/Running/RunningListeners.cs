using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Listeners;
using Router.Net;
using Router.Reporting;
using Router.Sessions;

namespace Router.Running;

/// <summary>The bound addresses with their shards, and the listeners' counts of sessions, which outlive a reload.
/// </summary>
/// <remarks><see cref="Bound"/> and <see cref="Stats"/> may be used by any thread.</remarks>
internal sealed class RunningListeners(
    RouterSeams seams, ListenerEnvironment environment, RunningRoutes routes, OwnAddresses own, ILogger log)
{
    private readonly List<RunningBind> _binds = [];
    private readonly Dictionary<string, SessionCount> _counts = new(StringComparer.Ordinal);
    private volatile IReadOnlyList<BoundListener> _bound = [];

    public ListenerStats Stats { get; } = new();

    public IReadOnlyList<BoundListener> Bound => _bound;

    public IReadOnlyList<RunningBind> Binds => _binds;

    /// <summary>Finds the running socket of every address of a plan.</summary>
    /// <returns>Addresses that have none.</returns>
    public List<BindRequest> Match(RouterPlan plan, Dictionary<RunningBind, ListenerPlan> kept)
    {
        var missing = new List<BindRequest>();
        foreach (var listener in plan.Listeners)
        {
            foreach (var request in listener.Binds)
            {
                var found = _binds
                    .Where(bind => !kept.ContainsKey(bind) && bind.Serves(request))
                    .MinBy(static bind => bind.State);
                if (found is null)
                {
                    missing.Add(request);
                }
                else
                {
                    kept[found] = listener;
                }
            }
        }

        return missing;
    }

    /// <summary>Binds all addresses on all loops, or none; the running ones are not touched.</summary>
    public IReadOnlyList<BoundListener> Bind(IEnumerable<BindRequest> requests, out IReadOnlyList<BindFault> faults) =>
        ListenerBinder.BindAll(seams.Network, environment.Loops.Count, requests, out faults);

    /// <summary>Brings a plan into force whose routes run already.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="kept">Addresses that stay, and which listener has them now; all others drain.</param>
    /// <param name="bound">Fresh ones, whose sockets are owned here from now on.</param>
    /// <param name="update">Gets the shards' configuration, and the actors to start.</param>
    public void Apply(
        RouterPlan plan,
        IReadOnlyDictionary<RunningBind, ListenerPlan> kept,
        IReadOnlyList<BoundListener> bound,
        TreeUpdate update)
    {
        Keep(kept, update);
        foreach (var listener in plan.Listeners)
        {
            Start(listener, [.. bound.Where(each => each.Request.Listener == listener.Name)], update);
        }

        ForgetCounts();
        SetAddresses();
        environment.Guard.Apply(plan.Guard);
        foreach (var listener in bound)
        {
            LogListening(listener, plan);
        }
    }

    /// <summary>The shard's actor has stopped. If the router did not stop it, the whole address is released, and a
    /// reload binds it again.</summary>
    /// <param name="shard">Whose actor has stopped.</param>
    /// <param name="others">Shards of the same address that have to be stopped now.</param>
    /// <returns>Whether an address has been released.</returns>
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
            ListenerLog.Stopped(log, bind.Listener, AddressOf(bind.Bound));
        }

        if (!bind.HasStopped)
        {
            return false;
        }

        _binds.Remove(bind);
        ForgetCounts();
        SetAddresses();
        if (!bind.IsLost)
        {
            ListenerLog.Removed(
                log, bind.Listener, AddressOf(bind.Bound), bind.SessionsAtRemoval - bind.SessionsAtStop,
                bind.SessionsAtStop);
        }

        return true;
    }

    /// <summary>Releases shards whose actors never came to run. Called when the tree and the loops are gone; a loop
    /// whose thread has not ended keeps its shards.</summary>
    public void Release()
    {
        var shards = _binds.SelectMany(static bind => bind.Shards);
        foreach (var shard in shards.Where(static shard => !shard.Loop.IsStarted))
        {
            shard.Release();
        }
    }

    private static string AddressOf(BoundListener bound) => bound.Request.TextOf(bound.Address);

    private void Keep(IReadOnlyDictionary<RunningBind, ListenerPlan> kept, TreeUpdate update)
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
            var shared = ConfigurationOf(listener);
            foreach (var shard in bind.Shards)
            {
                // Actors keep their dispatcher, and a bound socket the options that sessions' own sockets need.
                update.Shards[shard] = shared with
                {
                    Settings = shared.Settings with
                    {
                        OnPool = shard.Settings.OnPool,
                        Socket = shard.Settings.Socket,
                    },
                };
                Stats.Assign(shard, listener.Name, listener.Route.Name);
            }
        }
    }

    private void Remove(RunningBind bind)
    {
        if (bind.State == BindState.Serving)
        {
            bind.State = BindState.Draining;
            bind.DrainStarted = seams.Time.GetTimestamp();
            bind.SessionsAtRemoval = bind.Sessions;
        }
    }

    private ShardConfiguration ConfigurationOf(ListenerPlan listener)
    {
        if (!_counts.TryGetValue(listener.Name, out var count))
        {
            _counts[listener.Name] = count = new SessionCount(listener.Settings.MaxSessions);
        }

        count.Limit = listener.Settings.MaxSessions;
        return new ShardConfiguration(
            listener.Name, routes.Of(listener), listener.Settings, count, environment.FenceOf(listener.Settings));
    }

    private void Start(ListenerPlan listener, IReadOnlyList<BoundListener> bound, TreeUpdate update)
    {
        if (bound.Count == 0)
        {
            return;
        }

        var starts = ListenerFactory.Create(bound, ConfigurationOf(listener), environment, out var shards);
        var made = 0;
        foreach (var each in bound)
        {
            _binds.Add(new RunningBind(each, [.. shards.Skip(made).Take(each.Sockets.Count)]));
            made += each.Sockets.Count;
        }

        var tree = update.Tree;
        foreach (var shard in shards)
        {
            shard.OnStopped = stopped => tree.Tell(new ShardStopped(stopped), ActorRefs.NoSender);
            Stats.Assign(shard, listener.Name, listener.Route.Name);
        }

        update.Listeners.Add(
            new BranchChild(update.NameOf(listener.Name), BranchActor.PropsOf(starts, endsEmpty: true)));
    }

    private void ForgetCounts()
    {
        var names = _binds.Select(static bind => bind.Listener).ToHashSet(StringComparer.Ordinal);
        foreach (var name in _counts.Keys.Where(name => !names.Contains(name)).ToList())
        {
            _counts.Remove(name);
        }
    }

    private void SetAddresses()
    {
        _bound = [.. _binds.Where(static bind => bind.State == BindState.Serving).Select(static bind => bind.Bound)];
        own.Set(_binds);
        environment.Guard.Own = own.Datagrams;
    }

    private void LogListening(BoundListener listener, RouterPlan plan)
    {
        var (request, socket) = (listener.Request, listener.Sockets[0]);
        var route = plan.Listeners.First(each => each.Name == request.Listener).Route.Name;
        var isUdp = request.Transport.IsConnectionless();
        var backlog = socket is StreamListener stream ? stream.GrantedBacklog : 0;
        var buffers = socket is DatagramSocket datagram ? datagram.BufferSizes : default;
        ListenerLog.Listening(
            log, request.Listener, AddressOf(listener), route,
            seams.Network.Name, listener.Sockets.Count,
            isUdp ? 0 : request.Backlog, backlog,
            isUdp ? request.ReceiveBuffer : 0, buffers.Receive,
            isUdp ? request.SendBuffer : 0, buffers.Send);
    }
}
