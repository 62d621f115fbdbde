using Akka.Cluster;
using Akka.Cluster.Tools.PublishSubscribe;
using Microsoft.Extensions.Logging;
using Router.Cluster.Packs;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Cluster.Rooms;

/// <summary>Finds out which members have sessions in this member's rooms, and takes in what they say.</summary>
/// <remarks>
/// A room's topic says who is in it: who hears its announcement there answers, and from then on the two send each other
/// what is said in the room, directly. What a session says does not pass through here: loops send it.
/// </remarks>
internal sealed class RoomsActor : ReceiveActor, IWithTimers
{
    private const int ChangesPerTurn = 256;
    private const int ByesPerTick = 1_000;
    private const int TicksPerSecond = 5;
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1) / TicksPerSecond;

    private readonly RoomSpan _span;
    private readonly RoomTable _table;
    private readonly RoomTopics _topics;
    private readonly Action<IActorRef> _watch;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly long _started;
    private readonly List<PackRun> _runs = [];
    private readonly HashSet<(IActorRef, long)> _byes = [];   // said in this tick
    private OncePerSecond _refusals;
    private int _ticks;

    public RoomsActor(RoomSpan span, RoomTopics topics, Action<IActorRef> watch, TimeProvider time, ILogger log)
    {
        (_span, _table, _topics, _watch, _time, _log) = (span, span.Table, topics, watch, time, log);
        _started = time.GetTimestamp();
        Receive<RoomPack>(OnPack);
        Receive<RoomAck>(ack => _table.PeerOf(Sender)?.OnAck(ack.Position));
        Receive<RoomProbe>(OnProbe);
        Receive<RoomHello>(OnHello);
        Receive<RoomBye>(OnBye);
        Receive<RoomsChanged>(_ => OnChanged());
        Receive<RoomTick>(_ => OnTick());
        Receive<SubscribeAck>(subscribed => _topics.OnSubscribed(subscribed.Subscribe.Topic, Self));
        Receive<UnsubscribeAck>(static _ => { });
        Receive<ClusterEvent.MemberUp>(up => OnMember(up.Member.Address));
        Receive<ClusterEvent.ReachableMember>(found => OnMember(found.Member.Address));
        Receive<ClusterEvent.MemberRemoved>(removed => _table.RemoveMember(removed.Member.Address));
        Receive<ClusterEvent.IMemberEvent>(static _ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props PropsOf(
        RoomSpan span, IActorRef mediator, Action<IActorRef> watch, TimeProvider time, ILogger log) =>
        Props.Create<RoomsActor>(span, new RoomTopics(mediator, time), watch, time, log);

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(RoomTick), RoomTick.Instance, Tick);
        _watch(Self);
    }

    /// <summary>Nothing is forgotten: the rooms and topics go on.</summary>
    protected override void PreRestart(Exception reason, object message)
    {
    }

    protected override void PostStop()
    {
        foreach (var peer in _table.Peers)
        {
            var topics = peer.Ports.Values.Distinct();
            Say(peer, topics.SelectMany(static topic => topic.Ports).Select(static port => port.Id));
        }
    }

    private static void Say(RoomPeer peer, IEnumerable<long> gone)
    {
        foreach (var ports in gone.Chunk(RoomFormats.PortsMax))
        {
            peer.Actor.Tell(new RoomBye(ports));
        }
    }

    private void OnMember(Address member)
    {
        _table.AddMember(member);
        _topics.AnnounceAll();
    }

    private void OnChanged()
    {
        var byes = new Dictionary<RoomPeer, List<long>>();
        foreach (var port in _span.TakeChanged(ChangesPerTurn))
        {
            if (!port.IsClosed)
            {
                _table.Add(port);
                _topics.Add(port, Self);
            }
            else if (_table.Remove(port) && _topics.Remove(port, Self) is { } topic)
            {
                foreach (var peer in topic.Peers)
                {
                    byes.TryAdd(peer, []);
                    byes[peer].Add(port.Id);
                }

                if (topic.Ports.Count == 0)
                {
                    topic.RemovePeers();
                }
            }
        }

        foreach (var (peer, ports) in byes)
        {
            Say(peer, ports);
        }

        _table.Count();
    }

    private void OnHello(RoomHello hello)
    {
        if (Sender.Equals(Self)
            || _table.PeerOf(Sender) is not { } peer
            || !_topics.TryGet(hello.Topic, out var topic)
            || topic.Ports.Count == 0)
        {
            return;
        }

        var isNew = topic.Set(peer, hello.Ports);
        _table.Count();
        if (isNew || hello.WantsAnswer)
        {
            Sender.Tell(RoomTopics.HelloOf(topic, wantsAnswer: false));
        }
    }

    private void OnBye(RoomBye bye)
    {
        if (_table.PeerOf(Sender) is not { } peer)
        {
            return;
        }

        foreach (var port in bye.Ports)
        {
            if (peer.Ports.TryGetValue(port, out var topic))
            {
                topic.Remove(peer, port);
            }
        }

        _table.Count();
    }

    private void OnPack(RoomPack pack)
    {
        if (_table.PeerOf(Sender) is not { } peer)
        {
            return;
        }

        if (peer.OnPack(pack.Head))
        {
            Acknowledge(peer);
        }

        _runs.Clear();
        if (!PackRun.TryRead(pack.Bytes, _runs))
        {
            Refuse(peer);
            return;
        }

        var rooms = new List<(IRoomHearer, PackRun)>(_runs.Count);
        foreach (var run in _runs)
        {
            if (_table.PortOf(run.Port) is { } port)
            {
                rooms.Add((port.Room, run));
                _span.CountReceived(run.Payloads);
            }
            else if (_byes.Count < ByesPerTick && _byes.Add((Sender, run.Port)))
            {
                Sender.Tell(new RoomBye([run.Port]));
            }
        }

        PassOn(new RoomArrival(pack.Bytes, rooms));
    }

    private void PassOn(RoomArrival arrival)
    {
        foreach (var inbox in _span.Inboxes)
        {
            var payloads = arrival.PayloadsFor(inbox.Loop);
            if (payloads > 0)
            {
                inbox.Add(arrival, payloads);
            }
        }
    }

    private void OnProbe(RoomProbe probe)
    {
        if (_table.PeerOf(Sender) is { } peer)
        {
            peer.OnProbe(probe.Position);
            Acknowledge(peer);
        }
    }

    private static void Acknowledge(RoomPeer peer) => peer.Actor.Tell(new RoomAck(peer.TellReceived()));

    private void OnTick()
    {
        _byes.Clear();
        _topics.OnTick(Self);
        foreach (var peer in _table.Peers)
        {
            if (peer.OnTick())
            {
                peer.Actor.Tell(new RoomProbe(peer.Sent));
            }
        }

        if (++_ticks % TicksPerSecond == 0)
        {
            WriteLosses();
        }
    }

    private void WriteLosses()
    {
        foreach (var peer in _table.Peers)
        {
            var missed = peer.Missed;
            if (missed > peer.MissedLogged)
            {
                ClusterLog.RoomBehind(_log, TextOf(peer), missed - peer.MissedLogged, peer.OnTheWayWhenMissed);
                peer.MissedLogged = missed;
            }
        }

        foreach (var inbox in _span.Inboxes)
        {
            var late = inbox.Late;
            if (late > inbox.LateLogged)
            {
                ClusterLog.RoomLate(_log, late - inbox.LateLogged, inbox.Loop.Index);
                inbox.LateLogged = late;
            }
        }
    }

    private void Refuse(RoomPeer peer)
    {
        var nowMs = (long)_time.GetElapsedTime(_started).TotalMilliseconds;
        if (_refusals.TryTake(nowMs, out var suppressed))
        {
            ClusterLog.RoomPackRefused(_log, TextOf(peer), "its lengths do not add up", suppressed);
        }
    }

    private static string TextOf(RoomPeer peer) => Members.MemberTable.TextOf(peer.Address);
}

/// <summary>A fifth of a second has passed.</summary>
internal sealed class RoomTick
{
    public static RoomTick Instance { get; } = new();
}
