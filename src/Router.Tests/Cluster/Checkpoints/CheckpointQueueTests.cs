using System.Text;
using Router.Cluster.Checkpoints;
using Router.TestKit.Simulation;
using Router.Tests.Diagnostics;
using Router.Tests.Functional;

namespace Router.Tests.Cluster.Checkpoints;

/// <summary>What goes to the store when, and what is refused, over a store that works.</summary>
public sealed class CheckpointQueueTests
{
    private readonly VirtualTimeProvider _time = new();
    private readonly FakeStore _store = new();
    private readonly RecordingOwner _owner = new();
    private readonly LineLogger _log = new("Router");

    [Fact]
    public async Task A_checkpoint_that_was_written_is_claimed_by_the_next()
    {
        var queue = Queue();

        Assert.True(queue.Claim("a", 1, _owner));
        await _owner.AllAsync(1);
        Assert.True(queue.Write(QueueRig.Row("a", 1, 1, "state"), _owner));
        await _owner.AllAsync(2);
        Assert.True(queue.Claim("a", 7, _owner));

        Assert.Equal(["a claimed 1", "a 1.1 kept", "a claimed 7"], await _owner.AllAsync(3));
        Assert.Equal("state", Encoding.UTF8.GetString(_owner.Claims.Last().State.Span));
        Assert.Equal((2, 1, 0, 0L), Of(queue.Counts));
    }

    [Fact]
    public async Task What_comes_while_a_batch_is_under_way_goes_together_in_the_next()
    {
        var queue = Queue(QueueRig.Settings with { Batch = 3 });
        await HoldAsync(queue);
        for (var i = 0; i < 7; i++)
        {
            queue.Write(QueueRig.Row($"{i}", 1, 1), _owner);
        }

        _store.Release();

        await _owner.AllAsync(7);
        Assert.Equal(["write first", "write 0 1 2", "write 3 4 5", "write 6"], _store.Batches);
    }

    [Fact]
    public async Task Claims_go_first_and_writes_are_every_fourth_batch_nevertheless()
    {
        var queue = Queue(QueueRig.Settings with { Batch = 1 });
        await HoldAsync(queue);
        queue.Write(QueueRig.Row("w1", 1, 1), _owner);
        queue.Write(QueueRig.Row("w2", 1, 1), _owner);
        for (var i = 0; i < 5; i++)
        {
            queue.Claim($"c{i}", 1, _owner);
        }

        _store.Release();

        await _owner.AllAsync(7);
        Assert.Equal(
            ["write first", "claim c0", "claim c1", "claim c2", "write w1", "claim c3", "claim c4", "write w2"],
            _store.Batches);
    }

    [Fact]
    public async Task A_claim_finds_what_its_identity_had_in_the_queue()
    {
        var queue = Queue();
        await HoldAsync(queue);
        queue.Write(QueueRig.Row("other", 1, 1), _owner);
        queue.Write(QueueRig.Row("a", 1, 1, "latest"), _owner);
        queue.Claim("a", 1, _owner);
        queue.Claim("b", 1, _owner);

        _store.Release();

        Assert.Equal(["a 1.1 kept", "a claimed 2", "b claimed 1", "other 1.1 kept"], await _owner.AllAsync(4));
        Assert.Equal("latest", Encoding.UTF8.GetString(_owner.Claims.First().State.Span));
    }

    [Fact]
    public async Task What_is_written_after_a_claim_does_not_hold_it_up()
    {
        var queue = Queue();
        await HoldAsync(queue);
        queue.Claim("a", 1, _owner);
        queue.Write(QueueRig.Row("a", 0, 1), _owner);

        _store.Release();

        Assert.Equal(["a claimed 1", "a 0.1 stale"], await _owner.AllAsync(2));
        Assert.Equal(1, queue.Counts.Stale);
    }

    [Fact]
    public async Task A_later_checkpoint_takes_the_place_of_one_that_waits()
    {
        var queue = Queue();
        await HoldAsync(queue);
        queue.Write(QueueRig.Row("a", 1, 1), _owner);
        queue.Write(QueueRig.Row("b", 1, 1), _owner);
        queue.Write(QueueRig.Row("a", 1, 2), _owner);
        queue.Write(QueueRig.Row("a", 2, 1), _owner);
        queue.Write(QueueRig.Row("a", 2, 0), _owner);
        queue.Write(QueueRig.Row("a", 1, 9), _owner);

        _store.Release();

        Assert.Equal(
            ["a 1.1 replaced", "a 1.2 replaced", "a 2.0 replaced", "a 1.9 stale", "a 2.1 kept", "b 1.1 kept"],
            await _owner.AllAsync(6));
        Assert.Equal(["write first", "write a b"], _store.Batches);
        Assert.Equal((3, 1), (queue.Counts.Replaced, queue.Counts.Stale));
    }

    [Fact]
    public async Task An_identity_that_is_claimed_three_times_gets_three_epochs()
    {
        var queue = Queue();
        await HoldAsync(queue);
        queue.Claim("a", 1, _owner);
        queue.Claim("a", 1, _owner);
        queue.Claim("b", 1, _owner);
        queue.Claim("a", 1, _owner);

        _store.Release();

        Assert.Equal(["a claimed 1", "b claimed 1", "a claimed 2", "a claimed 3"], await _owner.AllAsync(4));
    }

    [Fact]
    public async Task Identities_are_forgotten_after_all_else_unless_they_were_claimed()
    {
        var queue = Queue();
        await HoldAsync(queue);
        queue.Forget("a", 1);
        queue.Forget("b", 1);
        queue.Write(QueueRig.Row("a", 1, 5), _owner);
        queue.Write(QueueRig.Row("b", 1, 5), _owner);
        queue.Claim("b", 1, _owner);

        _store.Release();
        await Until.TrueAsync(() => queue.Counts.Forgotten == 2, static () => "forgotten");
        queue.Claim("a", 1, _owner);
        queue.Claim("b", 1, _owner);

        await _owner.AllAsync(5);
        Assert.Equal(
            [("b", 2, 5), ("a", 1, 0), ("b", 3, 5)],
            _owner.Claims.Select(static c => (c.Identity, (int)c.Epoch, (int)c.Revision)));
    }

    [Fact]
    public async Task A_full_queue_refuses_new_rows_and_counts_them_and_takes_newer_ones_of_those_it_has()
    {
        var queue = Queue(QueueRig.Settings with { Rows = 3 });
        await HoldAsync(queue);   // it counts while it is under way

        Assert.True(queue.Write(QueueRig.Row("a", 1, 1), _owner));
        Assert.True(queue.Write(QueueRig.Row("b", 1, 1), _owner));
        Assert.False(queue.Write(QueueRig.Row("c", 1, 1), _owner));
        Assert.True(queue.Write(QueueRig.Row("a", 1, 2), _owner));
        Assert.All(["a", "b", "c"], id => Assert.True(queue.Claim(id, 1, _owner)));
        Assert.False(queue.Claim("d", 1, _owner));
        Assert.Equal((1, 1, 6), (queue.Counts.Lost, queue.Counts.ClaimsLost, queue.Counts.Queued));
        for (var i = 0; i < 4; i++)
        {
            queue.Forget($"{i}", 1);
        }

        _store.Release();

        await _owner.AllAsync(6);
        await Until.TrueAsync(() => queue.Counts.Queued == 0, static () => "an empty queue");
        Assert.True(queue.Write(QueueRig.Row("c", 1, 1), _owner));
        Assert.True(queue.Claim("d", 1, _owner));
        Assert.Equal((3, 1), (queue.Counts.Forgotten, queue.Counts.Lost));
        Assert.Equal(["checkpoints-lost"], QueueRig.EventsOf(_log));
    }

    [Fact]
    public async Task The_bytes_that_wait_are_limited_too()
    {
        var queue = Queue(QueueRig.Settings with { Bytes = 1_000 });
        await HoldAsync(queue);   // of 10 bytes

        Assert.True(queue.Write(QueueRig.Row("a", 1, 1, new string('x', 900)), _owner));
        Assert.False(queue.Write(QueueRig.Row("b", 1, 1, new string('x', 87)), _owner));
        Assert.True(queue.Write(QueueRig.Row("b", 1, 1, new string('x', 86)), _owner));
        Assert.False(queue.Write(QueueRig.Row("b", 1, 2, new string('x', 87)), _owner));
        Assert.True(queue.Write(QueueRig.Row("a", 1, 2, new string('x', 800)), _owner));
        Assert.True(queue.Write(QueueRig.Row("c", 1, 1, new string('x', 98)), _owner));
        Assert.Equal((1_000L, 2), (queue.Counts.QueuedBytes, queue.Counts.Lost));

        _store.Release();

        await _owner.AllAsync(4);
        Assert.Equal(0, queue.Counts.QueuedBytes);
    }

    [Fact]
    public void What_no_store_can_keep_is_refused_at_the_door()
    {
        var queue = Queue();

        Assert.False(queue.Write(QueueRig.Row("nul\0", 1, 1), _owner));
        Assert.False(queue.Write(QueueRig.Row("", 1, 1), _owner));
        Assert.False(queue.Write(new Checkpoint("a", 1, 1, new byte[CheckpointLimits.StateBytesMax + 1]), _owner));
        Assert.False(queue.Claim("half\uD83D", 1, _owner));
        queue.Forget("", 1);

        Assert.Equal((3, 1, 0), (queue.Counts.Lost, queue.Counts.ClaimsLost, queue.Counts.Queued));
        Assert.Empty(_store.Batches);
    }

    [Fact]
    public async Task An_owner_that_throws_takes_nothing_from_the_others()
    {
        var queue = Queue();
        await HoldAsync(queue);
        queue.Write(QueueRig.Row("a", 1, 1), new ThrowingOwner());
        queue.Write(QueueRig.Row("b", 1, 1), _owner);

        _store.Release();

        Assert.Equal(["b 1.1 kept"], await _owner.AllAsync(1));
        Assert.Contains("fault", QueueRig.EventsOf(_log));
    }

    [Fact]
    public async Task From_many_threads_every_row_is_told_once_and_no_epoch_is_given_twice()
    {
        const int Threads = 6;
        const int Rounds = 400;
        const int Names = 40;
        var queue = Queue(QueueRig.Settings with { Batch = 16 });
        _store.Poison = "7";

        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            var random = new Random(thread);
            for (var round = 1; round <= Rounds; round++)
            {
                var name = $"{random.Next(Names)}";
                Assert.True(random.Next(4) == 0
                    ? queue.Claim(name, 1, _owner)
                    : queue.Write(QueueRig.Row(name, 1_000_000, (thread * Rounds) + round), _owner));
            }
        })));

        var told = await _owner.AllAsync(Threads * Rounds);
        await Until.TrueAsync(() => queue.Counts.Queued == 0, static () => "an empty queue");
        Assert.Equal(Threads * Rounds, told.Length);
        Assert.Equal(0, queue.Counts.QueuedBytes);
        var epochs = _owner.Claims.Select(static claim => (claim.Identity, claim.Epoch)).ToList();
        Assert.Equal(epochs.Count, epochs.Distinct().Count());
        Assert.All(
            told.Where(static one => one.EndsWith("lost", StringComparison.Ordinal)),
            static one => Assert.StartsWith("7 ", one, StringComparison.Ordinal));
        Assert.DoesNotContain(told, static one => one.StartsWith("7 ", StringComparison.Ordinal)
            && (one.EndsWith("kept", StringComparison.Ordinal) || one.Contains("claimed", StringComparison.Ordinal)));
        var counts = queue.Counts;
        Assert.Equal(
            Threads * Rounds,
            counts.Claimed + counts.Written + counts.Replaced + counts.Stale + counts.Lost + counts.ClaimsLost);
    }

    [Fact]
    public async Task What_waits_is_written_before_the_end_and_nothing_more_is_taken()
    {
        var queue = Queue();
        await HoldAsync(queue);
        queue.Write(QueueRig.Row("a", 1, 1), _owner);
        var stop = queue.StopAsync(TimeSpan.FromSeconds(5));

        Assert.False(queue.Write(QueueRig.Row("b", 1, 1), _owner));
        Assert.False(queue.Claim("b", 1, _owner));
        _store.Release();
        await stop;

        Assert.Equal(["a 1.1 kept"], _owner.All);
    }

    private CheckpointQueue Queue(CheckpointQueueSettings? settings = null) =>
        new("fake", _store, settings ?? QueueRig.Settings, _time, _log);

    /// <summary>A batch with one write is under way when this returns, and stays there.</summary>
    private async Task HoldAsync(CheckpointQueue queue)
    {
        _store.Hold();
        queue.Write(QueueRig.Row("first", 1, 1));
        await Until.TrueAsync(() => _store.Batches.Count == 1, static () => "the first batch");
    }

    private static (int Claimed, int Written, int Queued, long Bytes) Of(CheckpointCounts counts) =>
        ((int)counts.Claimed, (int)counts.Written, counts.Queued, counts.QueuedBytes);

    private sealed class ThrowingOwner : ICheckpointOwner
    {
        public void OnClaimed(Checkpoint claimed) => throw new InvalidOperationException();

        public void OnClaimLost(string identity) => throw new InvalidOperationException();

        public void OnWritten(Checkpoint checkpoint, WriteResult result) => throw new InvalidOperationException();
    }
}
