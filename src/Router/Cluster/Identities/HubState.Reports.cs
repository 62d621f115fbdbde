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
}
