namespace Router.Cluster.Identities;

/// <summary>One look at all that are attached, while they come and go.</summary>
/// <remarks>From the last place to the first: who takes another's place comes from one that was looked at, and may
/// be met twice, but nobody is passed over who was there from the beginning to the end.</remarks>
internal sealed class HubWalk(HubState.AttachedTable attached, ListIdentities wanted)
{
    /// <summary>Of a step: a few tens of nanoseconds each.</summary>
    public const int StepMax = 10_000;

    private static readonly Comparer<string> LastFirst =
        Comparer<string>.Create(static (one, other) => string.CompareOrdinal(other, one));

    private readonly PriorityQueue<HubState.Entry, string> _page = new(LastFirst);   // the last one is dequeued first
    private int _left = attached.Count;
    private bool _hasMore;

    /// <summary>Looks at the next ones.</summary>
    /// <returns>The answer, once all were looked at.</returns>
    public HubList? Step()
    {
        _left = Math.Min(_left, attached.Count);
        for (var end = Math.Max(0, _left - StepMax); _left > end; _left--)
        {
            Look(attached.All[_left - 1]);
        }

        return _left == 0 ? Answer() : null;
    }

    private void Look(HubState.Entry entry)
    {
        var name = entry.Identity;
        if (!name.StartsWith(wanted.Prefix, StringComparison.Ordinal)
            || (wanted.After.Length > 0 && string.CompareOrdinal(name, wanted.After) <= 0))
        {
            return;
        }

        if (_page.Count < wanted.Limit)
        {
            _page.Enqueue(entry, name);
            return;
        }

        _hasMore = true;
        if (wanted.Limit > 0)
        {
            _page.EnqueueDequeue(entry, name);
        }
    }

    private HubList Answer()
    {
        var sessions = new List<HubSession>(_page.Count);
        HubState.Entry? before = null;
        while (_page.TryDequeue(out var entry, out _))
        {
            if (entry.Identity != before?.Identity)
            {
                sessions.Add(entry.ToReport());
            }

            before = entry;
        }

        sessions.Reverse();
        return new HubList(sessions, _hasMore);
    }
}
