using Akka.Cluster;
using Microsoft.Extensions.Logging;
using Router.Loop;
using Router.Net;
using Router.Sessions;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Router.Cluster.Relay;

/// <summary>How a member relays, as configured. Immutable.</summary>
/// <param name="Window">Bytes on the way to each member, and from all of them to each loop.</param>
/// <param name="StraysFor">How long after a change of the members new peers are asked for; infinite for always.</param>
/// <param name="StrayTimeout">How long a new peer waits for the answers.</param>
/// <param name="AskedMax">New peers of one loop that are asked for at once.</param>
internal sealed record RelayOptions(int Window, TimeSpan StraysFor, TimeSpan StrayTimeout, int AskedMax);

/// <summary>The relay of this member. Nothing is started before a listener asks for it.</summary>
internal sealed class RelaySpan : IRelaySpan
{
    private const string OwnThread = Members.ClusterSettings.OwnThread;

    private readonly ActorSystem _system;
    private readonly string _name;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private IActorRef? _actor;
    private volatile RelayPeer[] _peers = [];
    private volatile bool _isLooking;
    private volatile bool _isFinding = true;

    /// <param name="system">A member of the cluster.</param>
    /// <param name="router">The router's name: those of one name relay to each other.</param>
    /// <param name="loops">All of the router.</param>
    /// <param name="options">As configured.</param>
    /// <param name="random">Where ports begin.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">The router's.</param>
    public RelaySpan(
        ActorSystem system, string router, IReadOnlyList<IoLoop> loops, RelayOptions options, RandomSource random,
        TimeProvider time, ILogger log)
    {
        (_system, _name, _time, _log, Options) = (system, $"{router}-relay", time, log, options);
        Loops = [.. loops.Select(loop => new RelayLoop(this, loop, random))];
        Table = new RelayTable(loops.Count, ForgetGone);
    }

    /// <summary>How long a member that has come in is not ready because of <see cref="IsFinding"/>.</summary>
    public static readonly TimeSpan FindFor = TimeSpan.FromSeconds(3);

    public RelayOptions Options { get; }

    /// <summary>There are members whose relay has not said yet that it is there: nobody can ask them for a session of a
    /// new peer. The actor sets it, any thread reads it.</summary>
    public bool IsFinding
    {
        get => _isFinding && Volatile.Read(ref _actor) is not null;
        set => _isFinding = value;
    }

    /// <summary>By their index.</summary>
    public IReadOnlyList<RelayLoop> Loops { get; }

    /// <summary>The actor's. No part of it, so that its restart forgets nothing.</summary>
    public RelayTable Table { get; }

    /// <summary>/user/NAME-relay.</summary>
    public IActorRef Actor => Volatile.Read(ref _actor) ?? ActorRefs.Nobody;

    /// <summary>Who is asked for new peers. The actor sets it, loops read it.</summary>
    public RelayPeer[] Peers
    {
        get => _peers;
        set => _peers = value;
    }

    /// <summary>New peers are asked for now. The actor sets it, loops read it.</summary>
    public bool IsLooking
    {
        get => _isLooking;
        set => _isLooking = value;
    }

    public RelayFigures Figures
    {
        get
        {
            var sum = default(RelayFigures);
            foreach (var loop in Loops)
            {
                var add = loop.Figures;
                sum = new RelayFigures(
                    sum.Relaying + add.Relaying, sum.Relayed + add.Relayed, sum.Asked + add.Asked,
                    sum.Found + add.Found, sum.Nowhere + add.Nowhere,
                    sum.Unanswered + add.Unanswered, sum.Unasked + add.Unasked,
                    sum.Passed + add.Passed, sum.Taken + add.Taken, sum.Returned + add.Returned,
                    sum.Answers + add.Answers, sum.Behind + add.Behind, sum.Late + add.Late, sum.Lost + add.Lost);
            }

            return sum with { OnTheWay = Table.Peers.Select(static peer => peer.OnTheWay).DefaultIfEmpty().Max() };
        }
    }

    /// <summary>Begins to find other members' relays; twice is allowed. Any thread.</summary>
    /// <remarks>On a thread of its own, as rooms are: what acknowledges must not wait for handlers on the pool.
    /// </remarks>
    public void Start() => Start(
        _system.Dispatchers.HasDispatcher(OwnThread) ? OwnThread : null,
        self => AkkaCluster.Get(_system).Subscribe(
            self,
            ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.IMemberEvent),
            typeof(ClusterEvent.IReachabilityEvent)),
        MemberRelay);

    /// <param name="dispatcher">The actor's; null for the default.</param>
    /// <param name="watch">Has the actor told of members.</param>
    /// <param name="relayOf">Where a member's relay is; null for a member that has none.</param>
    internal void Start(string? dispatcher, Action<IActorRef> watch, Func<Member, IActorRef?> relayOf)
    {
        lock (_lock)
        {
            if (_actor is null)
            {
                var props = RelayActor.PropsOf(this, watch, relayOf, _time, _log);
                var placed = dispatcher is null ? props : props.WithDispatcher(dispatcher);
                Volatile.Write(ref _actor, _system.ActorOf(placed, _name));
            }
        }
    }

    /// <summary>This member drains: others are told that new peers of theirs may be its own. Any thread.</summary>
    public void OnDraining() => Actor.Tell(RelayDrains.Instance, ActorRefs.NoSender);

    /// <summary>Ends it: other members are told. The loops must still be there.</summary>
    /// <exception cref="TimeoutException">It does not end in time.</exception>
    public async Task StopAsync(TimeSpan limit)
    {
        if (Volatile.Read(ref _actor) is { } actor)
        {
            var gone = actor.WatchAsync();
            _system.Stop(actor);
            await gone.WaitAsync(limit, _time).ConfigureAwait(false);
        }
    }

    private void ForgetGone()
    {
        foreach (var loop in Loops)
        {
            loop.Loop.Enqueue(new GonePeers(loop));
        }
    }

    private IActorRef? MemberRelay(Member member) =>
        member.UniqueAddress != AkkaCluster.Get(_system).SelfUniqueAddress
            && member.HasRole(Members.ClusterSettings.Role)
            ? ((ExtendedActorSystem)_system).Provider
                .ResolveActorRef(new RootActorPath(member.Address) / "user" / _name)
            : null;
}

/// <summary>Has a loop forget what came from members that are gone.</summary>
internal sealed class GonePeers(RelayLoop loop) : IRunnable
{
    public void Run() => loop.ForgetGone();

    public void Execute() => Run();
}
