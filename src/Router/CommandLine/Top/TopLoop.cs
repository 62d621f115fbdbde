using System.Threading.Channels;
using Spectre.Console.Rendering;

namespace Router.CommandLine.Top;

/// <summary>The terminal of a screen: its keys, its size and where it is written.</summary>
/// <param name="Keys">As they are pressed.</param>
/// <param name="Size">Width and height now, in cells.</param>
internal sealed record TopTerminal(TextWriter Output, ChannelReader<ConsoleKeyInfo> Keys, Func<(int, int)> Size);

/// <summary>Shows a model on a terminal until its user ends it. What others have for it is run in its turns, so that
/// the model and the view have one thread.</summary>
internal sealed class TopLoop(TopTerminal terminal, TopModel model, TopView view, TopScreen screen, TimeProvider time)
{
    private const int WorkMax = 1_000;
    private const string Enter = "\e[?1049h\e[?25l", Leave = "\e[?25h\e[?1049l";
    private const string Home = "\e[H", EndLine = "\e[K", Below = "\e[J";

    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(50);

    private readonly Channel<Action> _work = Channel.CreateBounded<Action>(
        new BoundedChannelOptions(WorkMax) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

    private string _shown = "";
    private (int Width, int Height) _size;

    /// <summary>Has it run something in its next turn. Any thread.</summary>
    public void Post(Action what) => _work.Writer.TryWrite(what);

    /// <summary>Shows the model until the user, or the token, ends it. A screen takes tens of milliseconds of CPU: it
    /// is drawn when something was run, a key pressed, the size changed, or time has changed the model.</summary>
    /// <param name="answer">Does what a key asks for.</param>
    /// <param name="advance">Called each turn with the time since the last one; tells whether it changed the
    /// model.</param>
    /// <param name="end">Ends it.</param>
    /// <returns>Whether the user did.</returns>
    public async Task<bool> RunAsync(Action<TopAsk> answer, Func<TimeSpan, bool> advance, CancellationToken end)
    {
        using var turns = new PeriodicTimer(Turn, time);
        terminal.Output.Write(Enter);
        try
        {
            var last = time.GetTimestamp();
            do
            {
                var isNew = false;
                while (_work.Reader.TryRead(out var work))
                {
                    work();
                    isNew = true;
                }

                while (terminal.Keys.TryRead(out var key))
                {
                    var ask = view.Press(key, model);
                    if (ask == TopAsk.Quit)
                    {
                        return true;
                    }

                    answer(ask);
                    isNew = true;
                }

                isNew |= advance(time.GetElapsedTime(last));
                last = time.GetTimestamp();
                Show(isNew);
            }
            while (await turns.WaitForNextTickAsync(end).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The process is told to end.
        }
        finally
        {
            terminal.Output.Write(Leave);
            terminal.Output.Flush();
        }

        return false;
    }

    /// <summary>The screen, as text of so many cells.</summary>
    public static string Draw(IRenderable what, int width, int height) =>
        string.Join($"{EndLine}\r\n", TopFrame.LinesOf(what, width, height, isAnsi: true));

    private void Show(bool isNew)
    {
        var (width, height) = terminal.Size();
        if (!isNew && _size == (width, height))
        {
            return;
        }

        _size = (width, height);
        var text = Draw(screen.Draw(model, view, width, height), width, height);
        if (text != _shown)
        {
            _shown = text;
            terminal.Output.Write($"{Home}{text}{EndLine}{Below}");
            terminal.Output.Flush();
        }
    }
}
