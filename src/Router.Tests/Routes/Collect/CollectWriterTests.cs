using System.Collections.Concurrent;
using System.Text;
using Router.Net;
using Router.Routes;
using Router.Sessions;
using Router.TestKit.Simulation;

namespace Router.Tests.Routes;

/// <summary>From windows to sinks: order, failures, the end.</summary>
public sealed class CollectWriterTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly VirtualTimeProvider _time = new();
    private readonly MemoryBudget _budget = new(1 << 20);
    private readonly RecordedEvents _events = new();
    private readonly CollectFiles _files = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("router-collect-");
    private CollectWriter? _writer;
    private long _number;

    [Fact]
    public async Task Lines_say_who_when_and_what_and_are_JSON_whatever_a_peer_sent()
    {
        var path = Path.Combine(_folder.FullName, "lines");
        Start(File(path));
        Offer("plain", "q\"\\\r\n\u2028", "é", "");
        Offer(new byte[] { 0xff, 0x00 });
        await StopAsync();

        var lines = await System.IO.File.ReadAllLinesAsync(path);
        Assert.Equal(5, lines.Length);
        Assert.All(lines, static line => Assert.All(line, static c => Assert.InRange(c, ' ', '~')));
        Assert.Equal(
            "{\"time\":\"1970-01-01T00:00:01.000Z\",\"route\":\"r\",\"listener\":\"l\",\"window\":1," +
            "\"session\":\"0000000000000001000000000000000f\",\"peer\":\"192.0.2.7:5000\",\"text\":\"plain\"}",
            lines[0]);
        Assert.EndsWith(",\"text\":\"q\\\"\\\\\\r\\n\\u2028\"}", lines[1], StringComparison.Ordinal);
        Assert.EndsWith(",\"text\":\"\\u00E9\"}", lines[2], StringComparison.Ordinal);
        Assert.EndsWith(",\"text\":\"\"}", lines[3], StringComparison.Ordinal);
        Assert.EndsWith(",\"window\":2," + lines[0].Split("\"window\":1,")[1].Replace("\"text\":\"plain\"",
            "\"base64\":\"/wA=\"", StringComparison.Ordinal), lines[4], StringComparison.Ordinal);
        Assert.Empty(_events.All);
    }

    [Fact]
    public async Task A_file_is_rotated_between_windows_and_so_many_are_kept()
    {
        var path = Path.Combine(_folder.FullName, "rotated");
        Start(File(path, rotateBytes: 400, keep: 2));
        for (var i = 0; i < 9; i++)
        {
            Offer($"{i}a", $"{i}b");   // two lines of about 150 bytes: one window a file
        }

        await StopAsync();
        Assert.Equal(["rotated", "rotated.1", "rotated.2"], _folder.GetFiles().Select(f => f.Name).Order());
        Assert.Equal(["8a", "8b"], Texts(path));
        Assert.Equal(["7a", "7b"], Texts(path + ".1"));
        Assert.Equal(["6a", "6b"], Texts(path + ".2"));
    }

    [Fact]
    public async Task A_file_is_rotated_by_its_age_and_goes_on_where_a_former_run_ended()
    {
        var path = Path.Combine(_folder.FullName, "aged");
        await System.IO.File.WriteAllTextAsync(path, "{\"text\":\"before\"}\n");
        var sink = File(path, rotateInterval: TimeSpan.FromHours(1));
        await sink.OpenAsync(default);
        await sink.WriteAsync(Window("one"), default);
        _time.Advance(TimeSpan.FromMinutes(61));
        await sink.WriteAsync(Window("two"), default);
        await sink.DisposeAsync();

        Assert.Equal(["before", "one"], Texts(path + ".1"));
        Assert.Equal(["two"], Texts(path));
    }

    [Fact]
    public async Task A_file_that_was_moved_away_is_made_again()
    {
        var path = Path.Combine(_folder.FullName, "moved");
        var sink = File(path);
        await sink.WriteAsync(Window("one"), default);
        System.IO.File.Move(path, path + ".old");
        await sink.WriteAsync(Window("two"), default);
        await sink.DisposeAsync();

        Assert.Equal(["one"], Texts(path + ".old"));
        Assert.Equal(["two"], Texts(path));
    }

    [Fact]
    public async Task A_file_that_was_moved_away_and_has_a_successor_is_left_for_that()
    {
        var path = Path.Combine(_folder.FullName, "replaced");
        var sink = File(path);
        await sink.WriteAsync(Window("one"), default);
        System.IO.File.Move(path, path + ".old");
        await System.IO.File.WriteAllTextAsync(path, "");   // as logrotate's "create" does
        await sink.WriteAsync(Window("two"), default);
        await sink.DisposeAsync();

        Assert.Equal(["one"], Texts(path + ".old"));
        Assert.Equal(["two"], Texts(path));
    }

    [Fact]
    public void Sinks_of_one_file_take_turns_and_lose_nothing_to_each_other()
    {
        var path = Path.Combine(_folder.FullName, "shared");
        var sink = File(path);
        var window = Window("two");
        Task? writing = null;
        var thread = new Thread(() => writing = sink.WriteAsync(window, default).AsTask());
        using (_files.TurnAt(path).EnterScope())
        {
            thread.Start();   // another sink is at it: this one waits
            Assert.True(SpinWait.SpinUntil(
                () => thread.ThreadState is ThreadState.WaitSleepJoin or ThreadState.Stopped, Patience));
            Assert.Null(writing);
            System.IO.File.WriteAllText(path, "{\"text\":\"one\"}\n");
        }

        Assert.True(thread.Join(Patience));
        Assert.True(writing is { IsCompletedSuccessfully: true });
        Assert.Equal(["one", "two"], Texts(path));
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_said_once_and_everything_is_written_when_it_can()
    {
        var path = Path.Combine(_folder.FullName, "absent", "file");
        Start(File(path));
        Offer("one");
        Offer("two");
        Assert.StartsWith("failed r ", await _events.NextAsync(), StringComparison.Ordinal);
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(11));   // further tries fail without a word
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var recovered = _events.NextAsync();
        while (!recovered.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal($"recovered r {path}", await recovered);
        await StopAsync();
        Assert.Equal(["one", "two"], Texts(path));
        Assert.Equal(2, _events.Count);
    }

    [Fact]
    public async Task What_a_sink_never_took_is_counted_when_the_time_to_stop_is_up()
    {
        Start(File(Path.Combine(_folder.FullName, "absent", "file")));
        Offer("one", "two");
        Offer("three");
        await _events.NextAsync();
        await _writer!.StopAsync(TimeSpan.Zero).WaitAsync(Patience);
        Assert.StartsWith("lost r 2 windows 3 payloads", await _events.NextAsync(), StringComparison.Ordinal);
        Assert.Equal(0, _budget.Used);
    }

    [Fact]
    public async Task What_waits_behind_a_sink_that_hangs_is_counted_too()
    {
        using var hang = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        Start(new HandlerSink("hangs", () => new HangingHandler(entered, hang)));
        Offer("one", "two");
        Offer("three");
        Assert.True(entered.Wait(Patience));
        var stopping = _writer!.StopAsync(TimeSpan.Zero);
        var lost = _events.NextAsync();
        while (!lost.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.StartsWith("lost r 2 windows 3 payloads", await lost, StringComparison.Ordinal);
        hang.Set();
        await stopping.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_handler_that_throws_loses_that_window_alone()
    {
        var handler = new PickyHandler();
        Start(new HandlerSink("picky", () => handler));
        Offer("one");
        Offer("bad");
        Offer("two");
        await StopAsync();

        Assert.Equal(["one", "two"], handler.Seen);
        Assert.Equal("lost r 1 windows 1 payloads: bad payload", await _events.NextAsync());
        Assert.True(handler.IsDisposed);
    }

    [Fact]
    public async Task The_log_is_told_every_payload()
    {
        Start(new LogSink(_events));
        Offer("one");
        Offer(new byte[] { 0xff });
        await StopAsync();
        Assert.Equal(["collected 1 text one", "collected 2 base64 /w=="], _events.All);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_writer is { } writer)
        {
            await writer.StopAsync(TimeSpan.Zero);
            writer.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private FileSink File(
        string path, long rotateBytes = 0, int keep = 10, TimeSpan rotateInterval = default) =>
        new(new FileSinkSettings(path, rotateBytes, rotateInterval, keep, Sync: true), _files, _time);

    private void Start(IWindowSink sink)
    {
        _writer = new CollectWriter("r", sink, _time, _events);
        _writer.Start();
    }

    private async Task StopAsync()
    {
        await _writer!.StopAsync(Patience).WaitAsync(Patience);
        Assert.Equal(0, _budget.Used);
    }

    private void Offer(params string[] payloads) =>
        _writer!.Offer(Window([.. payloads.Select(Encoding.UTF8.GetBytes)]));

    private void Offer(byte[] payload) => _writer!.Offer(Window([payload]));

    private CollectedWindow Window(string payload) => Window([Encoding.UTF8.GetBytes(payload)]);

    private CollectedWindow Window(byte[][] payloads)
    {
        var records = new PayloadRecords(_budget);
        foreach (var payload in payloads)
        {
            var peer = SocketAddr.From(System.Net.IPEndPoint.Parse("192.0.2.7:5000"));
            var at = DateTimeOffset.UnixEpoch.AddSeconds(1).Ticks;
            Assert.True(records.TryAdd(new RecordHeader(peer, new SessionId(1, 15), at, 0, payload.Length), payload));
        }

        return new CollectedWindow("r", "l", null, ++_number, records);
    }

    private static IEnumerable<string> Texts(string path) => System.IO.File.ReadLines(path)
        .Select(static line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()!);

    private sealed class HangingHandler(ManualResetEventSlim entered, ManualResetEventSlim hang) : WindowHandler
    {
        public override void OnWindow(CollectedWindow window)
        {
            entered.Set();
            hang.Wait(Patience);
        }
    }

    private sealed class PickyHandler : WindowHandler, IDisposable
    {
        public List<string> Seen { get; } = [];

        public bool IsDisposed { get; private set; }

        public override void OnWindow(CollectedWindow window)
        {
            foreach (var payload in window)
            {
                var text = Encoding.UTF8.GetString(payload.Bytes);
                Assert.Equal("192.0.2.7:5000", payload.Peer.ToString());
                Seen.Add(text == "bad" ? throw new InvalidOperationException("bad payload") : text);
            }
        }

        public void Dispose() => IsDisposed = true;
    }

    private sealed class RecordedEvents : ICollectEvents
    {
        private readonly System.Threading.Channels.Channel<string> _events =
            System.Threading.Channels.Channel.CreateUnbounded<string>();

        private readonly ConcurrentQueue<string> _all = new();

        public IReadOnlyCollection<string> All => _all;

        public int Count => _all.Count;

        public Task<string> NextAsync() => _events.Reader.ReadAsync().AsTask().WaitAsync(Patience);

        public void Failed(string route, string sink, Exception error, long backoffMs) =>
            Add($"failed {route} {sink}");

        public void Recovered(string route, string sink) => Add($"recovered {route} {sink}");

        public void Lost(string route, string sink, Exception? error, long windows, long payloads) =>
            Add($"lost {route} {windows} windows {payloads} payloads: {error?.Message}");

        public void Collected(CollectedWindow window, CollectedPayloadText payload) =>
            Add($"collected {window.Number} {payload.Encoding} {payload.Payload}");

        private void Add(string line)
        {
            _all.Enqueue(line);
            _events.Writer.TryWrite(line);
        }
    }
}
