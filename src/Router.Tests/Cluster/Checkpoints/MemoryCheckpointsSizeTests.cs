using Router.Cluster.Checkpoints;
using Router.Tests.Running;

namespace Router.Tests.Cluster.Checkpoints;

/// <summary>What an identity takes of the heap, which is all tests' together: alone.</summary>
[Collection(AllocationGate.Alone)]
public sealed class MemoryCheckpointsSizeTests
{
    [Fact]
    public async Task A_row_takes_little_more_than_its_bytes()
    {
        const int Rows = 100_000;
        const int StateBytes = 256;
        var store = new MemoryCheckpoints();
        var rows = Enumerable.Range(0, Rows)
            .Select(static i => new Checkpoint($"device-{i:D8}", 1, 1, new byte[StateBytes])).ToArray();
        var before = GC.GetTotalMemory(forceFullCollection: true);

        await store.WriteAsync(rows, default);

        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / Rows;
        GC.KeepAlive(rows);
        GC.KeepAlive(store);
        Assert.InRange(each, StateBytes, StateBytes + 110);
    }
}
