using System.Threading.Channels;
using Router.CommandLine.Top;
using Router.TestKit.Simulation;
using Router.Tests.Functional;

namespace Router.Tests.CommandLine.Top;

/// <summary>The loop draws, hands keys on, and leaves the terminal as it was.</summary>
public sealed class TopLoopTests : IDisposable
{
    private readonly StringWriter _output = new();
    private readonly Channel<ConsoleKeyInfo> _keys = Channel.CreateUnbounded<ConsoleKeyInfo>();
    private readonly VirtualTimeProvider _time = new();
    private readonly TopModel _model = TopSamples.Model(3);
    private readonly TopView _view = new(isReplay: false);
    private readonly List<TopAsk> _asks = [];
    private (int Width, int Height) _size = (80, 24);
    private int _turns;

    public void Dispose() => _output.Dispose();

    [Fact]
    public async Task It_draws_what_changes_and_ends_by_q()
    {
        var loop = Loop();
        var running = RunAsync(loop, CancellationToken.None);
        await TurnAsync();
        var once = Text.Length;
        _model.Version = "6.6.6";   // nobody says so: then nothing is drawn, as that takes 20 to 30 ms of CPU
        await TurnAsync();
        Assert.Equal(once, Text.Length);

        Press('j');
        await TurnAsync();
        Assert.Contains(">192.0.2.1:5000", Text, StringComparison.Ordinal);
        loop.Post(() => _model.Version = "7.7.7");
        await TurnAsync();
        Assert.Contains("7.7.7", Text, StringComparison.Ordinal);
        _size = (200, 50);
        await TurnAsync();
        Assert.Contains("state", Text, StringComparison.Ordinal);

        Press('s');
        Press('q');
        _time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.True(await running);

        Assert.Equal([TopAsk.Nothing, TopAsk.Sessions], _asks);
        Assert.StartsWith("\e[?1049h\e[?25l", Text, StringComparison.Ordinal);
        Assert.EndsWith("\e[?25h\e[?1049l", Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_that_is_told_to_end_leaves_the_terminal_as_it_was()
    {
        using var end = new CancellationTokenSource();
        var running = RunAsync(Loop(), end.Token);
        await TurnAsync();

        await end.CancelAsync();

        Assert.False(await running);   // as against who has ended it by a key

        Assert.EndsWith("\e[?25h\e[?1049l", Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_posted_and_not_taken_is_bounded()
    {
        var loop = Loop();
        var ran = 0;
        for (var i = 0; i < 5_000; i++)
        {
            loop.Post(() => ran++);
        }

        Press('q');
        await RunAsync(loop, CancellationToken.None);

        Assert.Equal(1_000, ran);
    }

    private string Text => _output.ToString();

    private TopLoop Loop() => new(
        new TopTerminal(_output, _keys.Reader, () => _size), _model, _view, new TopScreen(isUnicode: true), _time);

    private Task<bool> RunAsync(TopLoop loop, CancellationToken end) => Task.Run(() => loop.RunAsync(
        _asks.Add,
        _ => Interlocked.Increment(ref _turns) < 0,   // nothing of its own
        end), CancellationToken.None);

    private void Press(char key) =>
        _keys.Writer.TryWrite(new ConsoleKeyInfo(key, ConsoleKey.None, false, false, false));

    /// <summary>Lets it have one turn, and waits until that is drawn: the next one begins behind it.</summary>
    private async Task TurnAsync()
    {
        await AdvanceAsync();
        await AdvanceAsync();
    }

    private async Task AdvanceAsync()
    {
        var before = Volatile.Read(ref _turns);
        if (before > 0)
        {
            _time.Advance(TimeSpan.FromMilliseconds(50));
        }

        await Until.TrueAsync(() => Volatile.Read(ref _turns) > before, () => "no turn");
    }
}
