using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;
using Router.Reporting;
using Router.TestKit.Simulation;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Tests.Reporting;

/// <summary>Who follows the log gets what is logged, within limits, and costs who logs nothing.</summary>
public sealed class EventFeedTests
{
    private const int Readers = 2, Queue = 16, Backlog = 4;

    private readonly EventFeed _feed = new(new StreamOptions(Readers, Queue, Backlog));

    [Fact]
    public async Task A_reader_gets_the_latest_that_are_kept_and_then_those_that_come()
    {
        Say("one", "two", "three", "four", "five", "six");
        using var reader = _feed.TryOpen(EventFilter.All, last: 3, follows: true)!;
        Assert.Equal(["four", "five", "six"], await ReadAsync(reader));

        Say("seven", "eight");
        Assert.Equal(["seven", "eight"], await ReadAsync(reader));
    }

    /// <summary>A value may take its time to say what it is: here as long as somebody else logs.</summary>
    [Fact]
    public async Task Who_logs_does_not_wait_until_those_that_are_kept_are_looked_through()
    {
        var waits = new List<bool>();
        Say(LogLevel.Information, "kept", ("Session", new SlowValue(
            () => waits.Add(!Task.Run(() => Say("meanwhile")).Wait(TimeSpan.FromSeconds(10))))));

        using var reader = _feed.TryOpen(EventFilter.All with { Session = "7" }, last: 1, follows: true)!;

        Assert.Equal(["kept"], await ReadAsync(reader));
        Assert.NotEmpty(waits);
        Assert.DoesNotContain(true, waits);
    }

    [Fact]
    public async Task No_more_are_kept_than_configured()
    {
        Say("one", "two", "three", "four", "five");
        using var reader = _feed.TryOpen(EventFilter.All, last: 1000, follows: false)!;

        Assert.Equal(["two", "three", "four", "five"], await ReadAsync(reader));
        Assert.Null(await ReadAsync(reader));
    }

    [Fact]
    public async Task What_finds_the_queue_full_is_dropped_and_counted()
    {
        using var slow = _feed.TryOpen(EventFilter.All, last: 0, follows: true)!;
        using var other = _feed.TryOpen(EventFilter.All with { Level = LogLevel.Warning }, last: 0, follows: true)!;
        Assert.Empty((await ReadAsync(slow))!);
        for (var i = 0; i < Queue + 3; i++)
        {
            Say("x");
        }

        Assert.Equal(3, slow.TakeDropped());
        Assert.Equal(0, slow.TakeDropped());
        Assert.Equal(0, other.TakeDropped());
        Assert.Equal(Queue, (await ReadAsync(slow))!.Count);
    }

    [Fact]
    public void There_are_no_more_readers_than_configured()
    {
        using var one = _feed.TryOpen(EventFilter.All, 0, follows: true);
        var two = _feed.TryOpen(EventFilter.All, 0, follows: true)!;
        Assert.Null(_feed.TryOpen(EventFilter.All, 0, follows: true));

        two.Dispose();
        two.Dispose();
        using var three = _feed.TryOpen(EventFilter.All, 0, follows: true);
        Assert.NotNull(three);
        Assert.Equal(Readers, _feed.Readers);
    }

    [Fact]
    public async Task At_the_end_readers_get_what_waits_and_end_and_those_to_come_likewise()
    {
        using var reader = _feed.TryOpen(EventFilter.All, 0, follows: true)!;
        Say("last");
        _feed.End();

        Assert.Empty((await ReadAsync(reader))!);
        Assert.Equal(["last"], await ReadAsync(reader));
        Assert.Null(await ReadAsync(reader));
        using var late = _feed.TryOpen(EventFilter.All, 1, follows: true)!;
        Assert.Equal(["last"], await ReadAsync(late));
        Assert.Null(await ReadAsync(late));
    }

    [Theory]
    [InlineData("a", null, null, null, "a")]
    [InlineData("a,b", null, null, null, "a b")]
    [InlineData("", LogLevel.Warning, null, null, "b")]
    [InlineData("", null, "echo", null, "a b")]
    [InlineData("", null, "dns", null, "c")]
    [InlineData("", null, null, "7", "b")]
    [InlineData("a", null, null, "7", "")]
    public async Task A_filter_lets_through_by_name_level_listener_and_session(
        string events, LogLevel? level, string? listener, string? session, string expected)
    {
        var filter = new EventFilter(
            events.Split(',', StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal),
            level ?? LogLevel.Trace, listener, session);
        using var live = _feed.TryOpen(filter, last: 0, follows: true)!;
        Say(LogLevel.Information, "a", ("Listener", "echo"), ("Session", 6));
        Say(LogLevel.Error, "b", ("Listener", "echo"), ("Session", 7));
        Say(LogLevel.Information, "c", ("Listener", "dns"));
        _feed.End();

        Assert.Empty((await ReadAsync(live))!);
        Assert.Equal(expected, string.Join(' ', await ReadAsync(live) ?? []));
        using var kept = _feed.TryOpen(filter, last: Backlog, follows: false)!;
        Assert.Equal(expected, string.Join(' ', (await ReadAsync(kept))!));
    }

    [Fact]
    public async Task A_beat_wakes_the_reader_with_nothing()
    {
        using var reader = _feed.TryOpen(EventFilter.All, 0, follows: true)!;
        Assert.Empty((await ReadAsync(reader))!);

        var waiting = ReadAsync(reader);
        Assert.False(waiting.IsCompleted);
        reader.Beat();

        Assert.Empty((await waiting.WaitAsync(TimeSpan.FromSeconds(10)))!);
    }

    private sealed class SlowValue(Action wait)
    {
        public override string ToString()
        {
            wait();
            return "7";
        }
    }

    private static async Task<IReadOnlyList<string>?> ReadAsync(EventReader reader)
    {
        var records = new List<LogRecord>();
        return await reader.ReadAsync(records, 1000, CancellationToken.None)
            ? [.. records.Select(LogLine.EventOf)]
            : null;
    }

    private void Say(params string[] events)
    {
        foreach (var name in events)
        {
            Say(LogLevel.Information, name);
        }
    }

    private void Say(LogLevel level, string name, params (string Key, object Value)[] fields)
    {
        var log = new RecordLogger("Router", new VirtualTimeProvider(), static _ => true, _feed.Add);
        KeyValuePair<string, object?>[] state = [.. fields.Select(
            static field => new KeyValuePair<string, object?>(field.Key, field.Value))];
        log.Log(level, new EventId(1, name), state, null, static (_, _) => "");
    }
}
