using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Router.Diagnostics;
using Router.Hosting;

namespace Router.CommandLine.Client;

/// <summary>Prints what a running router has logged lately, and what it logs from now on.</summary>
internal sealed class EventCommand(AdminCommand admin)
{
    private const int LastByDefault = 20;

    private readonly Option<bool> _follow = new("--follow", "-f")
    {
        Description = "Goes on with the events that come, until the router ends.",
    };

    private readonly Option<int> _last = new("--last")
    {
        Description = "So many of the latest events first, of those that the router keeps; else 20.",
        HelpName = "NUMBER",
        DefaultValueFactory = static _ => LastByDefault,
    };

    private readonly Option<string?>[] _filters =
    [
        FilterOptions.Make(
            "--level", "LEVEL", "Of this level and the more severe ones: debug, info, warning, error.", "debug", "info",
            "warning", "error"),
        FilterOptions.Make("--event", "NAMES", "Of these names, separated by commas: session-closed,drops."),
        FilterOptions.Make("--listener", "NAME", "Of this listener."),
        FilterOptions.Make("--session", "ID", "Of this session."),
        FilterOptions.Make("--peer", "ADDRESS", "Of this peer: 192.0.2.7, or 192.0.2.7:5000."),
    ];

    public Command Make()
    {
        var command = new Command("events", "Prints the latest log events of a running router, or follows them.")
        {
            _follow, _last,
        };
        _last.Validators.Add(static result =>
        {
            if (!result.Errors.Any() && result.GetValueOrDefault<int>() < 0)
            {
                result.AddError("--last needs a number of events, 0 or more.");
            }
        });
        foreach (var filter in _filters)
        {
            command.Add(filter);
        }

        return admin.Make(command, RunAsync);
    }

    /// <summary>An event as the text format of the log has it.</summary>
    internal static string TextOf(JsonObject line)
    {
        var text = new StringBuilder(512)
            .Append(LineText.Escape($"{line["time"]}")).Append(' ')
            .Append(LineText.Escape($"{line["level"]}").PadRight("critical".Length)).Append(' ');
        AppendFields(text, line);
        return text.ToString();
    }

    /// <summary>The event's name, and its fields behind it.</summary>
    internal static string FieldsOf(JsonObject line)
    {
        var text = new StringBuilder(512);
        AppendFields(text, line);
        return text.ToString();
    }

    private static void AppendFields(StringBuilder text, JsonObject line)
    {
        TextLineFormatter.AppendValue(text, $"{line["event"]}");
        foreach (var (key, value) in line)
        {
            if (key is not ("time" or "level" or "event"))
            {
                text.Append(' ').Append(LineText.Escape(key)).Append('=');
                TextLineFormatter.AppendValue(text, ValueOf(value));
            }
        }
    }

    private static string ValueOf(JsonNode? value) => value switch
    {
        null => "-",
        JsonValue flag when flag.GetValueKind() is JsonValueKind.True or JsonValueKind.False =>
            flag.GetValue<bool>() ? "true" : "false",
        _ => value.ToString(),
    };

    private async Task<int> RunAsync(ParseResult parsed, AdminClient client, bool isJson, CancellationToken cancel)
    {
        var query = FilterOptions.QueryOf(parsed, _filters).Select(static part => $"&{part}");
        var path = string.Create(CultureInfo.InvariantCulture, $"/events?last={parsed.GetValue(_last)}")
            + $"&follow={(parsed.GetValue(_follow) ? "true" : "false")}{string.Concat(query)}";
        var answer = await client.FollowAsync(path, line => Write(line, isJson), cancel).ConfigureAwait(false);
        return answer.IsOk ? RouterRunner.ExitOk : admin.Refuse(answer);
    }

    private void Write(JsonObject line, bool isJson)
    {
        admin.Output.WriteLine(isJson ? line.ToJsonString() : TextOf(line));
        admin.Output.Flush();
    }
}
