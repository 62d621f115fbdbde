namespace Router.Tests;

/// <summary>What a piece of work allocates on the current thread.</summary>
internal static class Allocations
{
    private const int Runs = 5;

    /// <summary>
    /// Bytes of one run, the least of five: what the code allocates is there every time; what the runtime allocates on
    /// the thread for itself, and what a collection elsewhere adds to the thread's account, is not.
    /// </summary>
    public static long Of(Action work)
    {
        var least = long.MaxValue;
        for (var run = 0; run < Runs && least > 0; run++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
