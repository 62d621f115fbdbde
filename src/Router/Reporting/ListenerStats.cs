using System.Collections.Frozen;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Reporting;

/// <summary>A snapshot of one listener's figures since the start, summed over its shards.</summary>
/// <param name="CountsTrainsAsOne">The drops of <see cref="DropReason.ReceiveBufferFull"/> are a lower bound, since one
/// may have been a train.</param>
/// <param name="SocketFallbacks">Sessions that were to have a socket of their own and use the listener's.</param>
/// <param name="AcceptQueue">Connections that waited to be accepted when the kernel was last asked.</param>
/// <param name="AcceptBacklog">How many may wait, over all loops.</param>
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
    private static readonly DropReason[] Reasons = Enum.GetValues<DropReason>();
    private static readonly CloseReason[] Ends = Enum.GetValues<CloseReason>();

    /// <summary>That the listener led to; empty in a sum over several.</summary>
    public string Route { get; init; } = "";

    /// <summary>The sessions that have ended, by why; those only that there were.</summary>
    public IReadOnlyDictionary<CloseReason, long> ClosedBy { get; init; } = FrozenDictionary<CloseReason, long>.Empty;

    /// <summary>Connection attempts that the kernel dropped because an accept queue was full.</summary>
    public long AcceptOverflows => Drops.GetValueOrDefault(DropReason.AcceptQueueFull);

    /// <summary>One shard's figures, under the names of a listener and a route.</summary>
    public static ListenerFigures Of(string listener, string route, Shard shard)
    {
        var counters = shard.Counters;
        return new ListenerFigures(
            listener,
            Volatile.Read(ref shard.SessionsOpen),
            Volatile.Read(ref counters.SessionsOpened),
            Volatile.Read(ref counters.SessionsClosed),
            Volatile.Read(ref counters.Restarts),
            Volatile.Read(ref counters.PayloadsIn),
            Volatile.Read(ref counters.BytesIn),
            Volatile.Read(ref counters.PayloadsOut),
            Volatile.Read(ref counters.BytesOut),
            shard.CountsTrainsAsOne,
            Volatile.Read(ref counters.SocketFallbacks),
            Volatile.Read(ref counters.AcceptQueue),
            Volatile.Read(ref counters.AcceptBacklog),
            Reasons
                .Select(reason => (reason, count: counters.Drops[reason]))
                .Where(static drop => drop.count > 0)
                .ToDictionary(static drop => drop.reason, static drop => drop.count))
        {
            Route = route,
            ClosedBy = Ends
                .Select(reason => (reason, count: Volatile.Read(ref counters.ClosedBy[(int)reason])))
                .Where(static end => end.count > 0)
                .ToDictionary(static end => end.reason, static end => end.count),
        };
    }

    /// <summary>The sum with another; the difference, if <paramref name="sign"/> is -1.</summary>
    public ListenerFigures With(ListenerFigures other, int sign = 1) => new(
        Listener,
        Sessions + (sign * other.Sessions),
        Opened + (sign * other.Opened),
        Closed + (sign * other.Closed),
        Restarts + (sign * other.Restarts),
        PayloadsIn + (sign * other.PayloadsIn),
        BytesIn + (sign * other.BytesIn),
        PayloadsOut + (sign * other.PayloadsOut),
        BytesOut + (sign * other.BytesOut),
        CountsTrainsAsOne || other.CountsTrainsAsOne,
        SocketFallbacks + (sign * other.SocketFallbacks),
        AcceptQueue + (sign * other.AcceptQueue),
        AcceptBacklog + (sign * other.AcceptBacklog),
        Sum(Drops, other.Drops, sign))
    {
        Route = Route == other.Route ? Route : "",
        ClosedBy = Sum(ClosedBy, other.ClosedBy, sign),
    };

    /// <summary>The counters alone, without the figures of the moment.</summary>
    public ListenerFigures CountedOnly() => this with { Sessions = 0, AcceptQueue = 0, AcceptBacklog = 0 };

    private static Dictionary<TReason, long> Sum<TReason>(
        IReadOnlyDictionary<TReason, long> counts, IReadOnlyDictionary<TReason, long> others, int sign)
        where TReason : struct, Enum => counts.Keys
            .Union(others.Keys)
            .ToDictionary(
                static reason => reason,
                reason => counts.GetValueOrDefault(reason) + (sign * others.GetValueOrDefault(reason)));
}

/// <summary>Sums the shards' counters up. Any thread; the figures of one call may be a pass apart.</summary>
/// <remarks>What a shard counted stays with its listener when the shard stops, or is given to another listener.
/// </remarks>
internal sealed class ListenerStats
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Shard, Share> _shares = [];
    private readonly Dictionary<(string Listener, string Route), ListenerFigures> _gone = [];
    private long _closedOfForgotten;

    public int Sessions
    {
        get
        {
            lock (_lock)
            {
                return _shares.Keys.Sum(static shard => Volatile.Read(ref shard.SessionsOpen));
            }
        }
    }

    /// <summary>Since the start.</summary>
    public long Closed
    {
        get
        {
            lock (_lock)
            {
                return _closedOfForgotten + Read().Sum(static figures => figures.Closed);
            }
        }
    }

    /// <summary>By listener.</summary>
    public IReadOnlyList<ListenerFigures> Read() =>
    [
        .. ReadByRoute()
            .GroupBy(static figures => figures.Listener, StringComparer.Ordinal)
            .Select(static listener => listener.Aggregate(static (sum, figures) => sum.With(figures))),
    ];

    /// <summary>By listener and the route that it led to.</summary>
    public IReadOnlyList<ListenerFigures> ReadByRoute()
    {
        lock (_lock)
        {
            var all = _gone.ToDictionary();
            foreach (var (shard, share) in _shares)
            {
                var figures = share.Of(shard);
                all[share.Name] = all.TryGetValue(share.Name, out var sum) ? sum.With(figures) : figures;
            }

            return [.. all.Values];
        }
    }

    /// <summary>The shards that run now, with their listeners' names.</summary>
    public IReadOnlyList<(string Listener, Shard Shard)> ReadShards()
    {
        lock (_lock)
        {
            return [.. _shares.Select(static share => (share.Value.Listener, share.Key))];
        }
    }

    /// <summary>The listener, and the route that it leads to, get what the shard counts from now on.</summary>
    public void Assign(Shard shard, string listener, string route)
    {
        lock (_lock)
        {
            if (_shares.TryGetValue(shard, out var share) && share.Name == (listener, route))
            {
                return;
            }

            var before = Remove(shard);
            _shares[shard] = new Share(
                listener, route, before is null ? null : ListenerFigures.Of(listener, route, shard));
        }
    }

    /// <summary>The shard has stopped. What it counted stays.</summary>
    public void Retire(Shard shard)
    {
        lock (_lock)
        {
            Remove(shard);
        }
    }

    /// <summary>Drops listeners that have no shard any more. Called when their figures have been written.</summary>
    /// <returns>Their names; one that comes back counts from 0.</returns>
    public IReadOnlyList<string> Forget()
    {
        lock (_lock)
        {
            var names = _shares.Values.Select(static share => share.Listener).ToHashSet(StringComparer.Ordinal);
            var gone = _gone.Keys.Where(name => !names.Contains(name.Listener)).ToList();
            foreach (var name in gone)
            {
                _gone.Remove(name, out var figures);
                _closedOfForgotten += figures!.Closed;
            }

            return [.. gone.Select(static name => name.Listener).Distinct(StringComparer.Ordinal)];
        }
    }

    private Share? Remove(Shard shard)
    {
        if (!_shares.Remove(shard, out var share))
        {
            return null;
        }

        var figures = share.Of(shard).CountedOnly();
        _gone[share.Name] = _gone.TryGetValue(share.Name, out var sum) ? sum.With(figures) : figures;
        return share;
    }

    /// <summary>A listener has a shard's figures, less those of before it got the shard.</summary>
    private sealed record Share(string Listener, string Route, ListenerFigures? Before)
    {
        public (string Listener, string Route) Name => (Listener, Route);

        public ListenerFigures Of(Shard shard)
        {
            var figures = ListenerFigures.Of(Listener, Route, shard);
            return Before is null ? figures : figures.With(Before.CountedOnly(), sign: -1);
        }
    }
}
