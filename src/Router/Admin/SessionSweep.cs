using Router.Loop;
using Router.Sessions;

namespace Router.Admin;

/// <summary>Looks at the open sessions of a loop, in slices of at most a millisecond, so that no traffic waits for all
/// of them.</summary>
/// <remarks>
/// Begun by <see cref="IoLoop.Enqueue"/>; the next slice is some milliseconds later. A session that is open throughout
/// is visited: the last one comes first, and one that closes meanwhile gives its place to one that was visited before,
/// which so comes twice. Sessions that open meanwhile may be left out.
/// </remarks>
/// <param name="loop">Whose turn it is.</param>
/// <param name="shards">The loop's.</param>
/// <param name="visit">On the loop's thread; must not throw for a session. False ends the sweep.</param>
/// <param name="clock">What a slice is measured by.</param>
/// <param name="end">Ends the sweep.</param>
internal sealed class SessionSweep(
    IoLoop loop, IReadOnlyList<Shard> shards, Func<SessionContext, bool> visit, TimeProvider clock,
    CancellationToken end)
    : LoopTimer, IRunnable
{
    /// <summary>The most of one slice, whatever the clock says: a visit takes 0.1 us to 0.3 us.</summary>
    internal const int VisitsPerSlice = 4_096, StepMs = TimerWheel.SlotMs;

    /// <summary>Reading the clock costs a quarter of a visit.</summary>
    private const int VisitsPerLook = 32;

    /// <summary>Less than a millisecond, for the visits between two looks, and for a cold cache.</summary>
    private static readonly TimeSpan Budget = TimeSpan.FromMilliseconds(0.75);

    private static readonly TimeSpan SliceMax = TimeSpan.FromMilliseconds(1);

    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _shard;
    private int _left = -1;   // of the shard's sessions; -1 before its first

    /// <summary>Completes when all have been visited, or a visit has ended it.</summary>
    public Task Done => _done.Task;

    internal int Slices { get; private set; }

    /// <summary>Those that took longer than a millisecond: somebody else had the processor.</summary>
    internal int LateSlices { get; private set; }

    public void Run() => OnTimer();

    public void Execute() => Run();

    internal override void OnTimer()
    {
        var began = clock.GetTimestamp();
        try
        {
            if (end.IsCancellationRequested)
            {
                _done.TrySetCanceled(end);
            }
            else if (Slice(began))
            {
                _done.TrySetResult();
            }
            else
            {
                loop.Schedule(this, loop.NowMs + StepMs);
            }
        }
        catch (Exception failure)
        {
            _done.TrySetException(failure);
        }

        Slices++;
        LateSlices += clock.GetElapsedTime(began) > SliceMax ? 1 : 0;
    }

    /// <returns>Whether it was the last one.</returns>
    private bool Slice(long began)
    {
        for (var visits = 0; _shard < shards.Count; _shard++, _left = -1)
        {
            var sessions = shards[_shard].OpenSessions;
            _left = _left < 0 ? sessions.Count : Math.Min(_left, sessions.Count);
            for (; _left > 0; _left = Math.Min(_left - 1, sessions.Count))
            {
                if (visits == VisitsPerSlice
                    || (visits % VisitsPerLook == VisitsPerLook - 1 && clock.GetElapsedTime(began) >= Budget))
                {
                    return false;
                }

                visits++;
                if (!visit(sessions[_left - 1]))
                {
                    return true;
                }
            }
        }

        return true;
    }
}
