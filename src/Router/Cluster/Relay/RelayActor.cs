using Akka.Cluster;
using Microsoft.Extensions.Logging;
using Router.Cluster.Packs;
using Router.Diagnostics;

namespace Router.Cluster.Relay;

/// <summary>Knows which members have a relay and when the members have changed, and takes in what they relay.</summary>
internal sealed class RelayActor : PackActor<RelayPeer>
{
    private const int HelloTicksMax = 30 * TicksPerSecond;

    private readonly RelaySpan _span;
    private readonly RelayTable _table;
    private readonly Func<Member, IActorRef?> _relayOf;
    private long _changed;

    public RelayActor(
        RelaySpan span, Action<IActorRef> watch, Func<Member, IActorRef?> relayOf, TimeProvider time, ILogger log)
        : base(watch, time, log)
    {
        (_span, _table, _relayOf) = (span, span.Table, relayOf);
        Receive<RelayHello>(OnHello);
        Receive<RelayDrains>(_ => Say(RelayHelloKind.Drains));
        Receive<ClusterEvent.MemberRemoved>(OnRemoved);
        Receive<ClusterEvent.IMemberEvent>(seen => OnMember(seen.Member));
        Receive<ClusterEvent.UnreachableMember>(lost => OnReachability(lost.Member, isUnreachable: true));
        Receive<ClusterEvent.ReachableMember>(found => OnReachability(found.Member, isUnreachable: false));
    }

    protected override IEnumerable<RelayPeer> Peers => _table.Peers;

    protected override IEnumerable<PackInbox> Inboxes => _span.Loops.Select(static loop => loop.Inbox);

    public static Props PropsOf(
        RelaySpan span, Action<IActorRef> watch, Func<Member, IActorRef?> relayOf, TimeProvider time, ILogger log) =>
        Props.Create<RelayActor>(span, watch, relayOf, time, log);

    protected override void PreStart()
    {
        OnChanged();
        base.PreStart();
    }

    protected override void PostStop() => Say(RelayHelloKind.Ends);

    protected override RelayPeer? PeerOf(IActorRef sender) => _table.PeerOf(sender);

    protected override string? PassOn(RelayPeer peer, byte[] bytes, List<PackRun> runs)
    {
        if (PartsOf(bytes, runs, peer) is not { } parts)
        {
            return "a note in it is none";
        }

        var arrival = new RelayArrival(peer, bytes, parts);
        var hasNotes = parts.Exists(static part => part.Note is not null);
        foreach (var loop in _span.Loops)
        {
            var payloads = arrival.PayloadsFor(loop.Loop);
            if (hasNotes || payloads > 0)
            {
                loop.Inbox.Add(arrival, payloads);
            }
        }

        return null;
    }

    protected override void OnTick()
    {
        var sinceChange = Time.GetElapsedTime(_changed);
        if (_span.Options.StraysFor != Timeout.InfiniteTimeSpan && sinceChange >= _span.Options.StraysFor)
        {
            _span.IsLooking = false;
        }

        foreach (var member in _table.Members)
        {
            AskAgain(member);
        }

        _span.IsFinding = _table.IsFinding;
    }

    protected override void WriteBehind(string member, long payloads, long onTheWay) =>
        ClusterLog.RelayBehind(Log, member, payloads, onTheWay);

    protected override void WriteLate(long payloads, int loop) => ClusterLog.RelayLate(Log, payloads, loop);

    protected override void WriteRefused(string member, string error, long suppressed) =>
        ClusterLog.RelayPackRefused(Log, member, error, suppressed);

    /// <summary>A member that has not said whether it has a relay is asked, less and less often.</summary>
    private static void AskAgain(RelayMember member)
    {
        if (member.Peer is null && member.TicksLeft-- <= 0)
        {
            member.TicksLeft = Math.Min(HelloTicksMax, 1 << Math.Min(member.Asked++, 16)) - 1;
            member.Relay.Tell(new RelayHello(RelayHelloKind.Asks));
        }
    }

    private void Say(RelayHelloKind kind)
    {
        foreach (var peer in _table.Peers)
        {
            peer.Actor.Tell(new RelayHello(kind), Self);
        }
    }

    /// <summary>Whatever happens to a member: it may change where a balancer sends peers to.</summary>
    private void OnMember(Member member)
    {
        if (_relayOf(member) is { } relay && _table.Add(relay, member.UniqueAddress.Uid) is { } added)
        {
            AskAgain(added);   // peers that stray may come at once
        }

        OnChanged();
    }

    private void OnRemoved(ClusterEvent.MemberRemoved removed)
    {
        if (_relayOf(removed.Member) is { } relay)
        {
            _table.Remove(relay, removed.Member.UniqueAddress.Uid);
        }

        OnChanged();
    }

    private void OnReachability(Member member, bool isUnreachable)
    {
        if (_relayOf(member) is { } relay && _table.Of(relay) is { } known)
        {
            known.IsUnreachable = isUnreachable;
        }

        OnChanged();
    }

    private void OnChanged()
    {
        _changed = Time.GetTimestamp();
        _span.Peers = _table.Reachable;
        _span.IsFinding = _table.IsFinding;
        _span.IsLooking = _span.Options.StraysFor != TimeSpan.Zero;
    }

    private void OnHello(RelayHello hello)
    {
        if (_table.Of(Sender) is not { } member)
        {
            return;   // it is not known to be a member yet; it asks again
        }

        if (hello.Kind == RelayHelloKind.Ends)
        {
            _table.RemovePeer(member);
        }
        else
        {
            _table.OnThere(member, Sender);
        }

        if (hello.Kind == RelayHelloKind.Asks)
        {
            Sender.Tell(new RelayHello(RelayHelloKind.Answers));
        }

        OnChanged();
    }

    /// <returns>Null if what should be a note is none.</returns>
    private List<(PackRun Run, RelayNote? Note)>? PartsOf(byte[] pack, List<PackRun> runs, RelayPeer peer)
    {
        var parts = new List<(PackRun, RelayNote?)>(runs.Count);
        foreach (var run in runs)
        {
            if (run.Port != 0)
            {
                parts.Add((run, null));
                continue;
            }

            ReadOnlySpan<byte> bytes = pack.AsSpan(run.Start, run.Length);
            while (PackRun.TryTake(ref bytes, out var payload))
            {
                if (RelayNotes.Read(payload, peer, _span.Loops.Count) is not { } note)
                {
                    return null;
                }

                parts.Add((run, note));
            }
        }

        return parts;
    }
}

/// <summary>This member drains.</summary>
internal sealed class RelayDrains
{
    public static RelayDrains Instance { get; } = new();
}
