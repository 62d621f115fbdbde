using Router.CommandLine.Top;

namespace Router.Tests.CommandLine.Top;

/// <summary>What keys do.</summary>
public sealed class TopViewTests
{
    private readonly TopModel _model = TopSamples.Model(3);
    private readonly TopView _view = new(isReplay: false);

    [Fact]
    public void The_selection_moves_within_the_sessions()
    {
        Press("k");
        Assert.Equal(IdOf(1), _view.Selected);
        Press("jjjjj");
        Assert.Equal(IdOf(3), _view.Selected);
        Press("k");
        Assert.Equal(IdOf(2), _view.Selected);
    }

    [Fact]
    public void The_first_one_down_is_the_first_session()
    {
        Press("j");
        Assert.Equal(IdOf(1), _view.Selected);
    }

    [Fact]
    public void A_session_is_closed_when_asked_again()
    {
        Assert.Equal(TopAsk.Nothing, Press("c"));   // none is selected
        Assert.False(_view.IsConfirming);
        Press("j");
        Assert.Equal(TopAsk.Nothing, Press("c"));
        Assert.True(_view.IsConfirming);
        Assert.Equal(TopAsk.Nothing, Press("n"));
        Assert.Equal(TopAsk.Nothing, Press("y"));   // too late
        Press("c");
        Assert.Equal(TopAsk.Close, Press("y"));
        Assert.False(_view.IsConfirming);
    }

    [Fact]
    public void A_session_is_opened_moved_in_and_left()
    {
        Press("j");
        Assert.Equal(TopAsk.Open, Press(ConsoleKey.Enter));
        Assert.Equal(TopPane.Session, _view.Pane);
        _view.Facts = [("a", "1"), ("b", "2")];
        Press("jjj");
        Assert.Equal((1, IdOf(1)), (_view.Scroll, _view.Selected));
        Press(ConsoleKey.Escape);
        Assert.Equal(TopPane.All, _view.Pane);
    }

    [Fact]
    public void A_filter_is_typed_corrected_and_given_up()
    {
        Press("/qjx");
        Press(ConsoleKey.Backspace);
        Assert.Equal("qj", _view.Typed);
        Assert.Equal(TopAsk.Sessions, Press(ConsoleKey.Enter));
        Assert.Equal(("qj", null), (_view.Filter, _view.Typed));

        Press("/z");
        Press(ConsoleKey.Escape);
        Assert.Equal("qj", _view.Filter);
    }

    [Fact]
    public void A_filter_has_an_end()
    {
        Press("/" + new string('a', 300));
        Assert.Equal(200, _view.Typed!.Length);
    }

    [Fact]
    public void Orders_go_round()
    {
        var seen = new List<string>();
        foreach (var _ in TopView.Sorts)
        {
            Assert.Equal(TopAsk.Sessions, Press("s"));
            seen.Add(_view.Sort);
        }

        Assert.Equal(["rate", "payloads", "age", "idle", "bytes"], seen);
    }

    [Fact]
    public void It_ends_by_q_and_by_control_c_whatever_is_typed()
    {
        Assert.Equal(TopAsk.Quit, Press("q"));
        Press("/");
        Assert.Equal(TopAsk.Nothing, Press("q"));
        Assert.Equal(TopAsk.Quit, _view.Press(new ConsoleKeyInfo('\x3', ConsoleKey.C, false, false, true), _model));
    }

    [Fact]
    public void A_replay_has_a_speed_steps_and_no_close()
    {
        var view = new TopView(isReplay: true);
        Press("+++", view);
        Assert.Equal(10, view.Speed);
        Press("--------", view);
        Assert.Equal(0.5, view.Speed);
        Assert.Equal(TopAsk.Line, Press("n", view));
        Assert.True(view.IsPaused);
        Assert.Equal(TopAsk.Interval, Press("N", view));
        Press(" ", view);
        Assert.False(view.IsPaused);
        Press("jc", view);
        Assert.False(view.IsConfirming);
        Assert.Contains("cannot be closed", view.Note, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "sort=bytes&limit=5")]
    [InlineData("192.0.2.0/24", "sort=bytes&limit=5&peer=192.0.2.0%2F24")]
    [InlineData("listener:echo  age:5m ::1", "sort=bytes&limit=5&listener=echo&min-age=5m&peer=%3A%3A1")]
    public void A_filter_is_a_query(string filter, string expected) =>
        Assert.Equal(expected, TopFilter.QueryOf(filter, "bytes", 5));

    private static string IdOf(int number) => $"{number:x32}";

    private TopAsk Press(ConsoleKey key) => _view.Press(new ConsoleKeyInfo('\0', key, false, false, false), _model);

    private TopAsk Press(string keys, TopView? view = null)
    {
        var ask = TopAsk.Nothing;
        foreach (var key in keys)
        {
            ask = (view ?? _view).Press(new ConsoleKeyInfo(key, ConsoleKey.None, false, false, false), _model);
        }

        return ask;
    }
}
