using Router.Sessions;

namespace Router.Cluster.Identities;

/// <summary>Asks a hub for sessions that speak for an identity: answered with <see cref="HubList"/>.</summary>
/// <param name="Prefix">Of the identities' names; empty for all.</param>
/// <param name="After">Names behind this one; empty for the first page.</param>
/// <param name="Limit">The first of them, by ordinal order.</param>
internal sealed record ListIdentities(string Prefix, string After, int Limit);

/// <param name="Sessions">The first of those that match.</param>
/// <param name="HasMore">There are others behind them.</param>
internal sealed record HubList(IReadOnlyList<HubSession> Sessions, bool HasMore);

/// <summary>Asks a hub for all its sessions of one identity: answered with <see cref="HubList"/>.</summary>
internal sealed record FindIdentity(string Identity);

/// <summary>A session that has an identity, or wants it.</summary>
/// <param name="State"><c>attaching</c>, <c>attached</c>, or <c>ended</c> while nobody has acknowledged its end.
/// </param>
/// <param name="Epoch">Of its attachment; 0 before.</param>
/// <param name="Revision">Of its newest checkpoint.</param>
/// <param name="Bytes">Of that.</param>
internal sealed record HubSession(
    string Identity, SessionId Session, string Peer, string State, long Epoch, long Revision, int Bytes);

/// <content>What operators are told.</content>
internal sealed partial class HubState
{
    private static readonly Comparer<string> LastFirst =
        Comparer<string>.Create(static (one, other) => string.CompareOrdinal(other, one));

    /// <summary>Looks at all that are attached: a few tens of nanoseconds each.</summary>
    public HubList List(ListIdentities wanted)
    {
        var page = new PriorityQueue<Entry, string>(LastFirst);   // the last of them is dequeued first
        var hasMore = false;
        foreach (var entry in _attached.Values)
        {
            var name = entry.Identity;
            if (!name.StartsWith(wanted.Prefix, StringComparison.Ordinal)
                || (wanted.After.Length > 0 && string.CompareOrdinal(name, wanted.After) <= 0))
            {
                continue;
            }

            if (page.Count < wanted.Limit)
            {
                page.Enqueue(entry, name);
                continue;
            }

            hasMore = true;
            if (wanted.Limit > 0)
            {
                page.EnqueueDequeue(entry, name);
            }
        }

        var sessions = new HubSession[page.Count];
        for (var i = sessions.Length - 1; i >= 0; i--)
        {
            sessions[i] = page.Dequeue().ToReport();
        }

        return new HubList(sessions, hasMore);
    }

    public HubList Find(FindIdentity wanted)
    {
        var found = _waiting.Where(entry => entry.Identity == wanted.Identity).ToHashSet();
        if (_attached.TryGetValue(wanted.Identity, out var attached))
        {
            found.Add(attached);
        }

        return new HubList([.. found.Select(static entry => entry.ToReport())], HasMore: false);
    }
}
