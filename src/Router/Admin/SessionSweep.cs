using Router.Loop;
using Router.Sessions;

namespace Router.Admin;

/// <summary>Looks at the open sessions of a loop.</summary>
/// <remarks>
/// A session that is open throughout is visited: the last one comes first, and one that closes meanwhile gives its
/// place to one that was visited before, which so comes twice. Sessions that open meanwhile may be left out.
/// </remarks>
/// <param name="loop">Whose turn it is.</param>
/// <param name="shards">The loop's.</param>
/// <param name="visit">On the loop's thread; must not throw for a session. False ends the sweep.</param>
/// <param name="clock">What a slice is measured by.</param>
/// <param name="end">Ends the sweep.</param>
internal sealed class SessionSweep(
    IoLoop loop, IReadOnlyList<Shard> shards, Func<SessionContext, bool> visit, TimeProvider clock,
    CancellationToken end)
    : LoopSlices(loop, clock, end)
{
    /// <summary>The most of one slice, whatever the clock says.</summary>
    internal const int VisitsPerSlice = 16_384;

    /// <summary>Reading the clock costs a quarter of a visit.</summary>
    private const int VisitsPerLook = 32;

    /// <summary>A visit of a session that has to come from memory takes some 0.3 us: so many are asked for ahead.
    /// </summary>
    private const int VisitsAhead = 8;

    /// <summary>Less than a millisecond, for the visits between two looks, and for a cold cache.</summary>
    private static readonly TimeSpan Budget = TimeSpan.FromMilliseconds(0.75);

    private int _shard;
    private int _left = -1;   // of the shard's sessions; -1 before its first

    protected override bool Slice(long began)
    {
        for (var visits = 0; _shard < shards.Count; _shard++, _left = -1)
        {
            var sessions = shards[_shard].OpenSessions;
            _left = _left < 0 ? sessions.Count : Math.Min(_left, sessions.Count);
            for (; _left > 0; _left = Math.Min(_left - 1, sessions.Count))
            {
                if (visits == VisitsPerSlice
                    || (visits % VisitsPerLook == VisitsPerLook - 1 && Clock.GetElapsedTime(began) >= Budget))
                {
                    return false;
                }

                visits++;
                if (_left > VisitsAhead)
                {
                    sessions[_left - 1 - VisitsAhead].Prefetch();
                }

                if (!visit(sessions[_left - 1]))
                {
                    return true;
                }
            }
        }

        return true;
    }
}
