using Router.Net;
using Router.Sessions;

namespace Router.Listeners;

/// <summary>Takes no new sessions and has those end that can; may be told again.</summary>
internal sealed class DrainListener : IDeadLetterSuppression
{
    public static readonly DrainListener Instance = new();
}

/// <summary>Told to all shards: what each goes by from now on. One that drained for its removal is in use
/// again.</summary>
/// <param name="Shards">The terms.</param>
/// <param name="Done">The answer of each of them once it does.</param>
internal sealed record ApplyTerms(IReadOnlyDictionary<Shard, ShardTerms> Shards, object Done);

/// <summary>Told to all shards: those that are among these were removed, and drain. May be told again.</summary>
internal sealed record DrainRemoved(IReadOnlySet<Shard> Shards) : IDeadLetterSuppression;

/// <summary>Told to all shards: those that are among these stop, with the sessions they have left.</summary>
/// <remarks>That one of them is gone already is no news, here and for the other two.</remarks>
internal sealed record StopShards(IReadOnlySet<Shard> Shards) : IDeadLetterSuppression;

/// <summary>Asks the kernel for the figures that only it has.</summary>
internal sealed class RefreshFigures
{
    public static readonly RefreshFigures Instance = new();
}

/// <summary>The back-off is over: tries again what failed.</summary>
internal sealed class RetryListener
{
    public static readonly RetryListener Instance = new();
}

/// <summary>What goes wrong with a listener while it runs. Must not block; loop threads.</summary>
internal interface IListenerEvents
{
    void AcceptSuspended(string listener, SocketAddr address, Errno errno, long backoffMs);

    void AcceptResumed(string listener, SocketAddr address, long suspendedMs);

    /// <summary>Connections were dropped because the accept queue was full: at most once a second and shard.</summary>
    /// <param name="listener">Its name.</param>
    /// <param name="address">Where it listens.</param>
    /// <param name="queue">Connections waiting now.</param>
    /// <param name="backlog">Connections that may wait on this shard; the kernel lets one more in.</param>
    /// <param name="count">Attempts dropped since the last time.</param>
    void AcceptOverflow(string listener, SocketAddr address, int queue, int backlog, long count);

    /// <summary>A session for which there is no socket uses the listener's: at most once a second and shard.</summary>
    /// <param name="listener">Its name.</param>
    /// <param name="address">Where it is bound.</param>
    /// <param name="peer">Of the latest such session.</param>
    /// <param name="errno">Why.</param>
    /// <param name="count">Sessions since the last time, this one included.</param>
    void SessionSocketRefused(string listener, SocketAddr address, SocketAddr peer, Errno errno, long count);

    /// <summary>The kernel refused datagrams to peers: at most once a second and shard.</summary>
    /// <param name="listener">Its name.</param>
    /// <param name="address">Where it is bound.</param>
    /// <param name="errno">Of the latest.</param>
    /// <param name="count">Datagrams since the last time.</param>
    void SendRefused(string listener, SocketAddr address, Errno errno, long count);

    void SocketLost(string listener, SocketAddr address, Errno errno, long backoffMs);

    void SocketRebound(string listener, SocketAddr address);

    void Restarted(string listener, SocketAddr address, Exception reason);
}
