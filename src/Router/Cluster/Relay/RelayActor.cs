using Akka.Cluster;
using Microsoft.Extensions.Logging;
using Router.Cluster.Members;
using Router.Cluster.Packs;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Cluster.Relay;

/// <summary>Knows which members have a relay and when the members have changed, and takes in what they relay.</summary>
/// <remarks>What sessions relay does not pass through here on its way out: loops send it.</remarks>
internal sealed class RelayActor : ReceiveActor, IWithTimers
{
    private const int TicksPerSecond = 5;
    private const int HelloTicksMax = 30 * TicksPerSecond;
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1) / TicksPerSecond;

    private readonly RelaySpan _span;
    private readonly RelayTable _table;
    private readonly Action<IActorRef> _watch;
    private readonly Func<Member, IActorRef?> _relayOf;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly long _started;
    private readonly List<PackRun> _runs = [];
    private OncePerSecond _refusals;
    private long _changed;
    private int _ticks;

    public RelayActor(
        RelaySpan span, Action<IActorRef> watch, Func<Member, IActorRef?> relayOf, TimeProvider time, ILogger log)
    {
        (_span, _table, _watch, _relayOf, _time, _log) = (span, span.Table, watch, relayOf, time, log);
        _started = time.GetTimestamp();
        Receive<RelayPack>(OnPack);
        Receive<RelayAck>(ack => _table.PeerOf(Sender)?.OnAck(ack.Position));
        Receive<RelayProbe>(OnProbe);
        Receive<RelayHello>(OnHello);
        Receive<RelayTick>(_ => OnTick());
        Receive<RelayDrains>(_ => Say(RelayHelloKind.Drains));
        Receive<ClusterEvent.MemberRemoved>(OnRemoved);
        Receive<ClusterEvent.IMemberEvent>(seen => OnMember(seen.Member));
        Receive<ClusterEvent.UnreachableMember>(lost => OnReachability(lost.Member, isUnreachable: true));
        Receive<ClusterEvent.ReachableMember>(found => OnReachability(found.Member, isUnreachable: false));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props PropsOf(
        RelaySpan span, Action<IActorRef> watch, Func<Member, IActorRef?> relayOf, TimeProvider time, ILogger log) =>
        Props.Create<RelayActor>(span, watch, relayOf, time, log);

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(RelayTick), RelayTick.Instance, Tick);
        OnChanged();
        _watch(Self);
    }

    /// <summary>Nothing is forgotten: the relay goes on.</summary>
    protected override void PreRestart(Exception reason, object message)
    {
    }

    protected override void PostStop() => Say(RelayHelloKind.Ends);

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
            OnTick(added);   // peers that stray may come at once
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
        _changed = _time.GetTimestamp();
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
            member.Peer?.Remove();
            member.Peer = null;
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

    private void OnPack(RelayPack pack)
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
        if (!PackRun.TryRead(pack.Bytes, _runs) || PartsOf(pack.Bytes, peer) is not { } parts)
        {
            Refuse(peer);
            return;
        }

        var arrival = new RelayArrival(peer, pack.Bytes, parts);
        var hasNotes = parts.Exists(static part => part.Note is not null);
        foreach (var loop in _span.Loops)
        {
            var payloads = arrival.PayloadsFor(loop.Loop);
            if (hasNotes || payloads > 0)
            {
                loop.Inbox.Add(arrival, payloads);
            }
        }
    }

    /// <returns>Null if what should be a note is none.</returns>
    private List<(PackRun Run, RelayNote? Note)>? PartsOf(byte[] pack, RelayPeer peer)
    {
        var parts = new List<(PackRun, RelayNote?)>(_runs.Count);
        foreach (var run in _runs)
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

    private void OnProbe(RelayProbe probe)
    {
        if (_table.PeerOf(Sender) is { } peer)
        {
            peer.OnProbe(probe.Position);
            Acknowledge(peer);
        }
    }

    private static void Acknowledge(RelayPeer peer) => peer.Actor.Tell(new RelayAck(peer.TellReceived()));

    private void OnTick()
    {
        var sinceChange = _time.GetElapsedTime(_changed);
        if (_span.Options.StraysFor != Timeout.InfiniteTimeSpan && sinceChange >= _span.Options.StraysFor)
        {
            _span.IsLooking = false;
        }

        foreach (var member in _table.Members)
        {
            OnTick(member);
        }

        _span.IsFinding = _table.IsFinding;

        if (++_ticks % TicksPerSecond == 0)
        {
            WriteLosses();
        }
    }

    private void OnTick(RelayMember member)
    {
        if (member.Peer is not { } peer)
        {
            if (member.TicksLeft-- <= 0)
            {
                member.TicksLeft = Math.Min(HelloTicksMax, 1 << Math.Min(member.Asked++, 16)) - 1;
                member.Relay.Tell(new RelayHello(RelayHelloKind.Asks));
            }

            return;
        }

        if (peer.OnTick())
        {
            peer.Actor.Tell(new RelayProbe(peer.Sent));
        }
    }

    private void WriteLosses()
    {
        foreach (var peer in _table.Peers)
        {
            var missed = peer.Missed;
            if (missed > peer.MissedLogged)
            {
                ClusterLog.RelayBehind(_log, TextOf(peer), missed - peer.MissedLogged, peer.OnTheWayWhenMissed);
                peer.MissedLogged = missed;
            }
        }

        foreach (var inbox in _span.Loops.Select(static loop => loop.Inbox))
        {
            var late = inbox.Late;
            if (late > inbox.LateLogged)
            {
                ClusterLog.RelayLate(_log, late - inbox.LateLogged, inbox.Loop.Index);
                inbox.LateLogged = late;
            }
        }
    }

    private void Refuse(RelayPeer peer)
    {
        var nowMs = (long)_time.GetElapsedTime(_started).TotalMilliseconds;
        if (_refusals.TryTake(nowMs, out var suppressed))
        {
            ClusterLog.RelayPackRefused(_log, TextOf(peer), "it cannot be read", suppressed);
        }
    }

    private static string TextOf(RelayPeer peer) => MemberTable.TextOf(peer.Address);
}

/// <summary>A fifth of a second has passed.</summary>
internal sealed class RelayTick
{
    public static RelayTick Instance { get; } = new();
}

/// <summary>This member drains.</summary>
internal sealed class RelayDrains
{
    public static RelayDrains Instance { get; } = new();
}
