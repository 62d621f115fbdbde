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
/// what is said in the room, directly.
/// </remarks>
internal sealed class RoomsActor : PackActor<RoomPeer>
{
    private const int ChangesPerTurn = 256;
    private const int ByesPerTick = 1_000;

    private readonly RoomSpan _span;
    private readonly RoomTable _table;
    private readonly RoomTopics _topics;
    private readonly HashSet<(IActorRef, long)> _byes = [];   // said in this tick

    public RoomsActor(RoomSpan span, RoomTopics topics, Action<IActorRef> watch, TimeProvider time, ILogger log)
        : base(watch, time, log)
    {
        (_span, _table, _topics) = (span, span.Table, topics);
        Receive<RoomHello>(OnHello);
        Receive<RoomBye>(OnBye);
        Receive<RoomsChanged>(_ => OnChanged());
        Receive<SubscribeAck>(subscribed => _topics.OnSubscribed(subscribed.Subscribe.Topic, Self));
        Receive<UnsubscribeAck>(static _ => { });
        Receive<ClusterEvent.MemberUp>(up => OnMember(up.Member.Address));
        Receive<ClusterEvent.ReachableMember>(found => OnMember(found.Member.Address));
        Receive<ClusterEvent.MemberRemoved>(removed => _table.RemoveMember(removed.Member.Address));
        Receive<ClusterEvent.IMemberEvent>(static _ => { });
    }

    protected override IEnumerable<RoomPeer> Peers => _table.Peers;

    protected override IEnumerable<PackInbox> Inboxes => _span.Inboxes;

    public static Props PropsOf(
        RoomSpan span, IActorRef mediator, Action<IActorRef> watch, TimeProvider time, ILogger log) =>
        Props.Create<RoomsActor>(span, new RoomTopics(mediator, time), watch, time, log);

    protected override void PostStop()
    {
        foreach (var peer in _table.Peers)
        {
            var topics = peer.Ports.Values.Distinct();
            Say(peer, topics.SelectMany(static topic => topic.Ports).Select(static port => port.Id));
        }
    }

    protected override RoomPeer? PeerOf(IActorRef sender) => _table.PeerOf(sender);

    protected override string? PassOn(RoomPeer peer, byte[] bytes, List<PackRun> runs)
    {
        var rooms = new List<(IRoomHearer, PackRun)>(runs.Count);
        foreach (var run in runs)
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

        var arrival = new RoomArrival(bytes, rooms);
        foreach (var inbox in _span.Inboxes)
        {
            var payloads = arrival.PayloadsFor(inbox.Loop);
            if (payloads > 0)
            {
                inbox.Add(arrival, payloads);
            }
        }

        return null;
    }

    protected override void OnTick()
    {
        _byes.Clear();
        _topics.OnTick(Self);
    }

    protected override void WriteBehind(string member, long payloads, long onTheWay) =>
        ClusterLog.RoomBehind(Log, member, payloads, onTheWay);

    protected override void WriteLate(long payloads, int loop) => ClusterLog.RoomLate(Log, payloads, loop);

    protected override void WriteRefused(string member, string error, long suppressed) =>
        ClusterLog.RoomPackRefused(Log, member, error, suppressed);

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
}
