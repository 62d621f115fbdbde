using Router.Cluster.Checkpoints;
using Router.Cluster.Identities;

namespace Router.Tests.Cluster.Checkpoints;

public sealed class MemoryCheckpointsTests : CheckpointContract
{
    private readonly MemoryCheckpoints _store = new();

    [Fact]
    public void Operations_complete_before_they_return()
    {
        Assert.True(_store.ClaimAsync([("a", 1)], default).AsTask().IsCompletedSuccessfully);
        Assert.True(_store.WriteAsync([Row("a", 1, 1, "a")], default).AsTask().IsCompletedSuccessfully);
        Assert.True(_store.ForgetAsync([("a", 1)], default).AsTask().IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_row_is_handed_over_with_its_epoch_and_not_kept_twice()
    {
        await WriteAsync("a", 3, 9, "state");
        var other = new MemoryCheckpoints();

        Assert.True(other.Put(_store.Find("a")!));
        var entities = new MemoryIdentities(_store);
        entities.Release("a", epoch: 2);
        Assert.NotNull(_store.Find("a"));   // of another entity
        entities.Release("a", epoch: 3);

        Assert.Null(_store.Find("a"));
        var claimed = Assert.Single(await other.ClaimAsync([("a", 1)], default));
        Assert.Equal((4, 9, 5), (claimed.Epoch, claimed.Revision, claimed.State.Length));
    }

    [Fact]
    public async Task A_row_that_was_handed_over_late_does_not_replace_a_newer_one()
    {
        await ClaimAsync("a", lowest: 5);

        Assert.False(_store.Put(Row("a", 4, 100, "late")));
        await AssertKeptAsync("a", 6, 0, "");
    }

    private protected override ICheckpointStore Open() => _store;
}
