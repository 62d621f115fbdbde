using Router.Cluster.Checkpoints;
using Router.Cluster.Identities;
using Router.TestKit.Simulation;
using Router.Tests.Configuration;
using Router.Tests.Diagnostics;

namespace Router.Tests.Cluster.Checkpoints;

/// <summary>A look at the store for an operator.</summary>
public sealed class CheckpointKeeperTests
{
    private readonly VirtualTimeProvider _time = new();
    private readonly FakeStore _store = new();

    [Fact]
    public async Task What_the_store_has_is_found()
    {
        await _store.WriteAsync([new Checkpoint("a", 2, 7, new byte[] { 1, 2, 3 })], default);
        var keeper = Keeper(_store);

        Assert.Equal((2, 7, 3), await keeper.FindAsync("a", default) is { } kept
            ? (kept.Epoch, kept.Revision, kept.State.Length)
            : default);
        Assert.Null(await keeper.FindAsync("b", default));
        Assert.Null(await Keeper(null).FindAsync("a", default));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_store_that_does_not_answer_is_given_up_after_two_seconds(bool isDeaf)
    {
        _store.IsDeaf = isDeaf;
        _store.Hold();
        var look = Keeper(_store).FindAsync("a", default);

        _time.Advance(TimeSpan.FromMilliseconds(1_999));
        Assert.False(look.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        var late = await Assert.ThrowsAsync<TimeoutException>(() => look);
        Assert.Contains("2 s", late.Message, StringComparison.Ordinal);
        _store.Release();
    }

    [Fact]
    public async Task Who_gives_up_asking_is_not_told_that_the_store_is_late()
    {
        using var end = new CancellationTokenSource();
        _store.Hold();
        var look = Keeper(_store).FindAsync("a", end.Token);

        await end.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => look);
        _store.Release();
    }

    private CheckpointKeeper Keeper(ICheckpointStore? store) =>
        new(CheckpointOptionsTests.Read(""), store, _time, new LineLogger("Router"));
}
