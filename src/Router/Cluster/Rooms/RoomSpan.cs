using System.Collections.Concurrent;
using Akka.Cluster;
using Akka.Cluster.Tools.PublishSubscribe;
using Microsoft.Extensions.Logging;
using Router.Cluster.Packs;
using Router.Loop;
using Router.Net;
using Router.Sessions;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Router.Cluster.Rooms;

/// <summary>The rooms of this member that span members. Nothing is started before a route asks for it.</summary>
internal sealed class RoomSpan : IRoomSpan
{
    private const string OwnThread = Members.ClusterSettings.OwnThread;

    private readonly ActorSystem _system;
    private readonly string _router;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly PackOutbox[] _outboxes;
    private readonly Lock _lock = new();
    private readonly ConcurrentQueue<RoomPort> _changed = new();   // opened or closed since the actor last looked
    private IActorRef? _rooms;
    private long _lastPort;
    private int _isAsked;
    private long _received;

    /// <param name="system">A member of the cluster.</param>
    /// <param name="router">The router's name: rooms are those of the routers of one name.</param>
    /// <param name="loops">All of the router.</param>
    /// <param name="window">Bytes on the way to each member, and from all of them to each loop.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">The router's.</param>
    public RoomSpan(
        ActorSystem system, string router, IReadOnlyList<IoLoop> loops, int window, TimeProvider time, ILogger log)
    {
        (_system, _router, _time, _log) = (system, router, time, log);
        _outboxes = [.. loops.Select(loop => new PackOutbox(loop, window, () => Rooms))];
        Inboxes = [.. loops.Select(loop => new RoomInbox(loop, window))];
        Table = new RoomTable(loops.Count);
    }

    public IReadOnlyList<RoomInbox> Inboxes { get; }

    /// <summary>The actor's. No part of it, so that its restart forgets nothing.</summary>
    public RoomTable Table { get; }

    /// <summary>/user/NAME-rooms.</summary>
    public IActorRef Rooms => Volatile.Read(ref _rooms) ?? ActorRefs.Nobody;

    public RoomSpanFigures Figures => new(
        Table.Rooms,
        Table.Listeners,
        _outboxes.Sum(static outbox => outbox.Payloads),
        _outboxes.Sum(static outbox => outbox.Bytes),
        _outboxes.Sum(static outbox => outbox.Packs),
        Volatile.Read(ref _received),
        _outboxes.Sum(static outbox => outbox.Behind),
        Inboxes.Sum(static inbox => inbox.Late))
    {
        OnTheWay = Table.Peers.Select(static peer => peer.OnTheWay).DefaultIfEmpty().Max(),
    };

    /// <summary>Begins to look for other members' rooms; twice is allowed. Any thread.</summary>
    /// <remarks>On a thread of its own: handlers that block the pool would hold up what acknowledges, and others would
    /// take this member for one that is behind.</remarks>
    public void Start() => Start(
        _system.Dispatchers.HasDispatcher(OwnThread) ? OwnThread : null,
        static system => DistributedPubSub.Get(system).Mediator,
        self => AkkaCluster.Get(_system).Subscribe(
            self,
            ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.IMemberEvent),
            typeof(ClusterEvent.ReachableMember)));

    /// <param name="dispatcher">The actor's; null for the default.</param>
    /// <param name="mediator">Finds what topics are asked of.</param>
    /// <param name="watch">Has the actor told of members.</param>
    internal void Start(string? dispatcher, Func<ActorSystem, IActorRef> mediator, Action<IActorRef> watch)
    {
        lock (_lock)
        {
            if (_rooms is null)
            {
                var props = RoomsActor.PropsOf(this, mediator(_system), watch, _time, _log);
                var placed = dispatcher is null ? props : props.WithDispatcher(dispatcher);
                Volatile.Write(ref _rooms, _system.ActorOf(placed, $"{_router}-rooms"));
            }
        }
    }

    /// <summary>Ends it: other members are told, and nothing comes any more. The loops must still be there.</summary>
    /// <exception cref="TimeoutException">It does not end in time.</exception>
    public async Task StopAsync(TimeSpan limit)
    {
        if (Volatile.Read(ref _rooms) is { } rooms)
        {
            var gone = rooms.WatchAsync();
            _system.Stop(rooms);
            await gone.WaitAsync(limit, _time).ConfigureAwait(false);
        }
    }

    public IRoomReach Open(string name, IRoomHearer room)
    {
        Check.That(_rooms is not null);
        var port = new RoomPort(this, Interlocked.Increment(ref _lastPort), $"room/{_router}/{name}", room);
        OnChanged(port);
        return port;
    }

    /// <summary>It was opened or closed. Any thread.</summary>
    public void OnChanged(RoomPort port)
    {
        _changed.Enqueue(port);
        if (Interlocked.Exchange(ref _isAsked, 1) == 0)
        {
            Rooms.Tell(RoomsChanged.Instance, ActorRefs.NoSender);
        }
    }

    /// <summary>Takes out those that have changed, so many at most. The actor's thread.</summary>
    /// <remarks>The actor is asked again for the others.</remarks>
    public IEnumerable<RoomPort> TakeChanged(int most)
    {
        Volatile.Write(ref _isAsked, 0);
        Interlocked.MemoryBarrier();   // what changes from here on asks again
        for (; most > 0 && _changed.TryDequeue(out var port); most--)
        {
            yield return port;
        }

        if (!_changed.IsEmpty && Interlocked.Exchange(ref _isAsked, 1) == 0)
        {
            Rooms.Tell(RoomsChanged.Instance, ActorRefs.NoSender);
        }
    }

    /// <inheritdoc cref="IRoomReach.Say"/>
    /// <param name="targets">Where it goes to.</param>
    public int Say(IoLoop loop, RoomTarget[] targets, ReadOnlySpan<byte> payload)
    {
        var missed = 0;
        foreach (var (peer, port) in targets)
        {
            missed += _outboxes[loop.Index].TryAdd(peer, port, payload) ? 0 : 1;
        }

        return missed;
    }

    /// <summary>The actor's thread.</summary>
    public void CountReceived(int payloads) => Volatile.Write(ref _received, _received + payloads);
}

/// <summary>Rooms were opened or closed.</summary>
internal sealed class RoomsChanged
{
    public static RoomsChanged Instance { get; } = new();
}
