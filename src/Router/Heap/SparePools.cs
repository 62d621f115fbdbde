using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Loop;
using Router.Sessions;

namespace Router.Heap;

/// <summary>The spare sessions of all loops: those of sessions that have ended, and those made ahead.</summary>
internal sealed class SparePools
{
    private readonly SpareSessions[] _pools;

    /// <param name="loops">Each gets an equal part.</param>
    /// <param name="kept">How many that have ended are kept.</param>
    /// <param name="prepared">How many there are to be, open ones and spare ones together.</param>
    /// <param name="onPrepared">Called once when those are all there and no peer has come yet; on a loop, which
    /// waits.</param>
    /// <param name="time">Measures how long it takes.</param>
    /// <param name="log">Where that is written.</param>
    public SparePools(
        IReadOnlyList<IoLoop> loops, int kept, int prepared, Action? onPrepared, TimeProvider time, ILogger log)
    {
        var began = time.GetTimestamp();
        var (keptEach, preparedEach) = (PartOf(kept), PartOf(prepared));
        var left = loops.Count;
        _pools = [.. loops.Select(loop => new SpareSessions(loop, keptEach, preparedEach) { OnFilled = OnFilled })];

        int PartOf(int sessions) => (sessions + loops.Count - 1) / loops.Count;

        void OnFilled()
        {
            if (Interlocked.Decrement(ref left) > 0)
            {
                return;
            }

            if (_pools!.Sum(static pool => pool.Open) == 0)
            {
                onPrepared?.Invoke();
            }

            HostLog.SessionsPrepared(
                log, preparedEach * loops.Count, (long)time.GetElapsedTime(began).TotalMilliseconds);
        }
    }

    /// <summary>Spare sessions now. Any thread.</summary>
    public int Count => _pools.Sum(static pool => pool.Count);

    /// <summary>A loop's.</summary>
    public SpareSessions this[int loop] => _pools[loop];

    /// <summary>None is kept or made from now on. Any thread.</summary>
    public void Stop() => Array.ForEach(_pools, static pool => pool.Stop());
}
