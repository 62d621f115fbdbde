using System.Numerics;
using System.Runtime.CompilerServices;
using Router.Net;

namespace Router.Sessions;

/// <summary>
/// Sessions of one shard by key: a dense list of them, and a directory of segments, each an open-addressing table of
/// numbers in that list, at most three quarters full.
/// </summary>
/// <remarks>
/// Loop thread only. 8 bytes a place and 8 in the list; the key itself lies in the session. Bounded by the listener's
/// max-sessions. It grows a segment at a time (extendible hashing): the most that one new session waits for is the
/// division of 1,024 places, where a single table of a million would stop its loop to double. The hash's low bits pick
/// the segment, its high ones the place. Places hold numbers, not references: a new session would else mark a random
/// one as changed for the garbage collector, which then looks at all of them in every young collection.
/// </remarks>
internal sealed class SessionTable(RandomSource random)
{
    /// <summary>A segment this large divides instead of growing.</summary>
    internal const int SegmentPlaces = 1024;

    private const int FirstPlaces = 64;

    /// <summary>Divisions by the hash's low bits: 65,536 segments, room for 30 million sessions. Beyond, and for keys
    /// of one hash, a segment grows in place.</summary>
    private const int DepthMax = 16;

    private readonly SessionKeyHash _hash = new(random);
    private readonly SessionList _sessions = new();
    private Segment[] _directory = [new Segment(FirstPlaces, depth: 0)];
    private Entry[]? _scratch;

    public int Count => _sessions.Count;

    /// <summary>All of them. One that is removed gives its place to the last one.</summary>
    public SessionList Sessions => _sessions;

    /// <summary>The most places that were moved for one session that was added: what growth may cost a pass.</summary>
    internal int MovedMost { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint HashOf(in SocketAddr peer, in LocalAddr local) => _hash.Of(peer, local);

    /// <summary>The live session of the key, or null.</summary>
    public SessionContext? Find(uint hash, in SocketAddr peer, in LocalAddr local)
    {
        var segment = SegmentOf(hash);
        var entries = segment.Entries;
        var mask = entries.Length - 1;
        for (var i = segment.HomeOf(hash); ; i = (i + 1) & mask)
        {
            var entry = entries[i];
            if (entry.IsFree)
            {
                return null;
            }

            if (entry.Hash == hash
                && _sessions[entry.Index] is var session
                && session.PeerAddr.Equals(peer)
                && session.LocalAddr.Equals(local))
            {
                return session;
            }
        }
    }

    /// <summary>Asks for the place where the look-up of a hash begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(uint hash)
    {
        var segment = SegmentOf(hash);
        CacheLines.Prefetch(ref segment.Entries[segment.HomeOf(hash)]);
    }

    /// <summary>Asks for the session at the first place of a hash, most often the one that will be looked up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchSession(uint hash)
    {
        var segment = SegmentOf(hash);
        var entry = segment.Entries[segment.HomeOf(hash)];
        if (entry.Hash == hash && !entry.IsFree)
        {
            _sessions[entry.Index].Prefetch();
        }
    }

    /// <summary>Adds a session whose key is not in the table.</summary>
    public void Add(uint hash, SessionContext session)
    {
        var segment = SegmentOf(hash);
        for (var moved = 0; segment.IsFull; segment = SegmentOf(hash))
        {
            moved += segment.Count;
            MovedMost = Math.Max(MovedMost, moved);
            Grow(segment, hash);
        }

        session.TableHash = hash;
        segment.Add(new Entry(hash, _sessions.Add(session)));
    }

    /// <summary>Removes a session; false if it is not in the table.</summary>
    public bool Remove(SessionContext session)
    {
        var segment = SegmentOf(session.TableHash);
        var place = segment.HomeOf(session.TableHash);
        while (!segment.Entries[place].IsFree && !ReferenceEquals(_sessions[segment.Entries[place].Index], session))
        {
            place = segment.After(place);
        }

        if (segment.Entries[place].IsFree)
        {
            return false;
        }

        var index = segment.Entries[place].Index;
        segment.RemoveAt(place);
        var last = _sessions.Count - 1;
        if (index != last)
        {
            // The last one of the list moves to the free place.
            var moved = _sessions[last];
            _sessions[index] = moved;
            SegmentOf(moved.TableHash).Renumber(moved.TableHash, last, index);
        }

        _sessions.RemoveLast();
        if (last == 0 && _directory.Length > 1)
        {
            // A million that came and went leave nothing behind.
            _directory = [new Segment(FirstPlaces, depth: 0)];
            _scratch = null;
        }

        return true;
    }

    public IEnumerable<SessionContext> All() => Enumerable.Range(0, Count).Select(index => _sessions[index]);

    /// <summary>Places looked at to find every session once, and the most for one of them: what colliding keys would
    /// drive up.</summary>
    internal (long Total, int Longest) Probes()
    {
        var probes = _directory.Distinct().SelectMany(static segment => segment.Probes()).ToArray();
        return (probes.Sum(static count => (long)count), probes.DefaultIfEmpty().Max());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Segment SegmentOf(uint hash)
    {
        var directory = _directory;
        return directory[hash & ((uint)directory.Length - 1)];
    }

    private void Grow(Segment segment, uint hash)
    {
        if (segment.Entries.Length < SegmentPlaces || segment.Depth == DepthMax)
        {
            segment.Double();
            return;
        }

        if (1 << segment.Depth == _directory.Length)
        {
            _directory = [.. _directory, .. _directory];
        }

        var high = segment.Divide(_scratch ??= new Entry[SegmentPlaces]);
        var bit = 1u << (segment.Depth - 1);
        for (var i = (hash & (bit - 1)) | bit; i < _directory.Length; i += bit << 1)
        {
            _directory[i] = high;
        }
    }

    /// <summary>A place of a segment: free by default.</summary>
    private readonly struct Entry(uint hash, int index)
    {
        private readonly int _number = index + 1;

        public uint Hash { get; } = hash;

        public int Index => _number - 1;

        public bool IsFree => _number == 0;
    }

    /// <summary>The sessions whose hashes share their low <see cref="Depth"/> bits.</summary>
    private sealed class Segment(int places, int depth)
    {
        private int _shift = 32 - BitOperations.Log2((uint)places);

        public Entry[] Entries { get; private set; } = new Entry[places];

        public int Depth { get; private set; } = depth;

        public int Count { get; private set; }

        public bool IsFull => (Count + 1) * 4 > Entries.Length * 3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int HomeOf(uint hash) => (int)(hash >> _shift);

        public int After(int place) => (place + 1) & (Entries.Length - 1);

        public void Add(Entry entry)
        {
            var place = HomeOf(entry.Hash);
            while (!Entries[place].IsFree)
            {
                place = After(place);
            }

            Entries[place] = entry;
            Count++;
        }

        public void Renumber(uint hash, int index, int newIndex)
        {
            var place = HomeOf(hash);
            while (Entries[place].Index != index)
            {
                Check.That(!Entries[place].IsFree);
                place = After(place);
            }

            Entries[place] = new Entry(hash, newIndex);
        }

        /// <summary>
        /// Frees a place and moves later members of the probe run back over it, so that no tombstones are needed.
        /// </summary>
        public void RemoveAt(int gap)
        {
            for (var i = After(gap); !Entries[i].IsFree; i = After(i))
            {
                var home = HomeOf(Entries[i].Hash);
                if (Distance(home, i) >= Distance(gap, i))
                {
                    Entries[gap] = Entries[i];
                    gap = i;
                }
            }

            Entries[gap] = default;
            Count--;
        }

        public void Double()
        {
            var entries = Entries;
            Entries = new Entry[entries.Length * 2];
            _shift--;
            Count = 0;
            foreach (var entry in entries)
            {
                if (!entry.IsFree)
                {
                    Add(entry);
                }
            }
        }

        /// <summary>Moves the sessions whose hashes have a 1 as their next bit to a segment of their own.</summary>
        /// <param name="scratch">As long as <see cref="Entries"/>, which are kept: a million sessions that open would
        /// else leave 16 bytes of garbage each.</param>
        public Segment Divide(Entry[] scratch)
        {
            Check.That(scratch.Length == Entries.Length);
            Entries.CopyTo(scratch, 0);
            Array.Clear(Entries);
            Count = 0;
            var bit = Depth++;
            var high = new Segment(Entries.Length, Depth);
            foreach (var entry in scratch)
            {
                if (!entry.IsFree)
                {
                    (((entry.Hash >> bit) & 1) == 0 ? this : high).Add(entry);
                }
            }

            return high;
        }

        public IEnumerable<int> Probes() => Entries
            .Select((entry, place) => entry.IsFree ? 0 : Distance(HomeOf(entry.Hash), place) + 1)
            .Where(static count => count > 0);

        private int Distance(int from, int to) => (to - from) & (Entries.Length - 1);
    }
}
