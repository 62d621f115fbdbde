using Router.Diagnostics;

namespace Router.Tests.Diagnostics;

public sealed class GcPausesTests
{
    [Fact]
    public void The_quantile_is_at_most_an_eighth_too_high_and_reading_starts_anew()
    {
        using var pauses = new GcPauses();
        for (var us = 1; us <= 100_000; us++)
        {
            pauses.Count(us % 100 == 0 ? 50_000 : us % 1_000);
        }

        var figures = pauses.Read();
        Assert.InRange(figures.P99Us, 999, 1_124);
        Assert.True(figures.MaxUs >= 50_000);
        Assert.True(figures.Pauses >= 100_000);
        Assert.True(pauses.Read().Pauses < 1_000);   // collections of this very moment at most
    }

    [Fact]
    public void Every_collection_is_seen_and_a_blocking_one_is_told_apart()
    {
        using var pauses = new GcPauses();
        long seen = 0, blocking = 0, longestUs = 0;
        for (var i = 0; i < 10 && (seen == 0 || blocking == 0); i++)
        {
            GC.Collect(2, GCCollectionMode.Forced, blocking: true);
            GC.WaitForPendingFinalizers();
            var figures = pauses.Read();
            (seen, blocking) = (seen + figures.Pauses, blocking + figures.Blocking);
            longestUs = Math.Max(longestUs, figures.MaxUs);
        }

        Assert.InRange(seen, 1, long.MaxValue);
        Assert.InRange(blocking, 1, long.MaxValue);
        Assert.InRange(longestUs, 1, 60_000_000);
    }
}
