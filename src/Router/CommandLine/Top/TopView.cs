using System.Text;

namespace Router.CommandLine.Top;

/// <summary>What takes the room for itself.</summary>
internal enum TopPane
{
    /// <summary>Everything has a part.</summary>
    All = 0,
    Sessions,
    Traffic,
    Upstreams,
    Events,
    Help,

    /// <summary>All facts of one session.</summary>
    Session,
}

/// <summary>What a key asks for beyond the view.</summary>
internal enum TopAsk
{
    Nothing = 0,
    Quit,

    /// <summary>Other sessions are wanted, or in another order.</summary>
    Sessions,

    /// <summary>The facts of <see cref="TopView.Selected"/>.</summary>
    Open,

    /// <summary>The end of <see cref="TopView.Selected"/>.</summary>
    Close,

    /// <summary>Of a replay: the next line.</summary>
    Line,

    /// <summary>Of a replay: up to the next stats line.</summary>
    Interval,
}

/// <summary>How it is looked at. It changes by keys alone. One thread.</summary>
/// <param name="isReplay">A log is replayed: it has a speed, and nothing can be changed.</param>
internal sealed class TopView(bool isReplay)
{
    private const int FilterMax = 200;

    /// <summary>By which sessions are sorted; the keys of <c>/sessions?sort=</c>.</summary>
    public static readonly IReadOnlyList<string> Sorts = ["bytes", "rate", "payloads", "age", "idle"];

    private static readonly IReadOnlyList<double> Speeds = [0.5, 1, 2, 5, 10, 30, 60, 300, 3600];

    private readonly StringBuilder _typed = new();

    public bool IsReplay => isReplay;

    public TopPane Pane { get; private set; }

    public string Sort { get; private set; } = Sorts[0];

    /// <summary>Words as the page takes them: an address, or a field with a value.</summary>
    public string Filter { get; private set; } = "";

    /// <summary>What is being typed; null while nothing is.</summary>
    public string? Typed { get; private set; }

    /// <summary>A session's id.</summary>
    public string? Selected { get; private set; }

    /// <summary>Its end has been asked for, and not confirmed.</summary>
    public bool IsConfirming { get; private set; }

    public bool IsPaused { get; private set; }

    /// <summary>Seconds of the log a second.</summary>
    public double Speed { get; set; } = 1;

    /// <summary>What came of the last thing that was asked for.</summary>
    public string? Note { get; set; }

    /// <summary>Names and values of the session that is open.</summary>
    public IReadOnlyList<(string Name, string Value)> Facts { get; set; } = [];

    /// <summary>How many of the facts are above the screen.</summary>
    public int Scroll { get; private set; }

    /// <summary>Takes a key.</summary>
    public TopAsk Press(ConsoleKeyInfo key, TopModel model)
    {
        if (key is { Key: ConsoleKey.C, Modifiers: ConsoleModifiers.Control })
        {
            return TopAsk.Quit;
        }

        if (Typed is not null)
        {
            return Type(key);
        }

        if (IsConfirming)
        {
            IsConfirming = false;
            return key.KeyChar is 'y' or 'Y' ? TopAsk.Close : TopAsk.Nothing;
        }

        Note = null;
        return isReplay && Replay(key) is { } ask ? ask : Command(key, model);
    }

    private TopAsk Type(ConsoleKeyInfo key)
    {
        switch (key.Key)
        {
            case ConsoleKey.Escape:
                Typed = null;
                return TopAsk.Nothing;
            case ConsoleKey.Enter:
                (Filter, Typed, Selected) = (Typed!.Trim(), null, null);
                return TopAsk.Sessions;
            case ConsoleKey.Backspace when _typed.Length > 0:
                _typed.Length--;
                break;
            default:
                if (key.KeyChar is >= ' ' and <= '~' && _typed.Length < FilterMax)
                {
                    _typed.Append(key.KeyChar);
                }

                break;
        }

        Typed = _typed.ToString();
        return TopAsk.Nothing;
    }

    private TopAsk? Replay(ConsoleKeyInfo key)
    {
        switch (key.KeyChar)
        {
            case '+':
                Speed = Speeds.FirstOrDefault(speed => speed > Speed, Speeds[^1]);
                return TopAsk.Nothing;
            case '-':
                Speed = Speeds.LastOrDefault(speed => speed < Speed, Speeds[0]);
                return TopAsk.Nothing;
            case 'n':
                IsPaused = true;
                return TopAsk.Line;
            case 'N':
                IsPaused = true;
                return TopAsk.Interval;
            case 'c':
                Note = "this is a log: its sessions cannot be closed";
                return TopAsk.Nothing;
            default:
                return null;
        }
    }

    private TopAsk Command(ConsoleKeyInfo key, TopModel model)
    {
        switch (key.Key)
        {
            case ConsoleKey.Escape:
                (Pane, Facts) = (TopPane.All, []);
                return TopAsk.Nothing;
            case ConsoleKey.Enter when Selected is not null:
                (Pane, Scroll) = (TopPane.Session, 0);
                return TopAsk.Open;
            case ConsoleKey.UpArrow:
                return Move(model, -1);
            case ConsoleKey.DownArrow:
                return Move(model, 1);
        }

        switch (key.KeyChar)
        {
            case 'q':
                return TopAsk.Quit;
            case 'k':
                return Move(model, -1);
            case 'j':
                return Move(model, 1);
            case 's':
                Sort = Sorts[(Sorts.ToList().IndexOf(Sort) + 1) % Sorts.Count];
                return TopAsk.Sessions;
            case '/':
                _typed.Clear().Append(Filter);
                Typed = Filter;
                break;
            case 'c' when Selected is not null:
                IsConfirming = true;
                break;
            case ' ' or 'p':
                IsPaused = !IsPaused;
                break;
            case '?' or 'h':
                Pane = TopPane.Help;
                break;
            case '0':
                Pane = TopPane.All;
                break;
            case >= '1' and <= '4':
                Pane = (TopPane)(key.KeyChar - '0');
                break;
        }

        return TopAsk.Nothing;
    }

    private TopAsk Move(TopModel model, int by)
    {
        if (Pane == TopPane.Session)
        {
            Scroll = Math.Clamp(Scroll + by, 0, Math.Max(0, Facts.Count - 1));
            return TopAsk.Nothing;
        }

        var sessions = model.TopSessions;
        if (sessions.Count > 0)
        {
            var at = Enumerable.Range(0, sessions.Count)
                .FirstOrDefault(place => sessions[place].Session == Selected, by > 0 ? -1 : 0);
            Selected = sessions[Math.Clamp(at + by, 0, sessions.Count - 1)].Session;
        }

        return TopAsk.Nothing;
    }
}
