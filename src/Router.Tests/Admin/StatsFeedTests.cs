using System.Collections.Concurrent;
using System.Text;
using Router.Admin;
using Router.TestKit.Simulation;
using Router.Tests.Functional;

namespace Router.Tests.Admin;

/// <summary>The figures once a second are read once for all, and only where somebody reads them.</summary>
public sealed class StatsFeedTests
{
    private readonly VirtualTimeProvider _time = new();
    private int _reads;

    [Fact]
    public async Task They_are_read_at_once_and_then_once_a_second_for_all_readers()
    {
        var feed = Feed();
        var one = feed.TryOpen()!;
        Assert.StartsWith("data: {\"version\":\"1\"", await NextAsync(one), StringComparison.Ordinal);
        var two = feed.TryOpen()!;
        await TickAsync();

        Assert.Contains("\"uptime-ms\":2,", await NextAsync(one), StringComparison.Ordinal);
        Assert.Contains("\"uptime-ms\":2,", await NextAsync(two), StringComparison.Ordinal);
        Assert.Equal(2, _reads);
    }

    [Fact]
    public async Task A_reader_that_is_late_gets_the_latest()
    {
        var feed = Feed();
        var late = feed.TryOpen()!;
        await Until.TrueAsync(() => _reads == 1, () => "no first sample");
        await TickAsync();
        await TickAsync();
        await Until.TrueAsync(() => _time.NextTimer is not null && _reads == 3, () => "no third sample");

        Assert.Contains("\"uptime-ms\":3,", await LatestAsync(late), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_readers_nothing_is_read()
    {
        var feed = Feed();
        var one = feed.TryOpen()!;
        await NextAsync(one);

        feed.Close(one);
        feed.Close(one);
        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal((1, 0), (_reads, feed.Readers));
        await NextAsync(feed.TryOpen()!);
        Assert.Equal(2, _reads);
    }

    [Fact]
    public async Task There_are_no_more_readers_than_configured_and_all_end_with_the_router()
    {
        var feed = Feed();
        var (one, two) = (feed.TryOpen()!, feed.TryOpen()!);
        Assert.Null(feed.TryOpen());
        feed.Close(two);
        await NextAsync(one);

        feed.End();

        Assert.False(await one.Reader.WaitToReadAsync());
        Assert.False(await feed.TryOpen()!.Reader.WaitToReadAsync());
    }

    /// <summary>Whoever follows is alone again and again, before the one who reads has begun to.</summary>
    [Fact]
    public async Task However_readers_come_and_go_one_reads_for_all_of_them()
    {
        var tokens = new ConcurrentQueue<CancellationToken>();
        var feed = new StatsFeed(
            end =>
            {
                tokens.Enqueue(end);
                return Task.FromResult(Report());
            },
            readersMax: 2, _time, static failure => Assert.Fail(failure.Message));
        for (var i = 0; i < 1_000; i++)
        {
            feed.Close(feed.TryOpen()!);
        }

        await NextAsync(feed.TryOpen()!);

        Assert.Equal(tokens.Distinct().Count(), tokens.Count);   // else two read until one and the same end
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_cannot_be_read_ends_the_readers_and_the_next_ones_begin_anew(bool isTimeout)
    {
        var failures = new ConcurrentQueue<Exception>();
        Exception failure = isTimeout ? new OperationCanceledException() : new InvalidOperationException();
        var feed = new StatsFeed(
            _ => _reads++ == 0 ? throw failure : Task.FromResult(Report()), readersMax: 2, _time, failures.Enqueue);
        var one = feed.TryOpen()!;

        Assert.False(await one.Reader.WaitToReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Same(failure, Assert.Single(failures));
        feed.Close(one);
        await NextAsync(feed.TryOpen()!);
    }

    private StatsFeed Feed() => new(
        _ => Task.FromResult(Report()), readersMax: 2, _time, static failure => Assert.Fail(failure.Message));

    private StatsReport Report() =>
        new("1", "", Interlocked.Increment(ref _reads), 1, "running", 0, null!, [], [], [], [], null!, null);

    private static async Task<string> NextAsync(System.Threading.Channels.Channel<byte[]> reader) =>
        Encoding.UTF8.GetString(await reader.Reader.ReadAsync());

    /// <summary>What is there when nothing more comes.</summary>
    private static async Task<string> LatestAsync(System.Threading.Channels.Channel<byte[]> reader)
    {
        var latest = "";
        await Until.TrueAsync(
            () => reader.Reader.TryRead(out var sample)
                && (latest = Encoding.UTF8.GetString(sample)).Contains("\"uptime-ms\":3", StringComparison.Ordinal),
            () => latest);
        return latest;
    }

    private async Task TickAsync()
    {
        var before = _reads;
        await Until.TrueAsync(() => _time.NextTimer is not null, () => "nobody waits for the next second");
        _time.Advance(TimeSpan.FromSeconds(1));
        await Until.TrueAsync(() => _reads > before, () => "not read");
    }
}
