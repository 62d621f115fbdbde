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
/// Replies, the end and the deadlines (<see cref="Reply"/>, <see cref="FinishReplies"/>, <see cref="Close()"/>,
/// <see cref="SetTimer"/>, <see cref="CancelTimer"/>, <see cref="IdleTimeout"/>, <see cref="MarkPeerValidated"/>) may
/// be asked for on any thread, until the session ends and after it; what is of actors (<see cref="ActorOf"/>,
/// <see cref="Child"/>, <see cref="Stop"/>, <see cref="Watch(IActorRef)"/>, <see cref="Unwatch"/>) within the handler's
/// calls only. Its one place in the loop's timer wheel serves idle timeout, lifetime and the
/// handler's timer: a payload only writes the time, the wheel looks again when the earliest deadline comes.
/// </remarks>
public sealed partial class SessionContext : LoopTimer, IIoReceiver
{
    /// <summary>The longest payload of a UDP datagram that every peer can be sent: 65,535 less 20 of IP and 8 of UDP. A
    /// peer at an IPv6 address can be sent 20 bytes more.</summary>
    public const int DatagramBytesMax = 65_507;

    /// <summary>Sizes as docs/performance.md has them; what they are off by costs a line that comes late.</summary>
    private const int ContextBytes = 240, ActorBytes = 72;

    /// <summary>Part of the session's key. A field, because a property would copy 32 bytes per look-up.</summary>
    internal SocketAddr PeerAddr;

    private Shard _shard;
    private SharedStart _start;
    private long _openedTicksUtc;
    private SessionExtras? _extras;
    private SessionTimes _times;
    private AmplificationBudget _budget;

    /// <summary>Makes one for a session to come; <see cref="SessionStart"/> says whose.</summary>
    internal SessionContext() => (_shard, _start) = (null!, null!);

    /// <summary>128 bits, unique across restarts and members.</summary>
    public SessionId Id { get; private set; }

    /// <summary>The name of the listener that the peer came to.</summary>
    public string Listener => _shard.Listener;

    /// <summary>The name of the route that the session goes by.</summary>
    public string RouteName => Route.Name;

    /// <summary>What the session's bytes go by.</summary>
    public SessionTransport Transport => _start.Transport;

    /// <summary>Whether a payload is one message of the peer's (UDP, unixgram, unixpacket). Else it is the next bytes
    /// of a stream, cut anywhere: a line may come in parts, and several in one.</summary>
    public bool KeepsMessages => Transport.KeepsMessages();

    /// <summary>The peer's endpoint; allocates. A peer of a unix socket has none, and 255.255.255.255:0 here: see
    /// <see cref="PeerText"/>.</summary>
    public IPEndPoint PeerEndPoint => PeerAddr.ToIPEndPoint();

    /// <summary>As records have it: <c>192.0.2.7:5000</c>, <c>unix:/run/client.sock</c>, <c>unix:@abstract</c>, and
    /// <c>unix:-</c> for a connection without a name. Allocates.</summary>
    public string PeerText => PeerAddr.ToString();

    /// <summary>Of a peer of a unix socket, told by the kernel: as of its connect, or of its first message. Null for
    /// all others. A peer that goes on under other credentials is another session.</summary>
    public PeerCredentials? PeerCredentials => UnixAddress.CredentialsOf(PeerAddr);

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
    public long Drops => _extras?.Drops?.Total ?? 0;

    /// <summary>
    /// Silence in both directions that ends the session; <see cref="Timeout.InfiniteTimeSpan"/> for never. At least 1
    /// ms.
    /// </summary>
    public TimeSpan IdleTimeout
    {
        get => _times.IdleTimeoutMs(_shard.Settings) is > 0 and var timeoutMs
            ? TimeSpan.FromMilliseconds(timeoutMs)
            : Timeout.InfiniteTimeSpan;
        set
        {
            _times.SetIdleTimeout(value == Timeout.InfiniteTimeSpan
                ? 0
                : (int)Math.Clamp(value.TotalMilliseconds, 1, int.MaxValue));
            Rearm();
        }
    }

    /// <summary>How long nothing has come from the peer or gone to it, by the loop's clock.</summary>
    public TimeSpan SilentFor => TimeSpan.FromMilliseconds(Loop.NowMs - _times.LastActiveMs);

    /// <summary>The listener's when the session began: a later one is for later sessions.</summary>
    internal Route Route => _start.Route;

    /// <summary>Part of the session's key: where the peer sent to, on a wildcard bind; empty otherwise.</summary>
    internal ref readonly LocalAddr LocalAddr => ref _start.Local;

    internal DateTimeOffset OpenedAt => new(_openedTicksUtc, TimeSpan.Zero);

    /// <summary>Wall-clock time, for what is written down or told to peers.</summary>
    internal DateTimeOffset Now => _shard.Events.Now;

    /// <summary>Milliseconds open, by the loop's clock.</summary>
    internal long AgeMs => _times.AgeMs(Loop.NowMs);

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

    /// <summary>The upstream the session goes to, for the access record; null on routes without.</summary>
    internal string? Upstream => UpstreamTraffic?.Text;

    internal UpstreamTraffic? UpstreamTraffic { get; set; }

    /// <summary>What carries this session alone; null where its listener's socket does.</summary>
    internal ISessionCarrier? Carrier { get; set; }

    internal StreamCarrier? Stream => Carrier as StreamCarrier;

    internal PacketCarrier? Packets => Carrier as PacketCarrier;

    internal OwnSocketCarrier? OwnSocket => Carrier as OwnSocketCarrier;

    /// <summary>Null where the handler runs on the loop.</summary>
    internal PoolBridge? Pool => _extras?.Posted as PoolBridge;

    /// <summary>Why the session is ending; None while it is open.</summary>
    internal CloseReason Closing { get; set; }

    /// <summary>It is closed and waits for the peer's end.</summary>
    internal bool IsLingering { get; set; }

    /// <summary>
    /// The handler failed and no fresh one is in place yet: if the actor stops now, the session has failed.
    /// </summary>
    internal bool HasFailed => Failure is not null;

    /// <summary>It has failed, and is a stream that may not go on with a fresh handler.</summary>
    internal bool MustEnd => Handler is EndedHandler;

    /// <summary>The end has been carried out and recorded.</summary>
    internal bool HasEnded { get; set; }

    /// <summary>What the handler failed by, until a fresh one is in place.</summary>
    internal Exception? Failure => _extras?.Failure;

    /// <summary>Made when something of it is first needed.</summary>
    internal SessionExtras Extras => _extras ?? Interlocked.CompareExchange(ref _extras, new(), null) ?? _extras;

    private PostedReplies Posted =>
        Extras.Posted ?? Interlocked.CompareExchange(ref Extras.Posted, new(this), null) ?? Extras.Posted;

    private long TimerSetMs => _extras?.TimerSetMs ?? -1;

    /// <summary>
    /// Lifts the amplification budget: the handler has seen proof that the peer receives what it is sent (it returned a
    /// token).
    /// </summary>
    public void MarkPeerValidated() => this.OnLoop(static session => session._budget.Lift());

    /// <summary>
    /// Sends a payload to the peer: UDP and unixgram one datagram, at the end of the pass; streams the next bytes, at
    /// once as far as the kernel takes them; unixpacket one message, likewise. From any thread: on another than the
    /// session's loop it is copied and posted to the loop, which does that next.
    /// </summary>
    /// <returns>
    /// False if nothing was taken: the session is closed; the datagram is longer than one to this peer can be (65,507
    /// bytes over IPv4, 65,527 over IPv6) or beyond the amplification budget (at most one reply, and three times the
    /// bytes, per datagram received); or the stream, or a unixpacket connection, holds its write buffer's worth unsent
    /// (wait for <see cref="SessionHandler.OnDrained"/>). UDP drops are counted. On another thread only two of these
    /// are known at once: the session is closed, or <c>mailbox-bytes</c> of its replies are under way to the loop. What
    /// is refused behind that is a counted drop.
    /// </returns>
    public bool Reply(ReadOnlySpan<byte> payload) =>
        Loop.IsCurrent ? ReplyOnLoop(payload) : Posted.Post(payload);

    /// <summary>Streams: sends FIN after what is unsent; the peer may go on sending.</summary>
    public void FinishReplies() => this.OnLoop(static session => session.Carrier?.Finish());

    /// <summary>
    /// Has <see cref="SessionHandler.OnTimer"/> called once after <paramref name="delay"/>; replaces an earlier one.
    /// </summary>
    public void SetTimer(TimeSpan delay)
    {
        Extras.TimerSetMs = Loop.NowMs + Math.Max(1, (long)Math.Ceiling(delay.TotalMilliseconds));
        Rearm();
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

    /// <inheritdoc cref="SessionEnd.Begin"/>
    internal void Close(CloseReason reason) => SessionEnd.Begin(this, reason);

    /// <inheritdoc cref="SessionEnd.BeginNow"/>
    internal void CloseNow(CloseReason reason) => SessionEnd.BeginNow(this, reason);

    /// <summary>
    /// For routes that answer by themselves: what earlier datagrams left of the budget lengthens no answer. Over UDP to
    /// a peer that has proved nothing it is at most three times the datagram that it answers, or 64 bytes; a longer one
    /// is a counted drop.
    /// </summary>
    /// <param name="answer">What is sent.</param>
    /// <param name="askedBytes">The length of what it answers.</param>
    internal bool Answer(ReadOnlySpan<byte> answer, int askedBytes)
    {
        if (Stream is null && !_budget.Allows(answer.Length, askedBytes))
        {
            this.CountDrop(DropReason.Amplification);
            return false;
        }

        return ReplyOnLoop(answer);
    }

    internal bool ReplyOnLoop(ReadOnlySpan<byte> payload) =>
        !IsClosed
        && (!Transport.IsConnectionless() || TakeBudget(payload.Length))
        && Send(payload)
        && !IsClosed;   // by its own socket it may have learnt that the peer is gone

    /// <summary>
    /// Sends what another session said: no amplification budget, and no sign of life of this peer: its idle deadline
    /// stays.
    /// </summary>
    /// <returns>False if nothing was taken: closed, or a stream that holds its write buffer's worth unsent.</returns>
    internal bool PassOn(ReadOnlySpan<byte> payload)
    {
        if (IsClosed)
        {
            return false;
        }

        var lastActiveMs = _times.LastActiveMs;
        var isTaken = Send(payload);
        _times.Touch(lastActiveMs);
        return isTaken;
    }

    /// <summary>A run of datagrams has come in: what may be answered grows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void GrowBudget(int payloads, int bytes) => _budget.Grow(payloads, bytes);

    /// <summary>Payloads that wait in its mailbox, and buffers that hold them. Any thread.</summary>
    internal int WaitingPayloads => _extras?.WaitingMessages ?? 0;

    internal int WaitingBuffers => _extras?.WaitingBuffers ?? 0;

    /// <summary>Replies from other threads that are under way to the loop, bytes. Any thread.</summary>
    internal int PostedBytes => _extras?.Posted?.UnderWayBytes ?? 0;

    /// <summary>Takes out what is to be disposed with the handler; null if there is nothing.</summary>
    internal object? TakeOwned() => _extras?.TakeOwned();

    /// <summary>While somebody has the session traced; null for almost all.</summary>
    internal TracedSession? Traced => _extras?.Traced;

    internal System.Diagnostics.Activity? Span => _extras?.Span;

    /// <summary>A datagram of the session is about to be handled.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Prefetch() => CacheLines.Prefetch(this, ContextBytes);

    /// <summary>The same, once the session itself is at hand: its actor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void PrefetchActor() => CacheLines.Prefetch(Actor, ActorBytes);

    /// <summary>Something came or went: the idle deadline moves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Touch() => _times.Touch(Loop.NowMs);

    /// <summary>Something came from the peer, or could not: its own silence counts from now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void TouchReceived() => _times.TouchReceived(Loop.NowMs);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void CountReceived(int payloads, long bytes)
    {
        PayloadsReceived += payloads;
        BytesReceived += bytes;
        _shard.Counters.PayloadsIn += payloads;
        _shard.Counters.BytesIn += bytes;
        UpstreamTraffic?.CountIn(payloads, bytes);
        TouchReceived();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void CountSent(int payloads, long bytes)
    {
        PayloadsSent += payloads;
        BytesSent += bytes;
        _shard.Counters.PayloadsOut += payloads;
        _shard.Counters.BytesOut += bytes;
        UpstreamTraffic?.CountOut(payloads, bytes);
        Touch();
    }

    private bool Send(ReadOnlySpan<byte> payload) =>
        _extras is { Identity: { TakesReplies: true } identity } ? identity.Hold(payload) : SendNow(payload);

    internal bool SendNow(ReadOnlySpan<byte> payload)
    {
        if (Carrier is { Carries: true } carrier)
        {
            return carrier.Send(payload);
        }

        Datagrams.Send(this, payload);
        return true;
    }

    /// <summary>Datagrams: whether the peer may be sent so much; if not, that is a counted drop.</summary>
    private bool TakeBudget(int length)
    {
        if (length > DatagramBytesMax && length > PeerAddr.DatagramBytesMax)
        {
            this.CountDrop(DropReason.TooLong);
            return false;
        }

        if (!_budget.TryTake(length, owesReply: PayloadsSent < PayloadsReceived))
        {
            this.CountDrop(DropReason.Amplification);
            return false;
        }

        return true;
    }
}
