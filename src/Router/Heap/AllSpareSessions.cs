using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Loop;
using Router.Sessions;

namespace Router.Heap;

/// <summary>The spare sessions of all loops: actors of sessions that have ended, and actors made ahead.</summary>
internal sealed class AllSpareSessions
{
    private readonly SpareSessions[] _loops;

    /// <param name="loops">Each gets an equal part.</param>
    /// <param name="kept">How many that have ended are kept.</param>
    /// <param name="prepared">How many sessions are made ahead, open ones and spare ones together.</param>
    /// <param name="onPrepared">Called once when those are all there and no peer has come yet; on a loop, which waits
    /// for it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">The router's.</param>
    public AllSpareSessions(
        IReadOnlyList<IoLoop> loops, int kept, int prepared, Action? onPrepared, TimeProvider time, ILogger log)
    {
        var began = time.GetTimestamp();
        var (keptEach, preparedEach) = (PartOf(kept), PartOf(prepared));
        var left = loops.Count;
        _loops = [.. loops.Select(loop => new SpareSessions(loop, keptEach, preparedEach) { OnFilled = OnFilled })];

        int PartOf(int sessions) => (sessions + loops.Count - 1) / loops.Count;

        void OnFilled()
        {
            if (Interlocked.Decrement(ref left) > 0)
            {
                return;
            }

            if (_loops!.Sum(static loop => loop.Open) == 0)
            {
                onPrepared?.Invoke();
            }

            HostLog.SessionsPrepared(
                log, preparedEach * loops.Count, (long)time.GetElapsedTime(began).TotalMilliseconds);
        }
    }

    /// <summary>Spare sessions now. Any thread.</summary>
    public int Count => _loops.Sum(static loop => loop.Count);

    public SpareSessions this[int loop] => _loops[loop];

    /// <summary>None is kept or made from now on. Any thread.</summary>
    public void Stop() => Array.ForEach(_loops, static loop => loop.Stop());
}
