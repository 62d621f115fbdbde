using System.Text.RegularExpressions;
using Router.CommandLine.Top;

namespace Router.Tests.CommandLine.Top;

/// <summary>What is on the screen, at the sizes it is made for.</summary>
public sealed class TopScreenTests
{
    [Theory]
    [InlineData(80, 24)]
    [InlineData(200, 50)]
    [InlineData(132, 43)]
    public void Every_part_is_on_the_screen_which_is_full_and_not_more(int width, int height)
    {
        var view = new TopView(isReplay: false);
        var model = TopSamples.Model(TopScreen.SessionRows(view, width, height));

        var lines = Lines(model, view, width, height);

        Assert.Equal(height, lines.Count);
        Assert.All(lines, line => Assert.InRange(line.Length, 0, width));
        Assert.Matches("^router 1.2.3  running  up 2.0s  http://127.0.0.1:27124 +03:04:05Z$", lines[0]);
        Find(lines, "in/s +10 2.0KiB +█");
        Find(lines, "drops/s +2 +█");
        Find(lines, "echo +3 +10 +9 +4");
        Find(lines, "route back +1 +0 +0 +0");
        Find(lines, "10.0.0.2:53 +back +failed +0");
        Find(lines, "10.0.0.1:53 +back +up +7");
        Find(lines, "max-sessions +4 +2");
        Find(lines, "-- sessions by bytes, [0-9]+ match -");
        Find(lines, "192.0.2.1:5000 +echo.* 1m01s +2.0KiB +1.0KiB +300B +0 +5ms");
        Find(lines, "03:04:05.678 warning  drops listener=echo");
        Assert.StartsWith("q ends", lines[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TopScreen.SmallestWidth, TopScreen.SmallestHeight)]
    [InlineData(60, 20)]
    [InlineData(300, 20)]
    [InlineData(60, 100)]
    public void Any_other_size_fails_nothing(int width, int height)
    {
        foreach (var key in "0123?")
        {
            var view = new TopView(isReplay: false);
            var model = TopSamples.Model(50);
            view.Press(new ConsoleKeyInfo(key, ConsoleKey.None, false, false, false), model);

            var lines = Lines(model, view, width, height);

            Assert.InRange(lines.Count, 1, height);
            Assert.All(lines, line => Assert.InRange(line.Length, 0, width));
        }
    }

    [Theory]
    [InlineData(80, 24)]
    [InlineData(200, 50)]
    public void All_sessions_that_are_asked_for_find_room(int width, int height)
    {
        var view = new TopView(isReplay: false);
        var rows = TopScreen.SessionRows(view, width, height);

        var lines = Lines(TopSamples.Model(rows), view, width, height);

        Find(lines, $"192.0.2.{rows}:5000 ");
        Assert.InRange(rows, height / 4, height);
    }

    [Theory]
    [InlineData('1', "-- sessions by", "-- events")]
    [InlineData('2', "-- drops by reason", "-- sessions")]
    [InlineData('3', "-- upstreams", "-- sessions")]
    [InlineData('4', "-- events", "-- sessions")]
    [InlineData('?', "-- keys", "-- sessions")]
    public void A_part_may_have_all_the_room(char key, string shown, string hidden)
    {
        var view = new TopView(isReplay: false);
        var model = TopSamples.Model(6);
        view.Press(new ConsoleKeyInfo(key, ConsoleKey.None, false, false, false), model);

        var lines = Lines(model, view, 80, 24);

        Assert.Equal(24, lines.Count);
        Find(lines, Regex.Escape(shown));
        Assert.DoesNotContain(lines, line => line.Contains(hidden, StringComparison.Ordinal));
    }

    [Fact]
    public void Text_of_others_neither_moves_the_cursor_nor_is_markup()
    {
        var model = TopSamples.Model(1);
        new TopLive(model).ApplySessions(TopSamples.Sessions(1, "[red]\\u001b[2J"));
        model.Add(TopEvent.Of(TopSamples.Event("""
            { "time": "\u001b[2J", "level": "error", "event": "[bold]x\u001b]0;t\u0007", "a\nb": "[/]\r\n" }
            """)));

        var view = new TopView(isReplay: false);
        var text = TopLoop.Draw(new TopScreen(isUnicode: true).Draw(model, view, 132, 43), 132, 43);

        Assert.Contains("[bold]x", text, StringComparison.Ordinal);
        Assert.Contains("[red]\\u001B[2J", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\e[2J", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\e]0", text, StringComparison.Ordinal);
        Assert.Equal(42, text.Count(static c => c == '\n'));
    }

    [Theory]
    [InlineData(new double[] { }, true, "    ")]
    [InlineData(new double[] { 0, 0 }, true, "  ▁▁")]
    [InlineData(new double[] { 9, 0, 1, 7, 14 }, true, "▁▁▅█")]
    [InlineData(new double[] { 0, 14 }, false, "  _#")]
    public void A_sparkline_has_the_latest_values_at_its_right(double[] values, bool isUnicode, string expected) =>
        Assert.Equal(expected, TopScreen.Spark(values, 4, isUnicode));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(0.25, "0.3")]
    [InlineData(9, "9")]
    [InlineData(999, "999")]
    [InlineData(1234, "1.2k")]
    [InlineData(123_456, "123k")]
    [InlineData(1_999_999, "2.0M")]
    public void Large_numbers_are_short(double value, string expected) =>
        Assert.Equal(expected, TopScreen.Count(value));

    [Fact]
    public void Without_a_router_it_says_so_where_everybody_looks()
    {
        var model = TopSamples.Model(1);
        model.Note = "http://127.0.0.1:27124: connection refused";

        var lines = Lines(model, new TopView(isReplay: false), 80, 24);

        Assert.Contains("connection refused", lines[^1], StringComparison.Ordinal);
    }

    internal static IReadOnlyList<string> Lines(TopModel model, TopView view, int width, int height) =>
    [
        .. TopFrame
            .LinesOf(new TopScreen(isUnicode: true).Draw(model, view, width, height), width, height, isAnsi: false)
            .Select(static line => line.TrimEnd()),
    ];

    private static void Find(IReadOnlyList<string> lines, string pattern) => Assert.True(
        lines.Any(line => Regex.IsMatch(line, pattern, RegexOptions.None, TimeSpan.FromSeconds(1))),
        $"no line has {pattern}:\n{string.Join('\n', lines)}");
}
