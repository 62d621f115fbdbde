using System.Globalization;
using Router.Configuration;
using Router.Diagnostics;
using Router.Reporting.Sinks;
using Router.Tests.Functional;

namespace Router.Tests.Reporting.Sinks;

/// <summary>No sink holds up who logs, and what it did not write is known to the line.</summary>
public sealed class LogSinkTests
{
    private const int Queue = 100;

    [Fact]
    public void All_lines_are_written_in_their_order_before_the_end()
    {
        ScriptedOutput output;
        using (var rig = new SinkRig())
        {
            output = rig.Add("stdout", queue: 5_000);
            rig.Say(5_000);
        }

        Assert.Equal(Enumerable.Range(0, 5_000), output.Lines.Select(NumberOf));
    }

    [Fact]
    public async Task A_sink_that_hangs_costs_who_logs_nothing_and_tells_later_what_is_missing()
    {
        const int Said = 10_000;
        using var rig = new SinkRig();
        var (hung, other) = (rig.Add("file", queue: Queue), rig.Add("stdout", queue: 2 * Said));
        hung.Block();
        rig.Say(Said);   // returns

        var dropped = rig["file"].Dropped;
        Assert.InRange(dropped, Said - (3 * Queue), Said - Queue);
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        await Until.TrueAsync(() => other.Lines.Length == Said + 1, () => "the others are not told");
        Assert.EndsWith($"log-lines-dropped sink=file count={dropped}", other.Lines[^1], StringComparison.Ordinal);

        hung.Unblock();
        await Until.TrueAsync(
            () => hung.Lines.Count(static line => line.Contains("stopped", StringComparison.Ordinal)) == Said - dropped,
            () => "what waited is not written");
        rig.Say(1);
        await Until.TrueAsync(() => rig["file"].Waiting == 0, () => "not written");
        rig.Dispose();

        var told = hung.Lines.Where(static line => line.Contains("log-lines-dropped", StringComparison.Ordinal));
        Assert.Equal(dropped, told.Sum(static line => long.Parse(
            line[(line.LastIndexOf('=') + 1)..], CultureInfo.InvariantCulture)));
        Assert.Equal("", rig.Errors);
        Assert.Equal(Said + 1 + 1, other.Lines.Length);
    }

    [Fact]
    public async Task Drops_are_told_at_most_once_a_second()
    {
        using var rig = new SinkRig();
        var (hung, other) = (rig.Add("file", queue: 16), rig.Add("stdout", queue: 100_000));
        hung.Block();
        for (var tenth = 0; tenth < 30; tenth++)
        {
            rig.Say(100);
            rig.Time.Advance(TimeSpan.FromMilliseconds(100));
        }

        await Until.TrueAsync(() => rig["stdout"] is { Waiting: 0, Written: >= 3_003 }, () => "not written");
        Assert.Equal(3, other.Lines.Count(static l => l.Contains("log-lines-dropped", StringComparison.Ordinal)));
        hung.Unblock();
    }

    /// <summary>A write may take a part of what it is given, and fail behind that.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_failure_loses_no_line_and_is_told_once_until_it_works(bool losesLines)
    {
        const int Said = 50;
        using var rig = new SinkRig();
        var writes = 0;
        var failing = rig.Add("file", new ScriptedOutput
        {
            KeepsMessages = losesLines,
            LosesLines = losesLines,
            Takes = length => ++writes switch
            {
                2 or 3 => throw new IOException("no space"),
                4 => 0,
                _ => losesLines ? length : Math.Min(length, 70),   // within a line
            },
        });
        var other = rig.Add("stdout");
        rig.Say(Said);
        await Until.TrueAsync(() => failing.Lines.Length >= Said, () => $"not written: {failing.Text}");
        rig.Time.Advance(TimeSpan.FromSeconds(10));
        rig.Say(1);
        await Until.TrueAsync(() => failing.Text.Contains("log-sink-works", StringComparison.Ordinal), () => "works");
        rig.Dispose();

        Assert.Equal(
            [.. Enumerable.Range(0, Said), 0],
            failing.Lines.Where(static line => line.Contains("stopped", StringComparison.Ordinal)).Select(NumberOf));
        var failed = Assert.Single(other.Lines, l => l.Contains("log-sink-failed", StringComparison.Ordinal));
        Assert.Contains("sink=file error=\"no space\" retry-ms=100", failed, StringComparison.Ordinal);
        Assert.Contains(other.Lines, l => l.EndsWith("sink=file failed-ms=10000", StringComparison.Ordinal));
    }

    [Fact]
    public void What_cannot_be_written_at_the_end_is_told_on_standard_error()
    {
        using var rig = new SinkRig(TimeSpan.FromMilliseconds(50));
        rig.Add("file", new ScriptedOutput { Takes = static _ => throw new IOException("no space") });
        var hung = rig.Add("syslog");
        hung.Block();
        rig.Say(7);

        rig.Dispose();

        Assert.Contains("lines were not written to file", rig.Errors, StringComparison.Ordinal);
        Assert.Contains("lines were not written to syslog", rig.Errors, StringComparison.Ordinal);
        hung.Unblock();
    }

    /// <summary>What is lost are the lines that were said, and the one about the failure.</summary>
    [Fact]
    public void The_number_that_is_told_at_the_end_is_the_number_of_lines_that_are_lost()
    {
        const int Said = 4_096;
        using var rig = new SinkRig();
        rig.Add("file", new ScriptedOutput { Takes = static _ => throw new IOException("no space") }, queue: 2 * Said);

        rig.Say(Said);
        rig.Dispose();

        Assert.Equal($"log: {Said + 1} lines were not written to file", rig.Errors.Trim());
        Assert.Equal(Said + 1, rig["file"].Dropped);
    }

    /// <summary>It lost lines, is told to end, and fails for good before it has said how many.</summary>
    [Fact]
    public async Task A_line_about_lost_lines_that_is_lost_is_no_lost_line_and_has_told_nothing()
    {
        const int Said = 5_000;
        using var rig = new SinkRig();
        var (isFull, hung) = (false, new ScriptedOutput());
        hung.Takes = length => isFull ? throw new IOException("no space") : length;
        rig.Add("file", hung, queue: Queue);
        hung.Block();
        rig.Say(Said);
        await Until.TrueAsync(() => rig["file"].Waiting == Queue, () => "it is not full");
        isFull = true;
        hung.Unblock();

        rig.Dispose();

        Assert.Empty(hung.Lines);
        Assert.Equal($"log: {Said + 1} lines were not written to file", rig.Errors.Trim());
    }

    /// <summary>As a file whose directory lets nobody rename: each of its rotations fails, and no line is lost, waits
    /// or is written twice, at the end neither.</summary>
    [Fact]
    public async Task A_file_that_cannot_give_way_loses_no_line()
    {
        const int Said = 5_000;
        var folder = Directory.CreateTempSubdirectory("router-test-");
        var path = Path.Combine(folder.FullName, "log");
        Directory.CreateDirectory(Path.Combine(path + ".1", "full"));
        ScriptedOutput other;
        using (var rig = new SinkRig())
        {
            rig.Add("file", new FileOutput(new FileSinkOptions(path, LogFormat.Auto, LogLines.All, 300, 3)), 2 * Said);
            other = rig.Add("stdout", queue: 2 * Said);
            rig.Say(5);
            await Until.TrueAsync(
                () => other.Text.Contains("log-not-rotated", StringComparison.Ordinal), () => "it is not told");
            rig.Say(Said);
            rig.Dispose();   // at once

            Assert.Equal("", rig.Errors);
            Assert.Equal(0, rig["file"].Dropped);
        }

        var lines = File.ReadAllLines(path);
        folder.Delete(recursive: true);
        Assert.Equal(
            Enumerable.Range(0, 5).Concat(Enumerable.Range(0, Said)),
            lines.Where(static line => line.Contains("stopped", StringComparison.Ordinal)).Select(NumberOf));
        Assert.Single(other.Lines, static line => line.Contains("log-not-rotated", StringComparison.Ordinal));
        Assert.DoesNotContain(other.Lines, static l => l.Contains("log-sink-failed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_line_that_is_refused_is_dropped_and_the_next_is_taken()
    {
        using var rig = new SinkRig();
        var sent = 0;
        var output = rig.Add(
            "syslog",
            new ScriptedOutput
            {
                KeepsMessages = true,
                Takes = length => ++sent == 3 ? throw new LineRefusedException("too long") : length,
            });

        rig.Say(5);

        await Until.TrueAsync(() => rig["syslog"] is { Written: >= 4, Dropped: 1, Waiting: 0 }, () => "not written");
        Assert.Equal(
            [0, 1, 3, 4],
            output.Lines.Where(static line => line.Contains("stopped", StringComparison.Ordinal)).Select(NumberOf));
    }

    [Theory]
    [InlineData(LogLines.All, "sessions-summarised session-closed stopped")]
    [InlineData(LogLines.Access, "session-closed")]
    [InlineData(LogLines.Events, "sessions-summarised stopped")]
    internal void A_sink_gets_the_lines_that_it_is_for(LogLines lines, string events)
    {
        ScriptedOutput output;
        using (var rig = new SinkRig())
        {
            output = rig.Add("file", lines: lines);
            SessionLog.Summarised(rig.Log, "a", 1, 2, 3, 4, 5, 6, 7, "idle=1", 8);
            SessionLog.Closed(
                rig.Log, "00ff", "dns", "udp", "192.0.2.1:5", "192.0.2.9:53", "resolvers", null, null,
                rig.Time.GetUtcNow(), 15, 1, 20, 3, 4, 5, null, 6, "idle", null, 33, 0, null, null);
            rig.Say(1);
        }

        Assert.Equal(events, string.Join(' ', output.Lines.Select(static line => line.Split(' ')[6])));
    }

    [Fact]
    public void Lines_are_counted_out_for_a_stream_of_messages()
    {
        ScriptedOutput output;
        using (var rig = new SinkRig())
        {
            output = rig.Add("syslog", framing: SinkFraming.Counted);
            rig.Say(2);
        }

        var first = output.Text[..output.Text.IndexOf(' ', StringComparison.Ordinal)];
        var length = int.Parse(first, CultureInfo.InvariantCulture);
        var rest = output.Text[(first.Length + 1 + length)..];
        Assert.StartsWith($"{length} 20", rest, StringComparison.Ordinal);
        Assert.Equal(first.Length + 1 + length, rest.Length);
    }

    [Fact]
    public void A_text_that_cannot_be_had_costs_its_line_alone()
    {
        ScriptedOutput output;
        using (var rig = new SinkRig())
        {
            output = rig.Add("stdout");
            HostLog.Fault(rig.Log, new UnspeakableException(), "a");
            rig.Say(1);
        }

        Assert.Contains(output.Lines, static line => line.Contains("stopped", StringComparison.Ordinal));
    }

    private static int NumberOf(string line) =>
        int.Parse(line[(line.LastIndexOf('=') + 1)..], CultureInfo.InvariantCulture);
}
