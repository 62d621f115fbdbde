using System.Numerics;
using System.Runtime.CompilerServices;
using Router.Net;

namespace Router.Sessions;

/// <summary>
/// Sessions of one shard by key: a directory of segments, each an open-addressing table, at most three quarters full.
/// </summary>
/// <remarks>
/// Loop thread only. 16 bytes a place; the key itself lies in the session. Bounded by the listener's max-sessions. It
/// grows a segment at a time (extendible hashing): the most that one new session waits for is the division of 1,024
/// places, where a single table of a million would stop its loop to double. The hash's low bits pick the segment, its
/// high ones the place.
/// </remarks>
internal sealed class SessionTable(RandomSource random)
{
    /// <summary>A segment this large divides instead of growing.</summary>
    internal const int SegmentPlaces = 1024;

    private const int FirstPlaces = 64;

    /// <summary>Divisions of the hash's low bits: 65,536 segments, room for 30 million sessions. Beyond, and for keys
    /// of one hash, a segment grows in place.</summary>
    private const int DepthMax = 16;

    private readonly SessionKeyHash _hash = new(random);
    private Segment[] _directory = [new Segment(FirstPlaces, depth: 0)];

    public int Count { get; private set; }

    /// <summary>The most sessions that were moved for one that was added: what the table's growth may cost a
    /// pass.</summary>
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
            ref var entry = ref entries[i];
            if (entry.Session is not { } session)
            {
                return null;
            }

            if (entry.Hash == hash && session.PeerAddr.Equals(peer) && session.LocalAddr.Equals(local))
            {
                return session;
            }
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

        segment.Place(hash, session);
        session.TableHash = hash;
        Count++;
    }

    /// <summary>Removes a session; false if it is not in the table.</summary>
    public bool Remove(SessionContext session)
    {
        if (!SegmentOf(session.TableHash).Remove(session))
        {
            return false;
        }

        Count--;
        if (Count == 0 && _directory.Length > 1)
        {
            _directory = [new Segment(FirstPlaces, depth: 0)];   // a million that came and went leave nothing behind
        }

        return true;
    }

    public IEnumerable<SessionContext> All() =>
        _directory.Distinct().SelectMany(static segment => segment.Sessions());

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

        var (low, high) = segment.Divide();
        var step = 1u << segment.Depth;
        for (var i = hash & (step - 1); i < _directory.Length; i += step)
        {
            _directory[i] = (i & step) == 0 ? low : high;
        }
    }

    private struct Entry
    {
        public SessionContext? Session;
        public uint Hash;
    }

    /// <summary>The sessions whose hashes share their low <see cref="Depth"/> bits.</summary>
    private sealed class Segment
    {
        private int _shift;

        public Segment(int places, int depth)
        {
            Entries = new Entry[places];
            _shift = 32 - BitOperations.Log2((uint)places);
            Depth = depth;
        }

        public Entry[] Entries { get; private set; }

        public int Depth { get; }

        public int Count { get; private set; }

        public bool IsFull => (Count + 1) * 4 > Entries.Length * 3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int HomeOf(uint hash) => (int)(hash >> _shift);

        public void Place(uint hash, SessionContext session)
        {
            var mask = Entries.Length - 1;
            var i = HomeOf(hash);
            while (Entries[i].Session is not null)
            {
                i = (i + 1) & mask;
            }

            Entries[i] = new Entry { Session = session, Hash = hash };
            Count++;
        }

        public bool Remove(SessionContext session)
        {
            var mask = Entries.Length - 1;
            var i = HomeOf(session.TableHash);
            while (!ReferenceEquals(Entries[i].Session, session))
            {
                if (Entries[i].Session is null)
                {
                    return false;
                }

                i = (i + 1) & mask;
            }

            CloseGap(i, mask);
            Count--;
            return true;
        }

        public void Double()
        {
            var entries = Entries;
            Entries = new Entry[entries.Length * 2];
            _shift--;
            Count = 0;
            foreach (ref readonly var entry in entries.AsSpan())
            {
                if (entry.Session is { } session)
                {
                    Place(entry.Hash, session);
                }
            }
        }

        /// <summary>Two segments, by the next bit of the hash; this one is done with.</summary>
        public (Segment Low, Segment High) Divide()
        {
            var (low, high) = (new Segment(Entries.Length, Depth + 1), new Segment(Entries.Length, Depth + 1));
            foreach (ref readonly var entry in Entries.AsSpan())
            {
                if (entry.Session is { } session)
                {
                    ((entry.Hash >> Depth & 1) == 0 ? low : high).Place(entry.Hash, session);
                }
            }

            return (low, high);
        }

        public IEnumerable<SessionContext> Sessions() =>
            Entries.Where(static entry => entry.Session is not null).Select(static entry => entry.Session!);

        public IEnumerable<int> Probes() => Entries
            .Select((entry, i) => entry.Session is null ? 0 : ((i - HomeOf(entry.Hash)) & (Entries.Length - 1)) + 1)
            .Where(static count => count > 0);

        /// <summary>
        /// Moves later members of the probe run back over the freed place, so that no tombstones are needed.
        /// </summary>
        private void CloseGap(int gap, int mask)
        {
            for (var i = (gap + 1) & mask; Entries[i].Session is not null; i = (i + 1) & mask)
            {
                var home = HomeOf(Entries[i].Hash);
                if (((i - home) & mask) >= ((i - gap) & mask))
                {
                    Entries[gap] = Entries[i];
                    gap = i;
                }
            }

            Entries[gap] = default;
        }
    }
}
