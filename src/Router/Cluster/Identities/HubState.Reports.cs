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

    /// <summary>Looks at all that are attached, in steps: see <see cref="HubWalk.Step"/>.</summary>
    public HubWalk Walk(ListIdentities wanted) => new(_attached, wanted);

    public HubList Find(FindIdentity wanted)
    {
        var found = _waiting.Where(entry => entry.Identity == wanted.Identity).ToHashSet();
        if (_attached.Of(wanted.Identity) is { } attached)
        {
            found.Add(attached);
        }

        return new HubList([.. found.Select(static entry => entry.ToReport())], HasMore: false);
    }

    /// <summary>Those that are attached, by name and by place. The last one takes the place of one that goes.</summary>
    internal sealed class AttachedTable
    {
        private readonly Dictionary<string, Entry> _byName = new(StringComparer.Ordinal);
        private readonly List<Entry> _places = [];

        public int Count => _places.Count;

        public IReadOnlyList<Entry> All => _places;

        public Entry? Of(string identity) => _byName.GetValueOrDefault(identity);

        /// <summary>Instead of another of its identity, if there is one.</summary>
        public void Set(Entry entry)
        {
            if (Of(entry.Identity) is { } before)
            {
                Remove(before);
            }

            entry.Slot = _places.Count;
            _places.Add(entry);
            _byName.Add(entry.Identity, entry);
        }

        public void Remove(Entry entry)
        {
            _byName.Remove(entry.Identity);
            var last = _places[^1];
            _places[entry.Slot] = last;
            last.Slot = entry.Slot;
            _places.RemoveAt(_places.Count - 1);
        }
    }

    /// <summary>One look at all that are attached, while they come and go.</summary>
    /// <remarks>From the last place to the first: who takes another's place comes from one that was looked at, and may
    /// be met twice, but nobody is passed over who was there from the beginning to the end.</remarks>
    internal sealed class HubWalk(AttachedTable attached, ListIdentities wanted)
    {
        /// <summary>Of a step: a few tens of nanoseconds each.</summary>
        public const int StepMax = 10_000;

        private readonly PriorityQueue<Entry, string> _page = new(LastFirst);   // the last of them is dequeued first
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

        private void Look(Entry entry)
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
            Entry? before = null;
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
}
