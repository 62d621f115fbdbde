using Router.Diagnostics;
using Router.Reporting.Sinks;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Tests.Reporting.Sinks;

public sealed class RecordQueueTests
{
    [Fact]
    public void It_is_bounded_and_keeps_the_order()
    {
        using var queue = new RecordQueue(3);
        var records = Enumerable.Range(0, 5).Select(static n => Record(n)).ToList();

        Assert.Equal([true, true, true, false, false], records.Select(queue.TryAdd));

        var taken = new List<LogRecord>();
        Assert.True(queue.Take(taken, 2));
        Assert.Equal(records[..2], taken);
        Assert.True(queue.TryAdd(records[4]));
        queue.End();
        Assert.False(queue.TryAdd(records[3]));
        taken.Clear();
        Assert.True(queue.Take(taken, 10));
        Assert.Equal([records[2], records[4]], taken);
        taken.Clear();
        Assert.False(queue.Take(taken, 10));
    }

    [Fact]
    public void Who_is_woken_comes_back_without_a_record()
    {
        using var queue = new RecordQueue(3);
        var taken = new List<LogRecord>();
        queue.Wake();

        Assert.True(queue.Take(taken, 1));

        Assert.Empty(taken);
    }

    private static LogRecord Record(int number) => LogRecord.From(
        DateTimeOffset.UnixEpoch, LogLevel.Information, "Router", new(number, "x"), number, null, null);
}
