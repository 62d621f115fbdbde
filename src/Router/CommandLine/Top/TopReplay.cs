using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Router.CommandLine.Client;

namespace Router.CommandLine.Top;

/// <summary>Replays the lines of a log at the speed of a view. One thread.</summary>
/// <param name="lines">JSON, a line each; other lines are passed over.</param>
internal sealed class TopReplay(TextReader lines, TopModel model, TopView view)
{
    /// <summary>Lines in one go: keys are looked at in between.</summary>
    private const int LinesMax = 5_000;

    private readonly TopLog _log = new(model);
    private JsonObject? _next;
    private DateTimeOffset? _position;
    private long _skipped;

    /// <summary>Whether the last line has been taken.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>Time has passed: takes the lines that were written meanwhile.</summary>
    /// <returns>False if there were none.</returns>
    public bool Advance(TimeSpan elapsed)
    {
        if (view.IsPaused || Peek() is null)
        {
            return false;
        }

        _position = Later(_position ?? TimeOf(_next!) ?? default, elapsed * view.Speed);
        var taken = 0;
        while (taken < LinesMax && Peek() is { } line && (TimeOf(line) ?? _position) <= _position)
        {
            Take();
            taken++;
        }

        Pick();
        return taken > 0;
    }

    /// <summary>Takes one line.</summary>
    public void StepLine()
    {
        if (Peek() is not null)
        {
            Take();
        }

        Pick();
    }

    /// <summary>Takes lines to the end of the interval: the next stats line.</summary>
    public void StepInterval()
    {
        while (Peek() is { } line)
        {
            Take();
            if (line.Text("event") == "stats")
            {
                break;
            }
        }

        Pick();
    }

    /// <summary>Takes all.</summary>
    public void ToEnd()
    {
        while (Peek() is not null)
        {
            Take();
        }

        Pick();
    }

    /// <summary>Chooses the sessions that are shown, as the view wants them.</summary>
    public void Pick()
    {
        model.TopSessions = TopFilter.Pick(_log.Sessions, view.Filter, view.Sort, out var matched);
        model.Matched = matched;
    }

    /// <summary>The facts of a session, as the log has them.</summary>
    public IReadOnlyList<(string Name, string Value)> FactsOf(string id) =>
        _log.Sessions.FirstOrDefault(one => one.Session == id) is { } found
            ? JsonSerializer.SerializeToNode(found, TopJsonContext.Default.TopSession)!.AsObject()
                .Select(static pair => (pair.Key, Diagnostics.LineText.Escape($"{pair.Value ?? "-"}"))).ToList()
            : [];

    private static DateTimeOffset? TimeOf(JsonObject line) => DateTimeOffset.TryParse(
        line.Text("time"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    /// <summary>A log may have any time that there is.</summary>
    private static DateTimeOffset Later(DateTimeOffset time, TimeSpan by) =>
        time > DateTimeOffset.MaxValue - by ? DateTimeOffset.MaxValue : time + by;

    private JsonObject? Peek()
    {
        while (_next is null && !IsAtEnd)
        {
            if (lines.ReadLine() is not { } text)
            {
                IsAtEnd = true;
                model.Note = _skipped == 0
                    ? $"{model.Source}: the end"
                    : $"{model.Source}: the end; {_skipped} lines are no JSON, as log.format = json writes";
                break;
            }

            _next = Parse(text);
            _skipped += _next is null ? 1 : 0;
        }

        return _next;
    }

    private void Take()
    {
        _log.Apply(_next!);
        _position = TimeOf(_next!) is { } at && !(at < _position) ? at : _position;
        _next = null;
    }

    private static JsonObject? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: AdminClient.Json) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Names of a session's fields as everywhere.</summary>
[System.Text.Json.Serialization.JsonSourceGenerationOptions(
    PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.KebabCaseLower)]
[System.Text.Json.Serialization.JsonSerializable(typeof(TopSession))]
internal sealed partial class TopJsonContext : System.Text.Json.Serialization.JsonSerializerContext;
