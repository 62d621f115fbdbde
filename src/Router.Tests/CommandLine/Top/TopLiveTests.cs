using Router.CommandLine.Top;

namespace Router.Tests.CommandLine.Top;

/// <summary>Figures of a running router become rates.</summary>
public sealed class TopLiveTests
{
    private readonly TopModel _model = new();
    private readonly TopLive _live;

    public TopLiveTests() => _live = new TopLive(_model);

    [Fact]
    public void Rates_are_those_since_the_sample_before()
    {
        _live.ApplyStats(TopSamples.Stats(10));
        Assert.Empty(_model.PayloadsIn.Values);

        _live.ApplyStats(TopSamples.Stats(12));

        Assert.Equal((10, 9, 4, 2), (
            _model.PayloadsIn.Last, _model.PayloadsOut.Last, _model.Opened.Last, _model.Drops.Last));
        Assert.Equal(new TopTraffic("echo", 3, 10, 9, 24), Assert.Single(_model.Listeners));
        Assert.Equal(
            [new TopDrop("max-sessions", 24, 2), new TopDrop("closing", 1, 0)], _model.DropReasons);
    }

    [Fact]
    public void A_router_that_was_started_again_has_no_rates_at_first()
    {
        _live.ApplyStats(TopSamples.Stats(100));
        _live.ApplyStats(TopSamples.Stats(1));

        Assert.Empty(_model.PayloadsIn.Values);
        Assert.Equal(0, Assert.Single(_model.Listeners).InPerSecond);
    }

    [Fact]
    public void A_series_has_an_end()
    {
        for (var second = 1; second < 400; second++)
        {
            _live.ApplyStats(TopSamples.Stats(second, sessions: second));
        }

        Assert.Equal((240, 399), (_model.Sessions.Values.Count, _model.Sessions.Last));
    }

    [Fact]
    public void An_answer_without_what_is_expected_fails_nothing()
    {
        _live.ApplyStats([]);
        _live.ApplyStats([]);
        _live.ApplySessions([]);
        _live.ApplyUpstreams([]);

        Assert.Empty(_model.TopSessions);
    }
}
