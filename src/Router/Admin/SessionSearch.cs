using Router.Loop;
using Router.Sessions;

namespace Router.Admin;

/// <summary>Finds an open session of a loop by its id, and does something with it there.</summary>
/// <param name="loop">Whose turn it is.</param>
/// <param name="shards">The loop's.</param>
/// <param name="id">Of the session.</param>
/// <param name="act">On the loop's thread, once; not where there is no such session.</param>
/// <param name="clock">What a slice is measured by.</param>
/// <param name="end">Ends the search.</param>
internal sealed class SessionSearch(
    IoLoop loop, IReadOnlyList<Shard> shards, SessionId id, Action<SessionContext> act, TimeProvider clock,
    CancellationToken end)
    : LoopSlices(loop, clock, end)
{
    /// <summary>Ids of one slice: 2 MB, which are read in some 0.2 ms.</summary>
    internal const int IdsPerSlice = 256 * 1024;

    private int _shard;
    private int _before = int.MaxValue;   // an index of the shard's list

    protected override bool Slice(long began)
    {
        for (var left = IdsPerSlice; _shard < shards.Count; _shard++, _before = int.MaxValue)
        {
            var sessions = shards[_shard].OpenSessions;
            var from = Math.Min(_before, sessions.Count);
            if (sessions.Find(id, ref _before, left) is { } found)
            {
                act(found);
                return true;
            }

            left -= from - _before;
            if (_before > 0)
            {
                return false;
            }
        }

        return true;
    }
}
