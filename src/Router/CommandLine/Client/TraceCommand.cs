using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Router.Hosting;

namespace Router.CommandLine.Client;

/// <summary>Has a running router tell what a session does, or the sessions of some peers, and prints it until the trace
/// is over or the command is interrupted, which ends the trace.</summary>
internal sealed class TraceCommand(AdminCommand admin)
{
    private const string Lines = "session-trace", Ended = "session-trace-ended", Dropped = "log-lines-dropped";

    private readonly Argument<string> _peer = new("peer")
    {
        Description = "An address, an endpoint or a network: 192.0.2.7, 192.0.2.7:5000, 192.0.2.0/24.",
        HelpName = "PEER",
    };

    private readonly Option<int?> _lines = new("--lines")
    {
        Description = "Ends it behind so many lines; else 1,000.",
        HelpName = "NUMBER",
    };

    private readonly Option<string?> _time = new("--time")
    {
        Description = "Ends it after so long, as 30s; else a minute.",
        HelpName = "TIME",
    };

    private readonly Option<int?> _head = new("--head")
    {
        Description = "Shows so many bytes of each payload, in hexadecimal; else 64.",
        HelpName = "BYTES",
    };

    /// <summary>What a command needs that may begin a trace.</summary>
    public IEnumerable<Option> Options => [_lines, _time, _head];

    public Command Make() => admin.Make(
        new Command("trace", "Prints what a running router does for the peers of an address or a network.")
        {
            _peer, _lines, _time, _head,
        },
        (parsed, client, isJson, cancel) => RunAsync(
            parsed, client, isJson, "/traces", new JsonObject { ["peer"] = parsed.GetValue(_peer) }, cancel));

    /// <summary>Begins a trace, and prints it to its end.</summary>
    /// <param name="path">Where it is asked for.</param>
    /// <param name="asked">The body, but for the limits.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(
        ParseResult parsed, AdminClient client, bool isJson, string path, JsonObject asked, CancellationToken cancel)
    {
        asked["lines"] = parsed.GetValue(_lines);
        asked["time"] = parsed.GetValue(_time);
        asked["head"] = parsed.GetValue(_head);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        AdminAnswer? begun = null;
        var number = 0;
        var isEnded = false;
        try
        {
            // The events are read before the trace begins, so that none is missed.
            var answer = await client.FollowAsync(
                $"/events?event={Lines},{Ended},{Dropped}", Take, over.Token, BeginAsync).ConfigureAwait(false);
            return begun is { IsOk: false } refused ? admin.Refuse(refused)
                : answer.IsOk ? RouterRunner.ExitOk
                : admin.Refuse(answer);
        }
        catch (OperationCanceledException) when (isEnded)
        {
            return RouterRunner.ExitOk;
        }
        catch (Exception e) when (number != 0 && e is (OperationCanceledException or IOException))
        {
            // Interrupted, or nobody reads the output any more.
            var trace = string.Create(CultureInfo.InvariantCulture, $"/traces/{number}");
            await client.AskAsync(HttpMethod.Delete, trace, cancel: CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        async Task<bool> BeginAsync()
        {
            // Not given up when it is interrupted: then nobody would know the trace that is to be ended.
            begun = await client.AskAsync(HttpMethod.Post, path, asked, CancellationToken.None).ConfigureAwait(false);
            number = begun.IsOk ? begun.Body!["trace"]!.GetValue<int>() : 0;
            return begun.IsOk;
        }

        void Take(JsonObject line)
        {
            var name = $"{line["event"]}";
            if (isEnded || (name != Dropped && line["trace"]?.GetValue<int>() != number))
            {
                return;   // of another trace
            }

            admin.Output.WriteLine(isJson ? line.ToJsonString() : EventCommand.TextOf(line));
            admin.Output.Flush();
            if (name == Ended)
            {
                isEnded = true;
                over.Cancel();
            }
        }
    }
}
