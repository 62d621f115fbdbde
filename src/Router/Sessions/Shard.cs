using System.Collections.Concurrent;
using Router.Diagnostics;
using Router.Loop;
using Router.Net;
using Router.Processes;

namespace Router.Sessions;

/// <summary>Limits of a listener's sessions, as configured. Immutable.</summary>
/// <param name="IdleTimeoutMs">Silence that ends a session; 0 means never.</param>
/// <param name="PeerIdleTimeoutMs">Silence of the peer alone that ends a session; 0 means never.</param>
/// <param name="MaxLifetimeMs">Age that ends a session; 0 means never.</param>
/// <param name="MaxSessions">Per listener, over all its shards.</param>
/// <param name="MailboxMessages">Payloads that may wait for a session that cannot take them.</param>
/// <param name="MailboxBytes">The same in bytes.</param>
/// <param name="WriteBuffer">Bytes a stream session may hold unsent before its reading stops; also the most read at
/// once.</param>
/// <param name="MaxRestarts">Restarts within <paramref name="RestartWindow"/> before the session closes as
/// failed.</param>
/// <param name="RestartWindow">The window they are counted in.</param>
/// <param name="OnPool">Handlers run on the thread pool instead of the loop.</param>
/// <param name="Identity">Where sessions have an identity; null where they have none.</param>
/// <param name="Strays">Datagram sessions: where other members are asked for new peers; null where they are not.
/// </param>
/// <param name="Socket">Datagram sessions: whether each has a socket of its own. Not with
/// <paramref name="OnPool"/>.</param>
internal sealed record SessionSettings(
    int IdleTimeoutMs,
    long MaxLifetimeMs,
    int MaxSessions,
    int MailboxMessages,
    int MailboxBytes,
    int WriteBuffer,
    int MaxRestarts,
    TimeSpan RestartWindow,
    bool OnPool,
    SessionSocket Socket = SessionSocket.Shared,
    int ReceiveBuffer = 0,
    int PeerIdleTimeoutMs = 0,
    IdentitySettings? Identity = null,
    StraySettings? Strays = null);

/// <summary>What the configuration in force says for the shards of one listener. Immutable.</summary>
/// <param name="Listener">The listener's name.</param>
/// <param name="Route">What new sessions do.</param>
/// <param name="Settings">Limits, of live sessions too.</param>
/// <param name="SessionCount">The listener's: shared by its shards.</param>
/// <param name="Fence">Of sessions that another member of the cluster could take over; null for all others.</param>
internal sealed record ShardConfiguration(
    string Listener, Route Route, SessionSettings Settings, SessionCount SessionCount, Fence? Fence = null);

/// <summary>Sessions of one listener over all its shards. Any thread.</summary>
internal sealed class SessionCount(int limit)
{
    private int _limit = limit;
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Lowered below what there is, it ends nothing and lets nobody in until enough have gone.</summary>
    public int Limit
    {
        get => Volatile.Read(ref _limit);
        set => Volatile.Write(ref _limit, value);
    }

    /// <summary>Takes one place, if there is one.</summary>
    public bool TryTake()
    {
        if (Interlocked.Increment(ref _count) <= Limit)
        {
            return true;
        }

        Interlocked.Decrement(ref _count);
        return false;
    }

    public void Return() => Interlocked.Decrement(ref _count);

    /// <summary>Sessions come from, or go to, another count with their shard: whatever the limit is.</summary>
    public void Move(int sessions) => Interlocked.Add(ref _count, sessions);
}

/// <summary>Figures of one shard: written by its loop alone, read by the stats line on any thread.</summary>
internal sealed class ShardCounters
{
    public long SessionsOpened;
    public long SessionsClosed;
    public long Restarts;
    public long PayloadsIn;
    public long BytesIn;
    public long PayloadsOut;
    public long BytesOut;
    public long AcceptSuspensions;

    /// <summary>Sessions that were to have a socket of their own and use the listener's: there was none left.</summary>
    public long SocketFallbacks;

    /// <summary>Connections that waited to be accepted when the kernel was last asked, and how many may.</summary>
    public int AcceptQueue;
    public int AcceptBacklog;

    public DropCounters Drops { get; } = new();

    /// <summary>Sessions that have ended, by <see cref="CloseReason"/>.</summary>
    public long[] ClosedBy { get; } = new long[ClosedSet<CloseReason>.Count];
}

/// <summary>What a shard is made from.</summary>
/// <param name="Configuration">Until a reload gives it another one.</param>
/// <param name="Loop">Where its socket and its sessions live.</param>
/// <param name="Ids">The loop's.</param>
/// <param name="SpareSessions">The loop's.</param>
/// <param name="Random">Seeds the table's hash, and begins the numbers of the sessions' actors.</param>
/// <param name="Events">Where the sessions' lives are written down.</param>
/// <param name="Hub">Where sessions are attached to their identities; null without a cluster.</param>
/// <param name="SharesPort">Other loops have a socket on the same port.</param>
/// <param name="Relay">The loop's; null without a cluster, and but for UDP.</param>
/// <param name="Traces">The router's; null for none.</param>
internal sealed record ShardSetup(
    ShardConfiguration Configuration,
    IoLoop Loop,
    SessionIdSource Ids,
    SpareSessions SpareSessions,
    RandomSource Random,
    ISessionEvents Events,
    bool SharesPort = false,
    IActorRef? Hub = null,
    IStrayRelay? Relay = null,
    SessionTraces? Traces = null);

/// <summary>
/// What the sessions of one listener on one loop share, and what outlives a restart of its actor: socket, table,
/// counters.
/// </summary>
/// <remarks>Loop thread only.</remarks>
internal abstract class Shard : IIoReceiver
{
    private readonly Dictionary<IActorRef, (int Count, long SinceMs)> _restarts = [];   // of those that have failed
    private SharedStart _lastStart;
    private OncePerSecond _restartsTold;
    private OncePerSecond _failuresTold;
    private OncePerSecond _failedEndsTold;

    protected Shard(ShardSetup setup)
    {
        (Listener, Route, Settings, SessionCount, Fence) = setup.Configuration;
        _lastStart = new SharedStart(default, default, Route);
        Loop = setup.Loop;
        Ids = setup.Ids;
        SpareSessions = setup.SpareSessions;
        Events = setup.Events;
        SharesPort = setup.SharesPort;
        Hub = setup.Hub;
        Relay = setup.Relay;
        Traces = setup.Traces;
        FirstActorUid = (int)(setup.Random.NextUInt64() % int.MaxValue);
    }

    public string Listener { get; private set; }

    /// <summary>As bound, the port decided: what a lost socket is replaced at.</summary>
    public SocketAddr Address { get; protected init; }

    public IoLoop Loop { get; }

    public bool SharesPort { get; }

    public IActorRef? Hub { get; }

    /// <summary>Null where no peer of it can have a session at another member of a cluster.</summary>
    public IStrayRelay? Relay { get; }

    /// <summary>Null where nobody can ask for any.</summary>
    public SessionTraces? Traces { get; }

    /// <summary>The listener's actor; the listening socket itself is the message that tells it of readiness.</summary>
    public IActorRef Actor { get; set; } = ActorRefs.Nobody;

    /// <summary>New sessions'; a live one keeps its own.</summary>
    public Route Route { get; private set; }

    public SessionSettings Settings { get; private set; }

    /// <summary>What its sessions may only send through; null without.</summary>
    public Fence? Fence { get; private set; }

    public SessionIdSource Ids { get; }

    public SpareSessions SpareSessions { get; }

    /// <summary>This shard's, as <see cref="SpareSessions"/> keeps them.</summary>
    public Stack<SessionContext> Spares { get; } = [];

    /// <summary>Spare sessions that are being made ahead.</summary>
    public int SparesMaking { get; set; }

    /// <summary>Its actor makes sessions and keeps spare ones.</summary>
    public bool KeepsSpares { get; set; }

    /// <summary>Makes a spare session, an actor of the listener's; set by that.</summary>
    public Action? MakeSpare { get; set; }

    /// <summary>Actors of sessions made so far, by which they are named.</summary>
    public long ActorsMade { get; set; }

    /// <summary>Where the uids of those begin: an actor of the same path, of a router that was here before, has another
    /// one, so that their references differ.</summary>
    public int FirstActorUid { get; }

    public SessionCount SessionCount { get; private set; }

    public ISessionEvents Events { get; }

    public ShardCounters Counters { get; } = new();

    /// <summary>Whether what the kernel counts as one drop may have been a train of datagrams. Any thread.</summary>
    public virtual bool CountsTrainsAsOne => false;

    /// <summary>No new sessions; those that are left finish.</summary>
    public bool IsDraining { get; set; }

    /// <summary>Why sessions end that drain, or are left when the shard stops.</summary>
    public CloseReason EndReason { get; set; } = CloseReason.Shutdown;

    /// <summary>Told when its actor has stopped: the socket is closed, the sessions are over. Set before the actor
    /// starts; loop thread.</summary>
    public Action<Shard>? OnStopped { get; set; }

    /// <summary>Its socket takes nothing in any more. Any thread.</summary>
    public abstract bool IsSocketClosed { get; }

    /// <summary>Its sessions that have not begun to close. One that does gives its place to the last one.</summary>
    public abstract SessionList OpenSessions { get; }

    /// <summary>Gives back what a shard holds whose actor never came to run; once more does nothing.</summary>
    public abstract void Release();

    /// <summary>Sessions open on this shard.</summary>
    public int SessionsOpen;

    /// <summary>
    /// Sessions whose failed actor is being replaced: the fresh one finds its session here by its own ref.
    /// </summary>
    public Dictionary<IActorRef, SessionContext> Restarting { get; } = [];

    public void OnReady(IoSocket socket, IoReadiness ready)
    {
        var isTold = socket.Pending != IoReadiness.None;
        socket.Pending |= ready;
        if (!isTold)
        {
            Actor.Tell(socket, ActorRefs.NoSender);
        }
    }

    /// <summary>Whether a session that has failed may have a fresh handler: at most <c>max-restarts</c> within
    /// <c>restart-window</c>, by the configuration in force.</summary>
    public bool MayRestart(IActorRef session)
    {
        var nowMs = Loop.NowMs;
        var restarts = _restarts.GetValueOrDefault(session);
        restarts = restarts.Count > 0 && nowMs - restarts.SinceMs <= (long)Settings.RestartWindow.TotalMilliseconds
            ? restarts with { Count = restarts.Count + 1 }
            : (1, nowMs);
        _restarts[session] = restarts;
        return restarts.Count <= Settings.MaxRestarts;
    }

    /// <summary>Sessions' actors that were killed, until they are replaced or end; any thread.</summary>
    public ConcurrentDictionary<IActorRef, Exception> Killed { get; } = [];

    /// <summary>Sessions whose actor has not had its first message, the session itself: stopped before, it would not
    /// end them.</summary>
    public HashSet<SessionContext> Starting { get; } = [];

    /// <summary>One object for the sessions that began alike, one after another.</summary>
    public SharedStart Share(SessionTransport transport, in LocalAddr local)
    {
        if (!ReferenceEquals(_lastStart.Route, Route)
            || _lastStart.Transport != transport
            || !_lastStart.Local.Equals(local))
        {
            _lastStart = new SharedStart(transport, local, Route);
        }

        return _lastStart;
    }

    /// <summary>Goes by another configuration from now on.</summary>
    /// <returns>Whether a live session may be due sooner than it was: it has to look at its deadlines again.</returns>
    public bool Apply(ShardConfiguration configuration)
    {
        var isSooner = IsSooner(configuration.Settings.IdleTimeoutMs, Settings.IdleTimeoutMs)
            || IsSooner(configuration.Settings.PeerIdleTimeoutMs, Settings.PeerIdleTimeoutMs)
            || IsSooner(configuration.Settings.MaxLifetimeMs, Settings.MaxLifetimeMs);
        if (!ReferenceEquals(configuration.SessionCount, SessionCount))
        {
            SessionCount.Move(-SessionsOpen);
            configuration.SessionCount.Move(SessionsOpen);
            SessionCount = configuration.SessionCount;
        }

        Listener = configuration.Listener;
        Route = configuration.Route;
        Settings = configuration.Settings;
        Fence = configuration.Fence;
        return isSooner;

        static bool IsSooner(long after, long before) => after > 0 && (before == 0 || after < before);
    }

    /// <summary>
    /// A session has a fresh handler: counted, and recorded at most once a second for all sessions, since forged peers
    /// may bring down the handler of a session each.
    /// </summary>
    public void OnRestarted(SessionContext session, Exception reason)
    {
        Counters.Restarts++;
        if (_restartsTold.TryTake(Loop.NowMs, out var suppressed))
        {
            Events.Restarted(session, reason, suppressed);
        }
    }

    /// <summary>A session ends because its handler has failed: recorded as a restart is.</summary>
    public void OnFailed(SessionContext session, Exception reason)
    {
        if (_failuresTold.TryTake(Loop.NowMs, out var suppressed))
        {
            Events.Failed(session, reason, suppressed);
        }
    }

    /// <summary>A session's handler has failed when it was told of the end: recorded as a restart is.</summary>
    public void OnEndFailed(SessionContext session, Exception reason)
    {
        if (_failedEndsTold.TryTake(Loop.NowMs, out var suppressed))
        {
            Events.EndFailed(session, reason, suppressed);
        }
    }

    /// <summary>The session takes no more payloads: its key is free for a new one.</summary>
    public abstract void OnClosing(SessionContext session);

    /// <summary>The session is over and its descriptors are closed.</summary>
    public virtual void OnEnded(SessionContext session)
    {
        if (_restarts.Count > 0)
        {
            _restarts.Remove(session.Ref);
        }
    }
}

/// <summary>What is written down about a session's life. Must not block; loop thread or pool.</summary>
internal interface ISessionEvents
{
    /// <summary>Wall-clock time, for records only.</summary>
    DateTimeOffset Now { get; }

    void Opened(SessionContext session);

    /// <summary>It has a connection, or a socket, to its upstream.</summary>
    void Connected(SessionContext session)
    {
    }

    /// <summary>It speaks for its peer's identity.</summary>
    /// <param name="session">Which one.</param>
    /// <param name="supersedes">The one that had to end for it, and its peer; null for none.</param>
    void Attached(SessionContext session, string? supersedes)
    {
    }

    void Restarted(SessionContext session, Exception reason, long suppressed);

    /// <summary>It has been open for long, and is told of now and then.</summary>
    void StillOpen(SessionContext session)
    {
    }

    void Closed(SessionContext session, CloseReason reason);

    /// <summary>A session under a trace has done something.</summary>
    void Traced(SessionTrace trace, SessionContext session, TraceLine line)
    {
    }

    /// <summary>A peer under a trace got no session.</summary>
    void TracedPeer(SessionTrace trace, string listener, in SocketAddr peer, TraceLine line)
    {
    }

    /// <summary>Its handler failed for good: the session ends by that.</summary>
    void Failed(SessionContext session, Exception reason, long suppressed);

    /// <summary>Its handler failed when it was told of the end; the session has ended all the same.</summary>
    void EndFailed(SessionContext session, Exception reason, long suppressed);

    /// <summary>A child process of the session runs.</summary>
    void ChildStarted(SessionContext session, int process, string program)
    {
    }

    /// <summary>It could not be started.</summary>
    /// <param name="session">Whose it would have been.</param>
    /// <param name="program">What was to be started.</param>
    /// <param name="errno">Why not.</param>
    /// <param name="suppressed">How often since the last such event, not written down.</param>
    void ChildNotStarted(SessionContext session, string program, Errno errno, long suppressed)
    {
    }

    /// <summary>It wrote a line to its standard error; also when its session has ended.</summary>
    /// <param name="session">Whose it is.</param>
    /// <param name="process">Its id.</param>
    /// <param name="line">Without its end; cut if it was long.</param>
    /// <param name="suppressed">Lines before it that were not written down.</param>
    void ChildSaid(SessionContext session, int process, string line, long suppressed)
    {
    }

    /// <summary>It ended.</summary>
    /// <param name="session">Whose it was.</param>
    /// <param name="process">Its id.</param>
    /// <param name="exit">How.</param>
    /// <param name="ageMs">How long it ran.</param>
    /// <param name="suppressed">Lines of its standard error not written down since the last that was.</param>
    void ChildExited(SessionContext session, int process, ProcessExit exit, long ageMs, long suppressed)
    {
    }

    /// <summary>A control session and all its flows have ended.</summary>
    void FlowsClosed(FlowRecord record)
    {
    }
}
