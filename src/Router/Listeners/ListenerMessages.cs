using Router.Net;
using Router.Sessions;

namespace Router.Listeners;

/// <summary>Takes no new sessions and asks the open ones to end; may be told again.</summary>
internal sealed record DrainListener : IDeadLetterSuppression;

/// <summary>Told to all shards: the configuration that each goes by from now on. One that drained because it had been
/// removed is in use again.</summary>
/// <param name="Shards">Those that are meant.</param>
/// <param name="Done">The answer of each of them once it does.</param>
internal sealed record ConfigureShards(IReadOnlyDictionary<Shard, ShardConfiguration> Shards, object Done);

/// <summary>Told to all shards: these were removed by a reload, and drain. May be told again.</summary>
internal sealed record DrainRemoved(IReadOnlySet<Shard> Shards) : IDeadLetterSuppression;

/// <summary>Told to all shards: an operator drains these. May be told again.</summary>
internal sealed record DrainShards(IReadOnlySet<Shard> Shards) : IDeadLetterSuppression;

/// <summary>Told to all shards: these, which an operator has drained, take new sessions again; a stream shard binds its
/// address anew.</summary>
internal sealed record ResumeShards(IReadOnlySet<Shard> Shards) : IDeadLetterSuppression;

/// <summary>Told to all shards: these stop, with the sessions they have left.</summary>
internal sealed record StopShards(IReadOnlySet<Shard> Shards) : IDeadLetterSuppression;

/// <summary>Asks the kernel for the figures that only it has.</summary>
internal sealed record RefreshFigures;

/// <summary>Has sessions that are so old told of, in steps.</summary>
internal sealed record TellLongSessions(long AgeMs);

/// <summary>The back-off is over: tries again what failed.</summary>
internal sealed record RetryListener;

/// <summary>What goes wrong with a listener while it runs. Must not block; loop threads.</summary>
/// <remarks><c>count</c> is how often since the last time it was told, which is at most once a second and shard.
/// </remarks>
internal interface IListenerEvents
{
    void AcceptSuspended(string listener, SocketAddr address, Errno errno, long backoffMs);

    void AcceptResumed(string listener, SocketAddr address, long suspendedMs);

    /// <summary>The kernel dropped connections because the accept queue was full.</summary>
    /// <param name="listener">Its name.</param>
    /// <param name="address">Where it listens.</param>
    /// <param name="queue">Connections waiting now.</param>
    /// <param name="backlog">Connections that may wait on this shard; the kernel lets one more in.</param>
    /// <param name="count">Attempts dropped.</param>
    void AcceptOverflow(string listener, SocketAddr address, int queue, int backlog, long count);

    /// <summary>Sessions for which there is no socket use the listener's; the latest is that of
    /// <paramref name="peer"/>.</summary>
    void SessionSocketRefused(string listener, SocketAddr address, SocketAddr peer, Errno errno, long count);

    /// <summary>The kernel refused datagrams to peers, the latest for <paramref name="errno"/>.</summary>
    void SendRefused(string listener, SocketAddr address, Errno errno, long count);

    void SocketLost(string listener, SocketAddr address, Errno errno, long backoffMs);

    void SocketRebound(string listener, SocketAddr address);

    void Restarted(string listener, SocketAddr address, Exception reason);
}
