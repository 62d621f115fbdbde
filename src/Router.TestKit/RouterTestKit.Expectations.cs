using System.Net;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.TestKit;

/// <summary>What has become of sessions, and what must not be left over.</summary>
public sealed partial class RouterTestKit
{
    private readonly HashSet<SessionId> _expected = [];

    /// <summary>Sessions that have ended, in order.</summary>
    public IReadOnlyList<ClosedSession> ClosedSessions => _events.Closed;

    /// <summary>Control sessions that have ended with all their flows.</summary>
    internal IReadOnlyList<FlowRecord> FlowRecords => _events.Flows;

    /// <summary>Sessions open now, oldest first. One that has been closed is none of them, also while its connection
    /// waits for the peer's end.</summary>
    public IReadOnlyList<SessionContext> OpenSessions => _events.Open.FindAll(static session => !session.IsClosed);

    /// <summary>Sessions opened so far.</summary>
    public long SessionsOpened => _events.Opens;

    /// <summary>Restarts that were written down (at most one a second and loop of a listener), in order.</summary>
    public IReadOnlyList<(SessionId Session, Exception Reason)> RestartRecords => _events.Restarts;

    /// <summary>Sessions that ended because their handler failed (at most one a second and loop of a listener), in
    /// order, each with how many of them had no record before it.</summary>
    public IReadOnlyList<(SessionId Session, Exception Reason, long Suppressed)> FailureRecords => _events.Failures;

    /// <summary>Ends of sessions whose handlers failed at it (at most one a second and loop of a listener), in order,
    /// each with how many of them had no record before it.</summary>
    public IReadOnlyList<(SessionId Session, Exception Reason, long Suppressed)> FailedEndRecords => _events.FailedEnds;

    /// <summary>Restarts without a record of their own, as the records count them.</summary>
    public long RestartsSuppressed => _events.RestartsSuppressed;

    /// <summary>
    /// What listeners said about themselves: accept-suspended, socket-lost..., each behind the listener's name.
    /// </summary>
    public IReadOnlyList<string> ListenerEvents => _events.ListenerEvents;

    /// <summary>What was written down about child processes: started, says, exited... behind their number.</summary>
    public IReadOnlyList<string> ChildEvents => _events.ChildEvents;

    /// <summary>The open session of a peer.</summary>
    /// <exception cref="RouterTestKitException">It has none.</exception>
    public SessionContext SessionOf(IPEndPoint peer) =>
        _events.Open.Find(session => !session.IsClosed && Same(session.PeerEndPoint, peer))
        ?? throw Failed($"{peer} has no open session");

    /// <summary>Confirms that a session of the peer has ended, or has been closed and waits for the peer's end; each is
    /// told once, oldest first.</summary>
    /// <returns>Why it ended.</returns>
    /// <exception cref="RouterTestKitException">None has, or all were told.</exception>
    public CloseReason ExpectSessionClosed(IPEndPoint peer)
    {
        if (_events.Closed.Find(session => IsNew(session.Id, session.Peer)) is { } ended)
        {
            _expected.Add(ended.Id);
            return ended.Reason;
        }

        if (_events.Open.Find(session => session.IsClosed && IsNew(session.Id, session.PeerEndPoint)) is { } closed)
        {
            _expected.Add(closed.Id);
            return closed.Closing;
        }

        var isOpen = _events.Open.Exists(session => Same(session.PeerEndPoint, peer));
        throw Failed($"no session of {peer} has ended{(isOpen ? ": it is open" : ", and none is open")}");

        bool IsNew(SessionId id, IPEndPoint of) => Same(of, peer) && !_expected.Contains(id);
    }

    /// <summary>
    /// Confirms that nothing is kept that nobody uses: no rented buffer but those of open sessions with something
    /// unsent, nothing left
    /// in a send queue, no socket but those of listeners and open sessions; after <see cref="Stop"/>, no receive slots
    /// either.
    /// </summary>
    /// <remarks>Sockets that handlers opened themselves are known only once every session has ended.</remarks>
    /// <exception cref="RouterTestKitException">Something is left; the message counts it.</exception>
    public void AssertNoLeakedBuffers()
    {
        var left = new List<string>();
        var shards = _listeners.SelectMany(static listener => listener.Shards).ToList();
        var unsent = _events.Open.Count(static session => session.Stream is { HasUnsent: true });
        Compare(left, "rented buffers", _loops.Loops.Sum(static loop => loop.Buffers.Rented), unsent);
        var queued = shards.OfType<DatagramShard>().Sum(static shard => shard.Queue.IsDisposed ? 0 : shard.Queue.Count);
        Compare(left, "datagrams in send queues", queued, 0);
        Compare(left, "sessions counted open", shards.Sum(static shard => shard.SessionsOpen), _events.Open.Count);
        Compare(left, "sessions being restarted", shards.Sum(static shard => shard.Restarting.Count), 0);
        Compare(left, "sessions being started", shards.Sum(static shard => shard.Starting.Count), 0);
        if (_events.Open.Count == 0)
        {
            Compare(left, "open sockets", Network.OpenSockets, shards.Count(IsListening));
            Compare(left, "watched sockets", _loops.Loops.Sum(static loop => loop.Sockets), shards.Count(IsListening));
        }

        if (_stopped)
        {
            Compare(left, "receive batches and send queues", shards.Sum(NativeBuffersOf), 0);
            // They outlive them.
            var refills = _listenerEnvironment.Loops.Count(static loop => loop.SpareSessions.IsArmed);
            Compare(left, "armed timers", _loops.Loops.Sum(static loop => loop.ArmedTimers), refills);
        }

        if (left.Count > 0)
        {
            throw Failed($"left over: {string.Join(", ", left)}");
        }
    }

    /// <summary>Runs a scenario once per seed; what it throws comes back with the seed that replays it.</summary>
    /// <param name="first">The first seed.</param>
    /// <param name="count">How many, counting up.</param>
    /// <param name="scenario">Given a fresh kit, disposed after it.</param>
    /// <param name="shuffle">As for the kit's constructor.</param>
    /// <param name="prepared">As for the kit's constructor.</param>
    public static void ForEachSeed(
        long first, int count, Action<RouterTestKit> scenario, bool shuffle = true, int prepared = 0)
    {
        for (var seed = first; seed < first + count; seed++)
        {
            using var kit = new RouterTestKit(seed, shuffle: shuffle, prepared: prepared);
            try
            {
                scenario(kit);
            }
            catch (Exception failure)
            {
                throw new RouterTestKitException($"seed {seed}: {failure.Message}", failure);
            }
        }
    }

    private static bool Same(IPEndPoint one, IPEndPoint other) =>
        one.Port == other.Port && one.Address.Equals(other.Address);

    private static bool IsListening(Shard shard) => shard switch
    {
        Listeners.UdpShard udp => !udp.Socket.IsClosed,
        Listeners.TcpShard tcp => !tcp.Socket.IsClosed,
        _ => false,
    };

    private static int NativeBuffersOf(Shard shard) =>
        shard is DatagramShard { Batch: var batch, Queue: var queue }
            ? (batch.IsDisposed ? 0 : 1) + (queue.IsDisposed ? 0 : 1)
            : 0;

    private static void Compare(List<string> left, string what, int found, int expected)
    {
        if (found != expected)
        {
            left.Add($"{found} {what} (expected {expected})");
        }
    }
}
