using System.Globalization;
using Router.CommandLine.Client;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Router.CommandLine.Top;

/// <summary>Draws a model: nothing but what it is given decides what is on the screen.</summary>
/// <param name="isUnicode">Whether the terminal shows more than ASCII.</param>
internal sealed class TopScreen(bool isUnicode)
{
    /// <summary>What it is made for at least.</summary>
    public const int WidthMin = 80, HeightMin = 24;

    /// <summary>Below it would not know where to put what.</summary>
    public const int SmallestWidth = 40, SmallestHeight = 16;

    /// <summary>From where on the parts are side by side.</summary>
    private const int WideFrom = 140, HighFrom = 40;

    private const string Bars = "▁▂▃▄▅▆▇█", AsciiBars = "_.:-=+*#";

    private static readonly Style Dim = new(Color.Grey), Bold = new(decoration: Decoration.Bold),
        Chosen = new(decoration: Decoration.Invert), Good = new(Color.Green), Bad = new(Color.Red),
        Warn = new(Color.Olive), Line = new(Color.Teal);

    /// <summary>How many sessions find room.</summary>
    public static int SessionRows(TopView view, int width, int height) => view.Pane == TopPane.Sessions
        ? Math.Max(1, height - 7)
        : width >= WideFrom && height >= HighFrom ? height - 20 : Math.Max(1, height - 18);

    /// <summary>The whole screen.</summary>
    public IRenderable Draw(TopModel model, TopView view, int width, int height)
    {
        var root = new Layout().SplitRows(
            Part("head", Head(model, view, width), 1),
            Part("rates", Rates(model, width), width >= WideFrom ? 2 : 3),
            new Layout("body"),
            Part("foot", Foot(model, view), 1));
        root["body"].Update(view.Pane switch
        {
            TopPane.Sessions => Sessions(model, view, width),
            TopPane.Traffic => new Rows(Traffic(model, 1000), Title("drops by reason", width), Drops(model, 1000)),
            TopPane.Upstreams => Upstreams(model, width),
            TopPane.Events => Events(model, width, height - 6),
            TopPane.Help => Help(view, width),
            TopPane.Session => Session(view, width),
            _ => All(model, view, width, height),
        });
        return root;
    }

    /// <summary>A bar for each value, the largest as high as there is.</summary>
    public static string Spark(IReadOnlyList<double> values, int width, bool isUnicode)
    {
        var bars = isUnicode ? Bars : AsciiBars;
        var shown = values.Skip(Math.Max(0, values.Count - width)).ToList();
        var max = shown.Count == 0 ? 0 : shown.Max();
        return string.Concat(shown.Select(value =>
            bars[max <= 0 ? 0 : (int)Math.Round(Math.Max(0, value) / max * (bars.Length - 1))])).PadLeft(width);
    }

    /// <summary>With a letter for thousands.</summary>
    public static string Count(double value)
    {
        string[] units = ["", "k", "M", "G", "T"];
        var unit = 0;
        while (value >= 1000 && unit < units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        var digits = value is > 0 and < 10 && (unit > 0 || value != Math.Floor(value)) ? "0.0" : "0";
        return value.ToString(unit > 0 && value < 100 ? "0.0" : digits, CultureInfo.InvariantCulture) + units[unit];
    }

    private static Layout Part(string name, IRenderable what, int rows) => new Layout(name, what).Size(rows);

    /// <summary>Without the date, of a router that runs, and without fractions.</summary>
    private static string ShortTimeOf(string time, bool withDate) => time.Length < 19
        ? time
        : (withDate ? time[..19] : time[11..19]).Replace('T', ' ') + "Z";

    private static string Of(double bytes) => TextTable.Bytes(bytes).Replace(" ", "", StringComparison.Ordinal);

    private static string TimeOf(long? ms) => ms is { } known ? TextTable.Time(known) : "-";

    private static Text Plain(string text, Style? style = null) => new(text, style) { Overflow = Overflow.Ellipsis };

    private static Paragraph Title(string text, int width, string more = "")
    {
        var title = new Paragraph { Overflow = Overflow.Crop };
        title.Append($"-- {text} ", Line);
        title.Append($"{more} ".TrimStart(), Dim);
        return title.Append(new string('-', Math.Max(0, width - text.Length - more.Length - 5)), Line);
    }

    private Layout All(TopModel model, TopView view, int width, int height)
    {
        var body = new Layout();
        if (width >= WideFrom && height >= HighFrom)
        {
            var right = width / 3;
            var side = height - 4 - 14;
            var parts = new Layout().SplitColumns(
                new Layout(Sessions(model, view, width - right - 1)),
                new Layout(new Rows(
                    Title("listeners and routes", right), Traffic(model, side / 2),
                    Title("upstreams", right), UpstreamRows(model, (side - (side / 2) - 6) / 2),
                    Title("drops by reason", right), Drops(model, 8))).Size(right));
            return body.SplitRows(parts, Part("events", Events(model, width, 13), 14));
        }

        var (left, rows) = (width / 2, 4);
        var middle = new Layout().SplitColumns(
            new Layout(new Rows(Title("listeners and routes", left), Traffic(model, rows))).Size(left),
            new Layout(new Rows(
                Title("upstreams", width - left), UpstreamRows(model, rows - 2, withHead: false),
                Title("drops by reason", width - left), Drops(model, 2, withHead: false)))).Size(rows + 2);
        return body.SplitRows(
            middle, new Layout(Sessions(model, view, width)), Part("events", Events(model, width, 4), 5));
    }

    private static Paragraph Head(TopModel model, TopView view, int width)
    {
        var head = new Paragraph { Overflow = Overflow.Crop };
        head.Append("router", Bold).Append(model.Version.Length > 0 ? $" {model.Version}" : "");
        head.Append("  ");
        head.Append(model.State.Length > 0 ? model.State : "-", model.State == "running" ? Good : Warn);
        head.Append(model.UptimeMs is { } up ? $"  up {TimeOf(up)}" : "");
        if (view.IsReplay)
        {
            head.Append(view.IsPaused ? "  paused" : FormattableString.Invariant($"  {view.Speed:0.#}x"), Warn);
        }
        else if (view.IsPaused)
        {
            head.Append("  paused", Warn);
        }

        var source = model.Source;
        var time = ShortTimeOf(model.Time, withDate: view.IsReplay);
        var room = Math.Max(0, width - head.Length - time.Length - 4);
        var shown = source.Length > room ? source[..room] : source;
        head.Append("  ").Append(shown, Dim);
        return head.Append(new string(' ', room - shown.Length + 2)).Append(time, Dim);
    }

    private Grid Rates(TopModel model, int width)
    {
        var columns = width >= WideFrom ? 3 : 2;
        var each = (width / columns) - 1;
        var grid = new Grid().Collapse();
        for (var i = 0; i < columns; i++)
        {
            grid.AddColumn(new GridColumn().Width(each).PadLeft(0).PadRight(1).NoWrap());
        }

        IRenderable[] cells =
        [
            Rate("sessions", Count(model.Sessions.Last), model.Sessions, each),
            Rate("drops/s", Count(model.Drops.Last), model.Drops, each),
            Rate("in/s", $"{Count(model.PayloadsIn.Last)} {Of(model.BytesIn.Last)}", model.PayloadsIn, each),
            Rate("opened/s", Count(model.Opened.Last), model.Opened, each),
            Rate("out/s", $"{Count(model.PayloadsOut.Last)} {Of(model.BytesOut.Last)}", model.PayloadsOut, each),
            Rate("closed/s", Count(model.Closed.Last), model.Closed, each),
        ];
        foreach (var row in cells.Chunk(columns))
        {
            grid.AddRow(row);
        }

        return grid;
    }

    private Paragraph Rate(string name, string value, TopSeries series, int width)
    {
        const int Named = 9, Valued = 13;
        var line = new Paragraph { Overflow = Overflow.Crop };
        line.Append(name.PadRight(Named), Dim).Append(value.PadLeft(Valued), Bold).Append(" ");
        return line.Append(Spark(series.Values, Math.Max(0, width - Named - Valued - 1), isUnicode), Line);
    }

    private static Table Table(bool withHead, params ReadOnlySpan<(string Name, bool IsNumber, int Width)> columns)
    {
        var table = new Table().NoBorder().Expand();
        table.ShowHeaders = withHead;
        foreach (var (name, isNumber, width) in columns)
        {
            var column = new TableColumn(Plain(name, Dim)).NoWrap().PadLeft(0).PadRight(1);
            column.Alignment = isNumber ? Justify.Right : Justify.Left;
            column.Width = width > 0 ? width : null;
            table.AddColumn(column);
        }

        return table;
    }

    private static Table Traffic(TopModel model, int rows)
    {
        var table = Table(
            withHead: true, ("", false, 0), ("sessions", true, 8), ("in/s", true, 6), ("out/s", true, 6),
            ("drops", true, 6));
        var all = model.Listeners.Select(static one => (one, "")).Concat(
            model.Routes.Select(static one => (one, "route ")));
        foreach (var (one, kind) in all.Take(rows))
        {
            table.AddRow(
                Plain(kind + one.Name), Plain(Count(one.Sessions)), Plain(Count(one.InPerSecond)),
                Plain(Count(one.OutPerSecond)), Plain(Count(one.Drops), one.Drops > 0 ? Warn : Style.Plain));
        }

        return table;
    }

    private static Rows Upstreams(TopModel model, int width) =>
        new(Title("upstreams", width), UpstreamRows(model, 1000));

    private static Table UpstreamRows(TopModel model, int rows, bool withHead = true)
    {
        var table = Table(withHead, ("upstream", false, 0), ("route", false, 0), ("state", false, 8),
            ("sessions", true, 8));
        foreach (var one in model.Upstreams.OrderBy(static one => one.State == "up").Take(rows))
        {
            table.AddRow(
                Plain(one.Upstream), Plain(one.Route),
                Plain(one.State, one.State switch { "up" => Good, "failed" => Bad, _ => Warn }),
                Plain(Count(one.Sessions)));
        }

        return table;
    }

    private static Table Drops(TopModel model, int rows, bool withHead = true)
    {
        var table = Table(withHead, ("reason", false, 0), ("count", true, 8), ("per s", true, 8));
        foreach (var one in model.DropReasons.Take(rows))
        {
            table.AddRow(
                Plain(one.Reason), Plain(Count(one.Count)),
                Plain(Count(one.PerSecond), one.PerSecond > 0 ? Warn : Style.Plain));
        }

        return table;
    }

    private static Rows Sessions(TopModel model, TopView view, int width)
    {
        var isWide = width >= 110;
        var more = $"by {view.Sort}" + (view.Filter.Length > 0 ? $", {view.Filter}" : "") + $", {model.Matched} match";
        List<(string, bool, int)> columns =
        [
            ("peer", false, isWide ? 0 : 21), ("listener", false, isWide ? 0 : 9), ("age", true, 6), ("in", true, 7),
            ("out", true, 7), ("rate/s", true, 7), ("drops", true, 5),
        ];
        if (isWide)
        {
            columns.InsertRange(2, [("route", false, 0), ("upstream", false, 0)]);
        }

        columns.Add((view.IsReplay ? "closed" : "idle", !view.IsReplay, view.IsReplay ? 10 : 7));
        var table = Table(withHead: true, [.. columns]);
        foreach (var one in model.TopSessions)
        {
            var style = one.Session == view.Selected ? Chosen : one.Closed is null ? Style.Plain : Dim;
            var mark = one.Session == view.Selected ? ">" : "";
            List<string> cells =
            [
                mark + one.Peer, one.Listener, TimeOf(one.AgeMs), Of(one.BytesIn), Of(one.BytesOut),
                one.BytesPerSecond is { } rate ? Of(rate) : "-", Count(one.Drops),
                view.IsReplay ? one.Closed ?? "open" : TimeOf(one.IdleMs),
            ];
            if (isWide)
            {
                cells.InsertRange(2, [one.Route, one.Upstream ?? "-"]);
            }

            table.AddRow(cells.Select(cell => Plain(cell, style)));
        }

        return new Rows(Title("sessions", width, more), table);
    }

    private static Rows Events(TopModel model, int width, int rows)
    {
        List<IRenderable> lines = [Title("events", width)];
        foreach (var one in model.Events.Skip(Math.Max(0, model.Events.Count - rows)).Reverse())
        {
            var style = one.Level switch { "warning" => Warn, "error" or "critical" => Bad, _ => Dim };
            var (time, level) = ($"{one.Time} ", $"{one.Level,-8} ");
            var room = Math.Max(0, width - time.Length - level.Length);
            lines.Add(new Paragraph { Overflow = Overflow.Crop }
                .Append(time, Dim).Append(level, style)
                .Append(one.Text.Length > room ? one.Text[..room] : one.Text));
        }

        return new Rows(lines);
    }

    private static Rows Session(TopView view, int width)
    {
        var table = new Table().NoBorder().HideHeaders();
        table.AddColumn(new TableColumn("").NoWrap().PadLeft(0)).AddColumn(new TableColumn(""));
        foreach (var (name, value) in view.Facts.Skip(view.Scroll))
        {
            table.AddRow(Plain(name, Dim), new Text(value));
        }

        return new Rows(Title("session", width, view.Selected ?? ""), table);
    }

    private static Rows Help(TopView view, int width) => new(
    [
        Title("keys", width),
        .. KeysOf(view).Select(static key => new Paragraph().Append($"{key.Key,-10}", Bold).Append(key.Meaning)),
    ]);

    private static IEnumerable<(string Key, string Meaning)> KeysOf(TopView view)
    {
        yield return ("j k", "the session below, the one above; the arrows likewise");
        yield return ("Enter", "all facts of the session, j k move in them; Esc goes back");
        yield return ("s", $"sorts sessions by {string.Join(", ", TopView.Sorts)}");
        yield return ("/", "sessions of a peer's address, or listener: route: upstream: age: idle:");
        yield return ("1 2 3 4", "sessions, listeners and drops, upstreams, events alone; 0 all");
        if (view.IsReplay)
        {
            yield return ("Space", "stops and goes on");
            yield return ("+ -", "faster, slower");
            yield return ("n N", "one line, one interval");
        }
        else
        {
            yield return ("c", "closes the session, when asked again");
            yield return ("Space", "keeps the screen as it is, and goes on");
        }

        yield return ("q", "ends");
    }

    private static Paragraph Foot(TopModel model, TopView view)
    {
        var foot = new Paragraph { Overflow = Overflow.Crop };
        if (view.Typed is { } typed)
        {
            return foot.Append("sessions of: ", Bold).Append(typed).Append("_", Chosen);
        }

        if (view.IsConfirming)
        {
            return foot.Append($"close {view.Selected}? y closes it, other keys do not", Warn);
        }

        if (view.Note is { } note)
        {
            return foot.Append(note, Warn);
        }

        if (model.Note is { } fault)
        {
            return foot.Append(fault, Bad);
        }

        return foot.Append(
            view.IsReplay
                ? "q ends  Space stops  + - speed  n N step  Enter session  s sort  / filter  ? keys"
                : "q ends  j k Enter session  c close  s sort  / filter  Space stops  ? keys",
            Dim);
    }
}
