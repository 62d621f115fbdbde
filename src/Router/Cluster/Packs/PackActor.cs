using Microsoft.Extensions.Logging;
using Router.Cluster.Members;
using Router.Sessions;

namespace Router.Cluster.Packs;

/// <summary>Takes in the packs of other members, and keeps account with each of them of what is on the way.</summary>
/// <remarks>What sessions send does not pass through here on its way out: loops send it.</remarks>
/// <typeparam name="TPeer">Another member.</typeparam>
internal abstract class PackActor<TPeer> : ReceiveActor, IWithTimers
    where TPeer : PackPeer
{
    protected const int TicksPerSecond = 5;

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1) / TicksPerSecond;

    private readonly Action<IActorRef> _watch;
    private readonly long _started;
    private readonly List<PackRun> _runs = [];
    private OncePerSecond _refusals;
    private int _ticks;

    /// <param name="watch">Has the actor told what becomes of members.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Of what is lost.</param>
    protected PackActor(Action<IActorRef> watch, TimeProvider time, ILogger log)
    {
        (_watch, Time, Log) = (watch, time, log);
        _started = time.GetTimestamp();
        Receive<Pack>(OnPack);
        Receive<PackAck>(ack => PeerOf(Sender)?.OnAck(ack.Position));
        Receive<PackProbe>(OnProbe);
        Receive<PackTick>(_ => TakeTick());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected TimeProvider Time { get; }

    protected ILogger Log { get; }

    /// <summary>Those that packs are sent to.</summary>
    protected abstract IEnumerable<TPeer> Peers { get; }

    /// <summary>Where their payloads wait for the loops.</summary>
    protected abstract IEnumerable<PackInbox> Inboxes { get; }

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(PackTick), PackTick.Instance, Tick);
        _watch(Self);
    }

    /// <summary>Nothing is forgotten: whoever sends goes on.</summary>
    protected override void PreRestart(Exception reason, object message)
    {
    }

    /// <returns>Null for who is not known to be a member.</returns>
    protected abstract TPeer? PeerOf(IActorRef sender);

    /// <summary>Gives what a pack has in it to the loops.</summary>
    /// <param name="peer">Who sent it.</param>
    /// <param name="bytes">The pack's own.</param>
    /// <param name="runs">What is in it; used again for the next one.</param>
    /// <returns>Why it cannot be read, or null.</returns>
    protected abstract string? PassOn(TPeer peer, byte[] bytes, List<PackRun> runs);

    protected abstract void OnTick();

    /// <summary>A member was not sent what it should have been.</summary>
    protected abstract void WriteBehind(string member, long payloads, long onTheWay);

    /// <summary>A loop did not take what had come for its sessions.</summary>
    protected abstract void WriteLate(long payloads, int loop);

    /// <summary>What a member sent is dropped.</summary>
    protected abstract void WriteRefused(string member, string error, long suppressed);

    private static void Acknowledge(TPeer peer) => peer.Actor.Tell(new PackAck(peer.TellReceived()));

    private static string TextOf(TPeer peer) => MemberTable.TextOf(peer.Address);

    private void OnPack(Pack pack)
    {
        if (PeerOf(Sender) is not { } peer)
        {
            return;
        }

        if (peer.OnPack(pack.Head))
        {
            Acknowledge(peer);
        }

        _runs.Clear();
        var error = PackRun.TryRead(pack.Bytes, _runs)
            ? PassOn(peer, pack.Bytes, _runs)
            : "its lengths do not add up";
        if (error is not null && _refusals.TryTake(NowMs(), out var suppressed))
        {
            WriteRefused(TextOf(peer), error, suppressed);
        }
    }

    private long NowMs() => (long)Time.GetElapsedTime(_started).TotalMilliseconds;

    private void OnProbe(PackProbe probe)
    {
        if (PeerOf(Sender) is { } peer)
        {
            peer.OnProbe(probe.Position);
            Acknowledge(peer);
        }
    }

    private void TakeTick()
    {
        OnTick();
        foreach (var peer in Peers)
        {
            if (peer.OnTick())
            {
                peer.Actor.Tell(new PackProbe(peer.Sent));
            }
        }

        if (++_ticks % TicksPerSecond == 0)
        {
            WriteLosses();
        }
    }

    private void WriteLosses()
    {
        foreach (var peer in Peers)
        {
            var missed = peer.Missed;
            if (missed > peer.MissedLogged)
            {
                WriteBehind(TextOf(peer), missed - peer.MissedLogged, peer.OnTheWayWhenMissed);
                peer.MissedLogged = missed;
            }
        }

        foreach (var inbox in Inboxes)
        {
            var late = inbox.Late;
            if (late > inbox.LateLogged)
            {
                WriteLate(late - inbox.LateLogged, inbox.Loop.Index);
                inbox.LateLogged = late;
            }
        }
    }
}

/// <summary>A fifth of a second has passed.</summary>
internal sealed class PackTick
{
    public static PackTick Instance { get; } = new();
}
