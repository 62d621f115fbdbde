using System.Runtime;
using Router.Heap;

namespace Router.Tests.Heap;

public sealed class CollectorModeTests
{
    /// <summary>One test, as the mode is the process's.</summary>
    [Fact]
    public void Concurrent_collections_only_or_none_while_held_and_in_the_end_what_was()
    {
        var before = GCSettings.LatencyMode;
        using (var mode = new CollectorMode())
        {
            Assert.Equal(GCLatencyMode.SustainedLowLatency, GCSettings.LatencyMode);
            Assert.True(mode.CanHold);
            mode.Hold(true);
            Assert.Equal(GCLatencyMode.LowLatency, GCSettings.LatencyMode);
            mode.Hold(false);
            Assert.Equal(GCLatencyMode.SustainedLowLatency, GCSettings.LatencyMode);
        }

        Assert.Equal(before, GCSettings.LatencyMode);
    }
}
