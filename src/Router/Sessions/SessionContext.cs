using System.Net;
using System.Runtime.CompilerServices;
using Router.Diagnostics;
using Router.Loop;
using Router.Net;

namespace Router.Sessions;

/// <summary>
/// A session as its handler sees it: who the peer is, how to answer, when it ends. Outlives restarts of the handler.
/// </summary>
/// <remarks>
/// Used within the handler's calls only. Its one place in the loop's timer wheel serves idle timeout, lifetime and the
/// handler's
/// timer: a payload only writes the time, the wheel looks again when the earliest deadline comes.
/// </remarks>
public sealed partial class SessionContext : LoopTimer, IIoReceiver
{
    private const int AsConfigured = -1;

    /// <summary>Who may have the actor's reference: nobody else; somebody; the actor is another session's.</summary>
    private const byte Private = 0, Shared = 1, GivenAway = 2;

    /// <summary>Sizes as docs/performance.md has them; what they are off by costs a line that comes late.</summary>
    private const int ContextBytes = 240, ActorBytes = 72;

    /// <summary>Of the key: a field, because a property would copy 32 bytes per look-up. Fixed once it has begun, as
    /// are the next four.</summary>
    internal SocketAddr PeerAddr;

    private Shard _shard;
    private SharedStart _start;
    private byte _reach;
    private long _openedMs;
    private long _openedTicksUtc;
    private SessionExtras? _extras;
    private long _lastActiveMs;
    private int _ownIdleTimeoutMs = AsConfigured;   // the handler's wish, if it had one

    /// <summary>Makes one for a session to come; <see cref="Begin"/> says whose.</summary>
    internal SessionContext() => (_shard, _start) = (null!, null!);

    /// <summary>A session that begins now, prepared if there is such a one. Not open yet: its listener starts it.
    /// </summary>
    internal static SessionContext Begin(
        Shard shard, SessionTransport transport, in SocketAddr peer, in LocalAddr local)
    {
        var session = shard.SpareSessions.TryTake(shard) ?? new SessionContext();
        session.Init(shard, transport, peer, local);
        return session;
    }

    /// <summary>128 bits, unique across restarts and members.</summary>
    public SessionId Id { get; private set; }

    /// <summary>The name of the listener that the peer came to.</summary>
    public string Listener => _shard.Listener;

    /// <summary>The name of the route that the session goes by.</summary>
    public string RouteName => Route.Name;

    /// <summary>What the session's bytes go by.</summary>
    public SessionTransport Transport { get; private set; }

    /// <summary>The peer's endpoint; allocates. A peer of a unix socket has none, and 255.255.255.255:0 here: see
    /// <see cref="PeerText"/>.</summary>
    public IPEndPoint PeerEndPoint => PeerAddr.ToIPEndPoint();

    /// <summary>As records have it: <c>192.0.2.7:5000</c>, <c>unix:/run/client.sock</c>, <c>unix:@abstract</c>, and
    /// <c>unix:-</c> for a connection without a name. Allocates.</summary>
    public string PeerText => PeerAddr.ToString();

    /// <summary>Of a peer of a unix socket, told by the kernel: as of its connect, or of its first message. Null for
    /// all others. A peer that goes on under other credentials is another session.</summary>
    public PeerCredentials? PeerCredentials => UnixAddress.CredentialsOf(PeerAddr);

    /// <summary>The session's actor: tell it to have <see cref="SessionHandler.OnMessage"/> called. Ask, watch and pipe
    /// to it from anywhere. It is this session's alone: once its session has ended, a message is a dead letter.
    /// </summary>
    public IActorRef Self => MarkShared() ? Ref : ActorRefs.Nobody;

    /// <summary>The same for the router's own use: for nobody who keeps it beyond the session's end.</summary>
    internal IActorRef Ref { get; set; } = ActorRefs.Nobody;

    /// <summary>Somebody may have the reference of the session's actor, which so serves no other peer.</summary>
    internal bool IsShared => Volatile.Read(ref _reach) == Shared;

    /// <summary>Something waits in its mailbox. In its own turn.</summary>
    internal bool HasMessages => Actor is not { HasMessages: false };

    /// <summary>Not only made ahead.</summary>
    internal bool HasBegun => _shard is not null;

    /// <summary>Handlers replaced after failures so far.</summary>
    public int Restarts => _extras?.Restarts ?? 0;

    /// <summary>It has ended, or is about to: nothing is received any more.</summary>
    public bool IsClosed => Closing != CloseReason.None;

    /// <summary>Payloads from the peer: datagrams or messages, or reads of a stream.</summary>
    public long PayloadsReceived { get; private set; }

    /// <summary>Bytes from the peer.</summary>
    public long BytesReceived { get; private set; }

    /// <summary>Payloads to the peer that were handed over for sending.</summary>
    public long PayloadsSent { get; private set; }

    /// <summary>Bytes to the peer that were handed over for sending.</summary>
    public long BytesSent { get; private set; }

    /// <summary>Payloads of this session that were discarded, for any reason.</summary>
    public long Drops => _extras?.DropCount ?? 0;

    /// <summary>
    /// Silence in both directions that ends the session; <see cref="Timeout.InfiniteTimeSpan"/> for never. At least 1
    /// ms.
    /// </summary>
    public TimeSpan IdleTimeout
    {
        get => IdleTimeoutMs == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(IdleTimeoutMs);
        set
        {
            _ownIdleTimeoutMs = value == Timeout.InfiniteTimeSpan
                ? 0
                : (int)Math.Clamp(value.TotalMilliseconds, 1, int.MaxValue);
            OnLoop(static session => session.Arm());
        }
    }

    /// <summary>The listener's when the session began: a later one is for later sessions.</summary>
    internal Route Route => _start.Route;

    /// <summary>Of the key: where the peer sent to, on a wildcard bind; empty otherwise.</summary>
    internal ref readonly LocalAddr LocalAddr => ref _start.Local;

    internal DateTimeOffset OpenedAt => new(_openedTicksUtc, TimeSpan.Zero);

    /// <summary>Wall-clock time, for what is written down or told to peers.</summary>
    internal DateTimeOffset Now => _shard.Events.Now;

    /// <summary>Of the key, where the shard has a table; of a stream session its place among the open ones.</summary>
    internal uint TableHash { get; set; }

    /// <summary>The run being gathered for this session while its listener splits a batch; null otherwise.</summary>
    internal DatagramRun? Run { get; set; }

    /// <summary>Its drops by reason, as <c>reason=count</c> separated by spaces; null if there were none.</summary>
    internal string? DropReasons => _extras?.Drops?.ToString();

    internal Shard Shard => _shard;

    /// <summary>The same, of a session whose peer sends datagrams to the listener.</summary>
    internal DatagramShard Datagrams => (DatagramShard)_shard;

    internal IoLoop Loop => _shard.Loop;

    internal SessionHandler? Handler { get; set; }

    internal SessionActor? Actor { get; set; }

    /// <summary>The upstream the session goes to, for the access record; null on routes without.</summary>
    internal string? Upstream { get; set; }

    /// <summary>Why the session is ending; None while it is open.</summary>
    internal CloseReason Closing { get; private set; }

    /// <summary>Milliseconds open, by the loop's clock.</summary>
    internal long AgeMs => Loop.NowMs - _openedMs;

    /// <summary>Null where the handler runs on the loop.</summary>
    internal PoolBridge? Pool => _extras?.Pool;

    private SessionExtras Extras => _extras ??= new SessionExtras();

    private long TimerSetMs => _extras?.TimerSetMs ?? -1;

    /// <summary>
    /// Has <see cref="SessionHandler.OnTimer"/> called once after <paramref name="delay"/>; replaces an earlier one.
    /// </summary>
    public void SetTimer(TimeSpan delay)
    {
        Extras.TimerSetMs = Loop.NowMs + Math.Max(1, (long)Math.Ceiling(delay.TotalMilliseconds));
        OnLoop(static session => session.Arm());
    }

    /// <summary>Takes the timer back.</summary>
    public void CancelTimer()
    {
        if (_extras is { } extras)
        {
            extras.TimerSetMs = -1;
        }
    }

    /// <summary>Ends the session once everything queued has been sent. Payloads that still wait are dropped.</summary>
    public void Close() => Close(CloseReason.Done);

    /// <summary>Counts discarded payloads; the counters are the loop's.</summary>
    internal void CountDrop(DropReason reason, long count = 1)
    {
        if (!Loop.IsCurrent && _shard.Settings.OnPool)
        {
            OnLoop(static (session, drop) => session.CountDrop(drop.reason, drop.count), (reason, count));
            return;
        }

        var extras = Extras;
        extras.DropCount += count;
        (extras.Drops ??= new DropCounters()).Add(reason, count);
        _shard.Counters.Drops.Add(reason, count);
    }

    /// <summary>Counts a payload message in, if the mailbox has room for it. Loop thread.</summary>
    internal bool TryEnter(int messages, int bytes) => Extras.TryEnter(_shard.Settings, messages, bytes);

    /// <summary>Counts it out again: handled or dropped. Any thread.</summary>
    internal void Leave(int messages, int bytes) => _extras!.Leave(messages, bytes);

    /// <summary>Counts some payloads of a message out, whose others still wait in its buffer.</summary>
    internal void LeavePart(int messages, int bytes) => _extras!.LeavePart(messages, bytes);

    /// <summary>Runs a step on the loop's thread: at once if this is it.</summary>
    internal void OnLoop(Action<SessionContext> step)
    {
        if (Loop.IsCurrent)
        {
            step(this);
        }
        else
        {
            Loop.Enqueue(new LoopStep(this, step));
        }
    }

    /// <summary>The same, with what the step needs: one that captured it would cost an object also where this is the
    /// loop, at every drop and every end.</summary>
    internal void OnLoop<T>(Action<SessionContext, T> step, T with)
    {
        if (Loop.IsCurrent)
        {
            step(this, with);
        }
        else
        {
            Loop.Enqueue(new LoopStep<T>(this, step, with));
        }
    }

    /// <summary>A datagram of the session is about to be handled.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Prefetch() => CacheLines.Prefetch(this, ContextBytes);

    /// <summary>The same, once the session itself is at hand: its actor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void PrefetchActor() => CacheLines.Prefetch(Actor, ActorBytes);

    /// <summary>Something came or went: the idle deadline moves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Touch() => _lastActiveMs = Loop.NowMs;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void CountReceived(int payloads, long bytes)
    {
        PayloadsReceived += payloads;
        BytesReceived += bytes;
        _shard.Counters.PayloadsIn += payloads;
        _shard.Counters.BytesIn += bytes;
        Touch();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void CountSent(int payloads, long bytes)
    {
        PayloadsSent += payloads;
        BytesSent += bytes;
        _shard.Counters.PayloadsOut += payloads;
        _shard.Counters.BytesOut += bytes;
        Touch();
    }

    /// <summary>
    /// Puts the session into the wheel at its earliest deadline, if it has one and is not there sooner already.
    /// </summary>
    internal void Arm()
    {
        var due = NextDeadlineMs();
        if (due == long.MaxValue || IsClosed)
        {
            return;
        }

        if (!IsArmed || TimerDueMs > due)
        {
            Loop.Schedule(this, due);
        }
    }

    /// <summary>Lazy: most often the session was active meanwhile and only moves on in the wheel.</summary>
    internal override void OnTimer()
    {
        if (IsClosed && !IsLingering)
        {
            return;
        }

        var due = IsLingering ? 0 : NextDeadlineMs();
        if (due <= Loop.NowMs)
        {
            if (Actor is { CanTurnNow: true } actor && !_shard.Settings.OnPool)
            {
                actor.TickNow();
            }
            else
            {
                Ref.Tell(SessionTick.Instance, ActorRefs.NoSender);
            }

            return;
        }

        if (due != long.MaxValue)
        {
            Loop.Schedule(this, due);
        }
    }

    /// <summary>In the session's turn: acts on the deadlines that have come.</summary>
    internal void OnTick()
    {
        if (IsLingering)
        {
            StopActor();
            return;
        }

        var now = Loop.NowMs;
        var settings = _shard.Settings;
        if (settings.MaxLifetimeMs > 0 && now - _openedMs >= settings.MaxLifetimeMs)
        {
            Close(CloseReason.Lifetime);
        }
        else if (IdleTimeoutMs > 0 && now - _lastActiveMs >= IdleTimeoutMs)
        {
            Close(CloseReason.Idle);
        }
        else
        {
            Arm();
            if (TimerSetMs >= 0 && now >= TimerSetMs)
            {
                CancelTimer();
                Handler!.OnTimer(this);
            }
        }
    }

    /// <summary>Says that somebody may have the reference from now on. Any thread.</summary>
    /// <returns>False where the actor is another session's by now.</returns>
    internal bool MarkShared() => Interlocked.CompareExchange(ref _reach, Shared, Private) != GivenAway;

    /// <summary>Parts with its actor, for the next peer's session. Loop thread; the session has ended.</summary>
    /// <returns>False if somebody may have the reference.</returns>
    internal bool TryGiveAway()
    {
        if (Interlocked.CompareExchange(ref _reach, GivenAway, Private) != Private)
        {
            return false;
        }

        Ref = ActorRefs.Nobody;
        return true;
    }

    /// <summary>As new, with an actor: a session to come.</summary>
    internal void Reset(SessionActor actor, IActorRef self)
    {
        Check.That(!IsArmed);
        (Actor, Ref) = (actor, self);
        (_shard, _start) = (null!, null!);
        _extras = null;
        _ownIdleTimeoutMs = AsConfigured;
        (PayloadsReceived, BytesReceived, PayloadsSent, BytesSent) = (0, 0, 0, 0);
        (Handler, Upstream, Run, _carrier) = (null, null, null, null);
        (_ended, HasFailed, MustEnd, IsLingering) = (false, false, false, false);
        (_validated, _budgetBytes) = (false, 0);
        Closing = CloseReason.None;
        Volatile.Write(ref _reach, Private);
    }

    private void Init(Shard shard, SessionTransport transport, in SocketAddr peer, in LocalAddr local)
    {
        _shard = shard;
        Transport = transport;
        PeerAddr = peer;
        _start = shard.Share(local);
        Id = shard.Ids.Next();
        _openedTicksUtc = shard.Events.Now.UtcTicks;
        _openedMs = shard.Loop.NowMs;
        _lastActiveMs = _openedMs;
        if (shard.Settings.OnPool)
        {
            var extras = new SessionExtras();   // now, because two threads will look for it
            extras.Pool = new PoolBridge(this, extras);
            _extras = extras;
        }

        if (peer.IsUnix)
        {
            UnixNames.Hold(peer);
            _validated = true;   // nobody can send under another's name
        }
    }

    /// <summary>0 for never.</summary>
    private int IdleTimeoutMs => _ownIdleTimeoutMs == AsConfigured ? _shard.Settings.IdleTimeoutMs : _ownIdleTimeoutMs;

    /// <summary>Its deadlines may have come nearer.</summary>
    internal void Rearm() => OnLoop(static session => session.Arm());

    /// <summary>On the loop: the session's deadline may be nearer than it was.</summary>
    /// <returns>False: the session need not be told.</returns>
    internal bool ArmAgain()
    {
        Arm();
        return false;
    }

    /// <summary>Has the session look at its route, if it goes by it.</summary>
    /// <returns>Whether it was told so.</returns>
    internal bool TellChange(RouteChanged changed)
    {
        if (!Route.Involves(changed.Route))
        {
            return false;
        }

        Ref.Tell(changed, ActorRefs.NoSender);
        return true;
    }

    private long NextDeadlineMs()
    {
        var idleTimeoutMs = IdleTimeoutMs;
        var due = idleTimeoutMs > 0 ? _lastActiveMs + idleTimeoutMs : long.MaxValue;
        if (_shard.Settings.MaxLifetimeMs > 0)
        {
            due = Math.Min(due, _openedMs + _shard.Settings.MaxLifetimeMs);
        }

        return TimerSetMs is >= 0 and var set ? Math.Min(due, set) : due;
    }
}
