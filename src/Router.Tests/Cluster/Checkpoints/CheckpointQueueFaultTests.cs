using Router.Cluster.Checkpoints;
using Router.TestKit.Simulation;
using Router.Tests.Diagnostics;
using Router.Tests.Functional;

namespace Router.Tests.Cluster.Checkpoints;

/// <summary>A store that is not to be had, refuses rows, or hangs.</summary>
public sealed class CheckpointQueueFaultTests
{
    private readonly VirtualTimeProvider _time = new();
    private readonly FakeStore _store = new();
    private readonly RecordingOwner _owner = new();
    private readonly LineLogger _log = new("Router");
    private readonly CheckpointQueue _queue;
    private bool _mayClaim = true;

    public CheckpointQueueFaultTests() => _queue = new CheckpointQueue(
        "fake", _store, QueueRig.Settings with { Rows = 200, Batch = 100 }, _time, _log, () => _mayClaim);

    [Fact]
    public async Task A_store_that_is_not_to_be_had_is_tried_ever_more_slowly_and_gets_everything_when_it_is_back()
    {
        _store.Failure = new InvalidOperationException("refused");
        _queue.Write(QueueRig.Row("a", 1, 1), _owner);

        foreach (var wait in new[] { 50, 100, 200, 400, 500, 500 })
        {
            Assert.Equal(TimeSpan.FromMilliseconds(wait), await PassBackoffAsync());
        }

        await Until.TrueAsync(() => _time.NextTimer is not null, static () => "the next wait");
        _queue.Write(QueueRig.Row("b", 1, 1), _owner);
        Assert.True(_queue.Counts is { IsAway: true, LastError: "refused", Retries: 7, Queued: 2 });
        _store.Failure = null;
        await PassBackoffAsync();

        Assert.Equal(["a 1.1 kept", "b 1.1 kept"], await _owner.AllAsync(2));
        Assert.Equal((false, 8L), (_queue.Counts.IsAway, _queue.Counts.Batches));
        Assert.Equal(["checkpoint-store-lost", "checkpoint-store-back"], QueueRig.EventsOf(_log));
        Assert.Contains("\"lost-ms\":2250,\"failures\":7", _log.Lines[1], StringComparison.Ordinal);

        _store.Failure = new InvalidOperationException("again");
        _queue.Write(QueueRig.Row("a", 1, 2), _owner);
        Assert.Equal(TimeSpan.FromMilliseconds(50), await PassBackoffAsync());
    }

    [Fact]
    public async Task While_it_is_away_each_identity_waits_with_its_latest_checkpoint_and_the_rest_is_counted()
    {
        _store.Failure = new InvalidOperationException("refused");
        for (var i = 0; i < 200; i++)
        {
            Assert.True(_queue.Write(QueueRig.Row($"{i}", 1, 1), _owner));
        }

        await PassBackoffAsync();
        await Until.TrueAsync(() => _time.NextTimer is not null, static () => "the next wait");
        for (var i = 0; i < 300; i++)
        {
            Assert.Equal(i < 200, _queue.Write(QueueRig.Row($"{i}", 1, 2), _owner));
        }

        _store.Failure = null;
        await PassBackoffAsync();

        await Until.TrueAsync(() => _queue.Counts.Queued == 0, static () => "an empty queue");
        Assert.Equal((200, 200, 100), (_queue.Counts.Written, _queue.Counts.Replaced, _queue.Counts.Lost));
        var told = await _owner.AllAsync(400);
        Assert.Equal(200, told.Count(static one => one.EndsWith("1.2 kept", StringComparison.Ordinal)));
        Assert.Equal(
            ["checkpoint-store-lost", "checkpoints-lost", "checkpoint-store-back"], QueueRig.EventsOf(_log));
    }

    [Fact]
    public async Task A_checkpoint_that_failed_under_way_gives_way_to_a_newer_one()
    {
        _store.Hold();
        _queue.Write(QueueRig.Row("a", 1, 1), _owner);
        _queue.Write(QueueRig.Row("b", 1, 1), _owner);
        await Until.TrueAsync(() => _store.Batches.Count == 1, static () => "the first batch");
        _queue.Write(QueueRig.Row("a", 1, 2), _owner);
        _store.Failure = new InvalidOperationException("lost");
        _store.Release();
        await Until.TrueAsync(() => _time.NextTimer is not null, static () => "a wait");
        _store.Failure = null;
        await PassBackoffAsync();

        Assert.Equal(["a 1.1 replaced", "a 1.2 kept", "b 1.1 kept"], (await _owner.AllAsync(3)).Order());
        Assert.Equal(0, _queue.Counts.QueuedBytes);
    }

    [Fact]
    public async Task A_row_that_the_store_will_never_take_is_given_up_alone()
    {
        _store.Poison = "bad";
        _store.Hold();
        for (var i = 0; i < 100; i++)
        {
            _queue.Write(QueueRig.Row(i is 17 or 90 ? $"bad{i}" : $"{i}", 1, 1), _owner);
            _queue.Claim(i is 40 ? $"bad{i}" : $"c{i}", 1, _owner);
        }

        _store.Release();

        var told = await _owner.AllAsync(200);
        Assert.Equal(
            ["bad17 1.1 lost", "bad40 claim lost", "bad90 1.1 lost"],
            told.Where(static one => one.EndsWith("lost", StringComparison.Ordinal)).Order());
        Assert.Equal((98, 99, 2, 1), (
            _queue.Counts.Written, _queue.Counts.Claimed, _queue.Counts.Lost, _queue.Counts.ClaimsLost));
        Assert.InRange(_store.Batches.Count, 1, 60);
        Assert.Equal(["checkpoints-lost"], QueueRig.EventsOf(_log));
        Assert.Contains("bad row", _log.Lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_claim_is_answered_in_time_also_while_the_store_hangs()
    {
        _store.Hold();
        _queue.Claim("a", 1, _owner);
        await Until.TrueAsync(() => _store.Batches.Count == 1, static () => "the first batch");
        _time.Advance(TimeSpan.FromSeconds(3));
        _queue.Claim("b", 1, _owner);
        _time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Empty(_owner.All);

        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(["a claim lost"], _owner.All);
        _queue.Claim("c", 1, _owner);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(["a claim lost", "b claim lost"], _owner.All);

        _store.Release();
        Assert.Equal(["a claim lost", "b claim lost", "c claimed 1"], await _owner.AllAsync(3));
        await Until.TrueAsync(() => _queue.Counts.Queued == 0, static () => "an empty queue");
        Assert.Equal(2, _queue.Counts.ClaimsLost);
    }

    [Fact]
    public async Task A_claim_that_was_answered_as_lost_is_not_tried_again()
    {
        _store.Hold();
        _queue.Claim("a", 1, _owner);
        await Until.TrueAsync(() => _store.Batches.Count == 1, static () => "the first batch");
        _time.Advance(TimeSpan.FromSeconds(6));
        _store.Failure = new InvalidOperationException("lost");
        _store.Release();
        await Until.TrueAsync(() => _time.NextTimer is not null, static () => "a wait");
        _store.Failure = null;
        await PassBackoffAsync();
        await Until.TrueAsync(() => _queue.Counts.Queued == 0, static () => "an empty queue");

        Assert.Equal(["claim a"], _store.Batches);
        Assert.Equal(["a claim lost"], _owner.All);
    }

    [Fact]
    public async Task A_store_that_comes_and_goes_is_told_of_once_in_ten_seconds()
    {
        for (var i = 1; i <= 30; i++)
        {
            _store.Failure = new InvalidOperationException("lost");
            _queue.Write(QueueRig.Row("a", 1, i), _owner);
            await Until.TrueAsync(() => _time.NextTimer is not null, static () => "a wait");
            _store.Failure = null;
            _time.Advance(TimeSpan.FromSeconds(1));
            await _owner.AllAsync(i);
        }

        Assert.Equal(
            Enumerable.Repeat(new[] { "checkpoint-store-lost", "checkpoint-store-back" }, 3).SelectMany(static e => e),
            QueueRig.EventsOf(_log));
        Assert.Contains("\"suppressed\":0", _log.Lines[0], StringComparison.Ordinal);
        Assert.Contains("\"suppressed\":9", _log.Lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_lost_is_told_of_once_in_ten_seconds_and_at_the_end()
    {
        void Lose(int rows)
        {
            for (var i = 0; i < rows; i++)
            {
                Assert.False(_queue.Write(QueueRig.Row("", 1, 1)));
            }
        }

        Lose(3);
        Lose(4);
        _time.Advance(TimeSpan.FromSeconds(10));
        Lose(5);
        Lose(6);
        await _queue.StopAsync(TimeSpan.Zero);

        Assert.Equal(["\"rows\":1", "\"rows\":7", "\"rows\":10"], _log.Lines.Select(
            static line => $"\"rows\":{line.Split("\"rows\":")[1].Split(',', '}')[0]}"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_store_that_hangs_at_the_end_loses_what_it_has_and_what_waits_and_each_owner_is_told_once(
        bool isDeaf)
    {
        _store.IsDeaf = isDeaf;
        _store.Hold();
        _queue.Write(QueueRig.Row("a", 1, 1), _owner);
        await Until.TrueAsync(() => _store.Batches.Count == 1, static () => "the first batch");
        _queue.Write(QueueRig.Row("b", 1, 1), _owner);
        _queue.Claim("c", 1, _owner);

        var stop = _queue.StopAsync(TimeSpan.FromSeconds(2));
        await PassAsync(stop);
        await stop;
        _store.Release();

        Assert.Equal(["a 1.1 lost", "b 1.1 lost", "c claim lost"], _owner.All.Order());
        await Until.TrueAsync(() => _queue.Counts.Queued == 0, static () => "an empty queue");
        Assert.Equal((2, 1, 0L), (_queue.Counts.Lost, _queue.Counts.ClaimsLost, _queue.Counts.QueuedBytes));
        Assert.Equal(["checkpoints-lost"], QueueRig.EventsOf(_log));
    }

    [Fact]
    public async Task The_end_cuts_a_wait_short_for_one_more_try()
    {
        _store.Failure = new InvalidOperationException("lost");
        _queue.Write(QueueRig.Row("a", 1, 1), _owner);
        for (var i = 0; i < 6; i++)
        {
            await PassBackoffAsync();
        }

        await Until.TrueAsync(() => _time.NextTimer is not null, static () => "a wait");
        _store.Failure = null;
        await _queue.StopAsync(TimeSpan.FromSeconds(2));

        Assert.Equal(["a 1.1 kept"], _owner.All);
    }

    /// <summary>The majority may have claimed by then: it would take the epoch from the rightful session.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_claim_that_waits_when_the_fence_shuts_or_the_process_ends_is_not_carried_out(bool isEnd)
    {
        _store.Hold();
        _queue.Write(QueueRig.Row("a", 1, 1), _owner);
        await Until.TrueAsync(() => _store.Batches.Count == 1, static () => "the first batch");
        _queue.Claim("b", 1, _owner);
        _queue.Write(QueueRig.Row("c", 1, 1), _owner);

        _mayClaim = isEnd;
        var stop = isEnd ? _queue.StopAsync(TimeSpan.FromSeconds(2)) : Task.CompletedTask;
        _store.Release();
        await stop;

        Assert.Equal(["a 1.1 kept", "b claim lost", "c 1.1 kept"], (await _owner.AllAsync(3)).Order());
        Assert.Equal(["write a", "write c"], _store.Batches);
        Assert.Equal(1, _queue.Counts.ClaimsLost);
    }

    [Fact]
    public async Task A_claim_that_failed_is_not_tried_again_once_the_fence_is_shut()
    {
        _store.Failure = new InvalidOperationException("cut off");
        _queue.Claim("a", 1, _owner);
        await Until.TrueAsync(() => _queue.Counts.Batches == 1, static () => "the first try");
        _mayClaim = false;
        _store.Failure = null;
        await Until.TrueAsync(() => _time.NextTimer is not null, static () => "a wait");
        _time.Advance(CheckpointQueue.BackoffMin);

        Assert.Equal(["a claim lost"], await _owner.AllAsync(1));
        Assert.Equal(["claim a"], _store.Batches);
    }

    /// <summary>Lets the queue make its next try.</summary>
    /// <returns>How long it had to wait.</returns>
    private async Task<TimeSpan> PassBackoffAsync()
    {
        await Until.TrueAsync(() => _time.NextTimer is not null, static () => "a wait");
        var wait = _time.NextTimer!.Value - _time.Elapsed;
        var tries = _queue.Counts.Batches;
        _time.Advance(wait);
        await Until.TrueAsync(
            () => _queue.Counts.Batches > tries || _queue.Counts.Queued == 0, static () => "the next try");
        return wait;
    }

    private async Task PassAsync(Task task)
    {
        await Until.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
                return task.IsCompleted;
            },
            static () => "the end");
    }
}
