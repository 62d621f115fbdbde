using Router.CommandLine.Top;

namespace Router.Tests.CommandLine.Top;

/// <summary>A log is replayed: what it has is on the screen, at the pace of the log.</summary>
public sealed class TopReplayTests
{
    /// <summary>What is indented belongs to the line above.</summary>
    private const string Lines = """
        {"time":"2030-01-01T00:00:00.000Z","level":"info","event":"started","version":"1.2.3"}
        {"time":"2030-01-01T00:00:00.100Z","level":"info","event":"listening","listener":"echo","route":"r"}
        this is no JSON
        {"time":"2030-01-01T00:00:01.000Z","level":"info","event":"session-opened","session":"a",
          "listener":"echo","peer":"192.0.2.1:1","route":"r"}
        {"time":"2030-01-01T00:00:02.000Z","level":"info","event":"session-open","session":"a",
          "listener":"echo","peer":"192.0.2.1:1","route":"r","duration-ms":1000,"silent-ms":10,
          "payloads-in":20,"payloads-out":10,"bytes-in":2000,"bytes-out":1000,"drops":0}
        {"time":"2030-01-01T00:00:03.000Z","level":"info","event":"session-closed","session":"b",
          "listener":"echo","peer":"192.0.2.2:1","route":"r","upstream":"10.0.0.1:53","duration-ms":500,
          "payloads-in":5,"payloads-out":5,"bytes-in":50,"bytes-out":50,"drops":3,"reason":"idle",
          "connect-ms":2}
        {"time":"2030-01-01T00:00:04.000Z","level":"warning","event":"upstream-failed","route":"r",
          "upstream":"10.0.0.2:53","error":"ECONNREFUSED","count":1}
        {"time":"2030-01-01T00:00:10.000Z","level":"warning","event":"drops","listener":"echo",
          "reason":"closing","count":30,"interval-ms":10000}
        {"time":"2030-01-01T00:00:10.000Z","level":"info","event":"stats","interval-ms":10000,"sessions":1,
          "opened":2,"closed":1,"payloads-in":25,"bytes-in":2050,"payloads-out":15,"bytes-out":1050,
          "drops":30}
        {"time":"2030-01-01T00:00:15.000Z","level":"info","event":"session-closed","session":"a",
          "listener":"echo","peer":"192.0.2.1:1","route":"r","duration-ms":14000,"payloads-in":30,
          "payloads-out":10,"bytes-in":3000,"bytes-out":1000,"drops":0,"reason":"admin"}
        {"time":"2030-01-01T00:00:20.000Z","level":"info","event":"stats","interval-ms":10000,"sessions":0,
          "opened":0,"closed":1,"payloads-in":10,"bytes-in":1000,"payloads-out":0,"bytes-out":0,"drops":0}
        {"time":"2030-01-01T00:00:20.500Z","level":"info","event":"stopped"}
        """;

    private readonly TopModel _model = new() { Source = "router.log" };
    private readonly TopView _view = new(isReplay: true);
    private readonly TopReplay _replay;

    public TopReplayTests() => _replay = new TopReplay(
        new StringReader(Lines.Replace("\n  ", "", StringComparison.Ordinal)), _model, _view);

    [Fact]
    public void After_an_interval_all_parts_are_as_the_log_says()
    {
        _replay.StepInterval();

        Assert.Equal(("1.2.3", "running"), (_model.Version, _model.State));
        Assert.Equal((1, 0.2, 2.5, 3), (
            _model.Sessions.Last, _model.Opened.Last, _model.PayloadsIn.Last, _model.Drops.Last));
        Assert.Equal(new TopTraffic("echo", 1, 2.5, 1.5, 30), Assert.Single(_model.Listeners));
        Assert.Equal(new TopTraffic("r", 1, 2.5, 1.5, 3), Assert.Single(_model.Routes));
        Assert.Equal(["up", "failed"], _model.Upstreams.Select(static one => one.State));
        Assert.Equal(new TopDrop("closing", 30, 3), Assert.Single(_model.DropReasons));
        Assert.Equal([("a", null), ("b", "idle")], _model.TopSessions.Select(static one => (one.Session, one.Closed)));
        Assert.Equal(3000, _model.TopSessions[0].BytesPerSecond);
    }

    [Fact]
    public void A_session_is_not_counted_twice_and_ends()
    {
        _replay.StepInterval();
        _replay.StepInterval();

        Assert.Equal(new TopTraffic("echo", 0, 1, 0, 30), Assert.Single(_model.Listeners));
        Assert.Equal(0, Assert.Single(_model.DropReasons).PerSecond);
        Assert.Equal("admin", _model.TopSessions[0].Closed);
        Assert.Equal([1, 0], _model.Sessions.Values);
    }

    [Fact]
    public void Time_passes_as_in_the_log_times_the_speed()
    {
        Assert.True(_replay.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal(3, _model.Events.Count);   // up to session-opened
        Assert.False(_replay.Advance(TimeSpan.Zero));
        _view.Speed = 10;
        _replay.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(4, _model.Events.Count);
        _replay.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal("2030-01-01T00:00:03.000Z", _model.Time);
    }

    [Fact]
    public void It_stands_still_while_it_is_stopped_and_goes_line_by_line()
    {
        _view.Press(new ConsoleKeyInfo('n', ConsoleKey.N, false, false, false), _model);
        Assert.False(_replay.Advance(TimeSpan.FromHours(1)));
        Assert.Empty(_model.Events);

        _replay.StepLine();
        Assert.Single(_model.Events);
    }

    [Fact]
    public void At_its_end_it_says_so_and_how_much_it_could_not_read()
    {
        _replay.ToEnd();
        _replay.StepLine();
        _replay.StepInterval();

        Assert.True(_replay.IsAtEnd);
        Assert.Equal("stopped", _model.State);
        Assert.Equal(
            "router.log: the end; 1 lines are no JSON, as log.format = json writes", _model.Note);
    }

    [Fact]
    public void Sessions_are_filtered_and_sorted()
    {
        _replay.StepInterval();
        Assert.Equal(["b"], Picked("192.0.2.2", "bytes"));
        Assert.Equal(["b"], Picked("upstream:10.0.0.1", "bytes"));
        Assert.Equal(["a", "b"], Picked("listener:echo", "age"));
        Assert.Equal([], Picked("listener:dns", "age"));
    }

    [Fact]
    public void No_more_than_a_thousand_sessions_and_500_events_are_kept()
    {
        var model = new TopModel();
        var log = new TopLog(model);
        for (var i = 0; i < 1500; i++)
        {
            log.Apply(TopSamples.Event($$"""
                { "event": "session-opened", "session": "{{i}}", "listener": "e", "peer": "p", "route": "r" }
                """));
        }

        Assert.Equal((1000, 500), (log.Sessions.Count, model.Events.Count));
        Assert.DoesNotContain(log.Sessions, static one => one.Session == "499");
    }

    [Fact]
    public void The_facts_of_a_session_are_those_of_its_record()
    {
        _replay.StepInterval();

        Assert.Contains(("payloads-in", "20"), _replay.FactsOf("a"));
        Assert.Contains(("closed", "idle"), _replay.FactsOf("b"));
        Assert.Empty(_replay.FactsOf("c"));
    }

    [Fact]
    public void The_screen_of_a_replay_is_full_and_has_its_keys()
    {
        _replay.StepInterval();

        var lines = TopScreenTests.Lines(_model, _view, 80, 24);

        Assert.Equal(24, lines.Count);
        Assert.Matches("^router 1.2.3  running  1x  router.log +2030-01-01 00:00:10Z$", lines[0]);
        Assert.Contains(lines, static line => line.Contains("idle", StringComparison.Ordinal));
        Assert.Contains("n N step", lines[^1], StringComparison.Ordinal);
    }

    private IEnumerable<string> Picked(string filter, string sort) =>
        TopFilter.Pick(_model.TopSessions, filter, sort, out _).Select(static one => one.Session);

    [Theory]
    [InlineData("", 2)]
    [InlineData("192.0.2.1", 1)]
    [InlineData("192.0.2.0/30", 2)]
    [InlineData("192.0.2.2/32", 1)]
    [InlineData("listener:echo upstream:10.0.0.1", 1)]
    [InlineData("age:2s", 1)]
    [InlineData("bytes:1kB", 1)]
    [InlineData("idle:5s", 0)]
    [InlineData("age:soon", 0)]
    [InlineData("identity:me", 0)]
    public void A_filter_takes_what_it_takes_of_a_running_router(string filter, int matched)
    {
        _replay.ToEnd();
        foreach (var key in $"/{filter}")
        {
            _view.Press(new ConsoleKeyInfo(key, ConsoleKey.None, false, false, false), _model);
        }

        _view.Press(new ConsoleKeyInfo('\r', ConsoleKey.Enter, false, false, false), _model);

        _replay.Pick();

        Assert.Equal(matched, _model.Matched);
    }

    [Theory]
    [InlineData("{\"time\":\"2030-01-01T00:00:00.000Z\",\"event\":\"stats\",\"event\":\"x\"}")]
    [InlineData("{\"event\":\"session-closed\",\"session\":\"a\",\"duration-ms\":1e300,\"silent-ms\":-1e300}")]
    [InlineData("{\"time\":\"9999-12-31T23:59:59.999Z\",\"event\":\"stats\",\"interval-ms\":-1,\"sessions\":1e999}")]
    [InlineData("{\"time\":[1],\"event\":{\"a\":1},\"level\":5,\"session\":{}}")]
    [InlineData("[[[[")]
    [InlineData("\0\u001b\uffff")]
    [InlineData("{\"time\":\"2030-01-01T00:00:00.000Z\",\"event\":\"sess")]
    public void A_line_of_any_kind_is_passed_over_or_shown(string line)
    {
        var replay = new TopReplay(new StringReader($"{line}\n{line}\n"), _model, _view);

        replay.Advance(TimeSpan.FromDays(1));
        replay.Advance(TimeSpan.FromDays(1));
        replay.ToEnd();

        Assert.True(replay.IsAtEnd);
        var screen = TopFrame.LinesOf(
            new TopScreen(isUnicode: true).Draw(_model, _view, 80, 24), 80, 24, isAnsi: false);
        Assert.DoesNotContain(screen, static shown => shown.Contains('\u001b', StringComparison.Ordinal));
    }
}
