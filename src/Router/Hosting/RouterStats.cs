using Router.Diagnostics;
using Router.Sessions;

namespace Router.Hosting;

/// <summary>One listener's figures since the start, summed over its shards. A snapshot.</summary>
/// <param name="CountsTrainsAsOne">The drops of <see cref="DropReason.ReceiveBufferFull"/> are a lower bound: one may
/// have been a train.</param>
/// <param name="SocketFallbacks">Sessions that were to have a socket of their own and use the listener's.</param>
/// <param name="AcceptQueue">Connections that waited to be accepted when the kernel was last asked.</param>
/// <param name="AcceptBacklog">How many may, over all loops.</param>
internal sealed record ListenerFigures(
    string Listener,
    int Sessions,
    long Opened,
    long Closed,
    long Restarts,
    long PayloadsIn,
    long BytesIn,
    long PayloadsOut,
    long BytesOut,
    bool CountsTrainsAsOne,
    long SocketFallbacks,
    int AcceptQueue,
    int AcceptBacklog,
    IReadOnlyDictionary<DropReason, long> Drops)
{
    /// <summary>Connection attempts that the kernel dropped because an accept queue was full.</summary>
    public long AcceptOverflows => Drops.GetValueOrDefault(DropReason.AcceptQueueFull);
}

/// <summary>Reads the shards' counters. Any thread; the figures of one call may be a pass apart.</summary>
internal sealed class RouterStats(IReadOnlyList<Shard> shards)
{
    private static readonly DropReason[] Reasons = Enum.GetValues<DropReason>();

    /// <summary>Sessions open now.</summary>
    public int Sessions => shards.Sum(static shard => Volatile.Read(ref shard.SessionsOpen));

    public IReadOnlyList<ListenerFigures> Read() =>
        [.. shards.GroupBy(static shard => shard.Listener, StringComparer.Ordinal).Select(Sum)];

    private static ListenerFigures Sum(IGrouping<string, Shard> listener)
    {
        var drops = Reasons
            .Select(reason => (reason, count: listener.Sum(shard => shard.Counters.Drops[reason])))
            .Where(static drop => drop.count > 0)
            .ToDictionary(static drop => drop.reason, static drop => drop.count);
        return new ListenerFigures(
            listener.Key,
            listener.Sum(static shard => Volatile.Read(ref shard.SessionsOpen)),
            listener.Sum(static shard => Volatile.Read(ref shard.Counters.SessionsOpened)),
            listener.Sum(static shard => Volatile.Read(ref shard.Counters.SessionsClosed)),
            listener.Sum(static shard => Volatile.Read(ref shard.Counters.Restarts)),
            listener.Sum(static shard => Volatile.Read(ref shard.Counters.PayloadsIn)),
            listener.Sum(static shard => Volatile.Read(ref shard.Counters.BytesIn)),
            listener.Sum(static shard => Volatile.Read(ref shard.Counters.PayloadsOut)),
            listener.Sum(static shard => Volatile.Read(ref shard.Counters.BytesOut)),
            listener.Any(static shard => shard.CountsTrainsAsOne),
            listener.Sum(static shard => Volatile.Read(ref shard.Counters.SocketFallbacks)),
            listener.Sum(static shard => Volatile.Read(ref shard.Counters.AcceptQueue)),
            listener.Sum(static shard => Volatile.Read(ref shard.Counters.AcceptBacklog)),
            drops);
    }
}
