using System.CommandLine;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Router.CommandLine.Client;
using Router.Diagnostics;
using Router.Hosting;
using Spectre.Console;

namespace Router.CommandLine.Top;

/// <summary>Shows what a running router does, or did by its log, on a terminal: docs/top.md.</summary>
/// <param name="error">Gets what is wrong with a file.</param>
/// <param name="isTerminal">Whether the output, and the input, are one.</param>
internal sealed class TopCommand(AdminCommand admin, TextWriter error, Func<bool> isTerminal, TimeProvider time)
{
    private const int KeysMax = 100;
    private const double SpeedMax = 100_000;

    private readonly Option<string?> _log = new("--log")
    {
        Description = "Replays a log of JSON lines instead; no router is asked.",
        HelpName = "FILE",
    };

    private readonly Option<double> _speed = new("--speed")
    {
        Description = "Seconds of the log that pass in a second: 0.1 to 100000; else 1.",
        HelpName = "NUMBER",
        DefaultValueFactory = static _ => 1,
    };

    public Command Make()
    {
        var command = new Command(
            "top", "Shows live what a running router does; once where the output is no terminal.") { _log, _speed };
        _log.Validators.Add(static result =>
        {
            if (result.Tokens is [{ Value: "" }])
            {
                result.AddError("--log needs the name of a file.");
            }
        });
        _speed.Validators.Add(static result =>
        {
            if (!result.Errors.Any() && result.GetValueOrDefault<double>() is not (>= 0.1 and <= SpeedMax))
            {
                result.AddError("--speed needs a number from 0.1 to 100000.");
            }
        });
        return admin.Make(command, RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, AdminClient client, bool isJson, CancellationToken cancel)
    {
        if (isJson)
        {
            error.WriteLine("top draws a screen; router stats --json, sessions --json and events --json print JSON.");
            return RouterRunner.ExitUsage;
        }

        var isOnce = !isTerminal();
        return parsed.GetValue(_log) is { } file
            ? await ReplayAsync(file, parsed.GetValue(_speed), isOnce, cancel).ConfigureAwait(false)
            : await FollowAsync(client, isOnce, cancel).ConfigureAwait(false);
    }

    private async Task<int> ReplayAsync(string file, double speed, bool isOnce, CancellationToken cancel)
    {
        try
        {
            using var lines = new StreamReader(new FileStream(
                file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            var model = new TopModel { Source = LineText.Escape(Path.GetFileName(file)) };
            var view = new TopView(isReplay: true) { Speed = speed };
            var replay = new TopReplay(lines, model, view);
            if (isOnce)
            {
                replay.ToEnd();
                Print(model, view);
                return RouterRunner.ExitOk;
            }

            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            var loop = NewLoop(model, view, end);
            var isAsked = await loop.RunAsync(ask => Answer(ask, replay, view), replay.Advance, end.Token)
                .ConfigureAwait(false);
            return isAsked ? RouterRunner.ExitOk : AdminCommand.ExitInterrupted;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error.WriteLine(LineText.Escape($"--log: {e.Message}"));
            return RouterRunner.ExitUsage;
        }
    }

    private static void Answer(TopAsk ask, TopReplay replay, TopView view)
    {
        switch (ask)
        {
            case TopAsk.Line:
                replay.StepLine();
                break;
            case TopAsk.Interval:
                replay.StepInterval();
                break;
            case TopAsk.Sessions:
                replay.Pick();
                break;
            case TopAsk.Open:
                view.Facts = replay.FactsOf(view.Selected!);
                break;
        }
    }

    private async Task<int> FollowAsync(AdminClient client, bool isOnce, CancellationToken cancel)
    {
        var model = new TopModel { Source = client.Name };
        var view = new TopView(isReplay: false);
        if (isOnce)
        {
            var once = new TopFeed(client, model, view, static what => what(), static () => OnceRows, time);
            if (await once.TakeOnceAsync(cancel).ConfigureAwait(false) is { } refusal)
            {
                return admin.Refuse(refusal);
            }

            Print(model, view);
            return RouterRunner.ExitOk;
        }

        // Whether there is a router, and this user is let in, is told as by every command.
        var first = await client.AskAsync(HttpMethod.Get, "/upstreams", cancel: cancel).ConfigureAwait(false);
        if (!first.IsOk)
        {
            return admin.Refuse(first);
        }

        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var loop = NewLoop(model, view, end);
        var feed = new TopFeed(client, model, view, loop.Post, () => Rows(view), time);
        var feeding = feed.RunAsync(end.Token);
        var isAsked = await loop.RunAsync(
            ask =>
            {
                switch (ask)
                {
                    case TopAsk.Sessions:
                        feed.Hurry();
                        break;
                    case TopAsk.Open:
                        view.Facts = [];
                        _ = feed.OpenAsync(view.Selected!, end.Token);
                        break;
                    case TopAsk.Close:
                        _ = feed.CloseAsync(view.Selected!, end.Token);
                        break;
                }
            },
            static _ => false,
            end.Token).ConfigureAwait(false);
        await end.CancelAsync().ConfigureAwait(false);
        await feeding.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return isAsked ? RouterRunner.ExitOk : AdminCommand.ExitInterrupted;
    }

    private const int OnceRows = 10;

    private static int Rows(TopView view)
    {
        var (width, height) = Size();
        return TopScreen.SessionRows(view, width, height);
    }

    private void Print(TopModel model, TopView view)
    {
        var screen = new TopScreen(IsUnicode).Draw(model, view, TopScreen.WidthMin, TopScreen.HeightMin);
        foreach (var line in TopFrame.LinesOf(screen, TopScreen.WidthMin, TopScreen.HeightMin, isAnsi: false)
            .SkipLast(model.Note is null ? 1 : 0))   // keys are of no use
        {
            admin.Output.WriteLine(line.TrimEnd());
        }
    }

    private bool IsUnicode => admin.Output.Encoding.CodePage == 65001 || admin.Output is StringWriter;

    /// <summary>A window that is smaller than this shows a part of it.</summary>
    private static (int Width, int Height) Size() =>
        (Math.Max(TopScreen.SmallestWidth, Console.WindowWidth),
            Math.Max(TopScreen.SmallestHeight, Console.WindowHeight));

    /// <summary>Keys are read by a thread that waits for them: in between the terminal would show what is typed.
    /// </summary>
    private TopLoop NewLoop(TopModel model, TopView view, CancellationTokenSource end)
    {
        var keys = Channel.CreateBounded<ConsoleKeyInfo>(
            new BoundedChannelOptions(KeysMax) { FullMode = BoundedChannelFullMode.DropWrite });
        Console.TreatControlCAsInput = true;   // it must end by itself, so that the terminal is as it was
        _ = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            end.Cancel();
        });
        var input = AnsiConsole.Create(new AnsiConsoleSettings()).Input;
        new Thread(() =>
        {
            while (input.ReadKey(intercept: true) is { } key)
            {
                keys.Writer.TryWrite(key);
            }
        })
        {
            IsBackground = true,
            Name = "keys",
        }.Start();
        return new TopLoop(
            new TopTerminal(admin.Output, keys.Reader, Size), model, view, new TopScreen(IsUnicode), time);
    }
}
