using System.Runtime.CompilerServices;
using Router.Net;

namespace Router.Sessions;

/// <summary>Sessions of one shard by key: open addressing, linear probing, at most three quarters full.</summary>
/// <remarks>
/// Loop thread only. 12 bytes a place; the key itself lies in the session. Bounded by the listener's max-sessions.
/// </remarks>
internal sealed class SessionTable(RandomSource random)
{
    private const int FirstSize = 64;

    private readonly SessionKeyHash _hash = new(random);
    private uint[] _hashes = new uint[FirstSize];
    private SessionContext?[] _sessions = new SessionContext?[FirstSize];

    public int Count { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint HashOf(in SocketAddr peer, in LocalAddr local) => _hash.Of(peer, local);

    /// <summary>The live session of the key, or null.</summary>
    public SessionContext? Find(uint hash, in SocketAddr peer, in LocalAddr local)
    {
        var sessions = _sessions;
        var hashes = _hashes;
        var mask = (uint)hashes.Length - 1;
        for (var i = hash & mask; ; i = (i + 1) & mask)
        {
            var session = sessions[i];
            if (session is null)
            {
                return null;
            }

            if (hashes[i] == hash && session.PeerAddr.Equals(peer) && session.LocalAddr.Equals(local))
            {
                return session;
            }
        }
    }

    /// <summary>Adds a session whose key is not in the table.</summary>
    public void Add(uint hash, SessionContext session)
    {
        if ((Count + 1) * 4 > _hashes.Length * 3)
        {
            Grow();
        }

        Place(hash, session);
        session.TableHash = hash;
        Count++;
    }

    /// <summary>Removes a session; false if it is not in the table.</summary>
    public bool Remove(SessionContext session)
    {
        var mask = (uint)_hashes.Length - 1;
        var i = session.TableHash & mask;
        while (!ReferenceEquals(_sessions[i], session))
        {
            if (_sessions[i] is null)
            {
                return false;
            }

            i = (i + 1) & mask;
        }

        CloseGap(i, mask);
        Count--;
        return true;
    }

    public IEnumerable<SessionContext> All() => _sessions.Where(session => session is not null)!;

    /// <summary>Places looked at to find every session once, and the most for one of them: what colliding keys would
    /// drive up.</summary>
    internal (long Total, int Longest) Probes()
    {
        var (total, longest) = (0L, 0);
        var mask = (uint)_hashes.Length - 1;
        for (var i = 0u; i <= mask; i++)
        {
            if (_sessions[i] is not null)
            {
                var probes = (int)((i - _hashes[i]) & mask) + 1;
                total += probes;
                longest = Math.Max(longest, probes);
            }
        }

        return (total, longest);
    }

    /// <summary>
    /// Moves later members of the probe run back over the freed place, so that no tombstones are needed.
    /// </summary>
    private void CloseGap(uint gap, uint mask)
    {
        for (var i = (gap + 1) & mask; _sessions[i] is not null; i = (i + 1) & mask)
        {
            var home = _hashes[i] & mask;
            if (((i - home) & mask) >= ((i - gap) & mask))
            {
                _sessions[gap] = _sessions[i];
                _hashes[gap] = _hashes[i];
                gap = i;
            }
        }

        _sessions[gap] = null;
    }

    private void Place(uint hash, SessionContext session)
    {
        var mask = (uint)_hashes.Length - 1;
        var i = hash & mask;
        while (_sessions[i] is not null)
        {
            i = (i + 1) & mask;
        }

        _hashes[i] = hash;
        _sessions[i] = session;
    }

    private void Grow()
    {
        var (hashes, sessions) = (_hashes, _sessions);
        _hashes = new uint[hashes.Length * 2];
        _sessions = new SessionContext?[hashes.Length * 2];
        for (var i = 0; i < sessions.Length; i++)
        {
            if (sessions[i] is { } session)
            {
                Place(hashes[i], session);
            }
        }
    }
}
