using System.Text.Json.Nodes;
using Router.CommandLine.Client;

namespace Router.CommandLine.Top;

/// <summary>The latest values of a figure, for a sparkline.</summary>
internal sealed class TopSeries
{
    private const int ValuesMax = 240;

    private readonly List<double> _values = [];

    public IReadOnlyList<double> Values => _values;

    public double Last => _values.Count == 0 ? 0 : _values[^1];

    public void Add(double value)
    {
        if (_values.Count == ValuesMax)
        {
            _values.RemoveAt(0);
        }

        _values.Add(value);
    }
}

/// <summary>A listener or a route.</summary>
/// <param name="InPerSecond">Payloads.</param>
internal sealed record TopTraffic(string Name, long Sessions, double InPerSecond, double OutPerSecond, long Drops);

internal sealed record TopUpstream(string Route, string Upstream, string State, long Sessions);

/// <param name="Count">As far back as is known.</param>
internal sealed record TopDrop(string Reason, long Count, double PerSecond);

/// <param name="Closed">Why it has ended; null while it is open.</param>
/// <param name="BytesPerSecond">Null where it is not known.</param>
internal sealed record TopSession(
    string Session, string Peer, string Listener, string Route, string? Upstream, long AgeMs, long? IdleMs,
    long PayloadsIn, long PayloadsOut, long BytesIn, long BytesOut, long Drops, double? BytesPerSecond, string? Closed);

/// <param name="Time">Of day, as the log has it.</param>
/// <param name="Text">The event and its fields, fit for a terminal.</param>
internal sealed record TopEvent(string Time, string Level, string Text)
{
    /// <param name="line">An event of the log; its session is moved behind the other fields.</param>
    public static TopEvent Of(JsonObject line)
    {
        var time = line.Text("time");
        if (line["session"] is { } session)
        {
            line.Remove("session");   // long, and seldom what is looked for: to the end
            line["session"] = session;
        }

        return new TopEvent(
            time is [_, _, _, _, '-', _, _, '-', _, _, 'T', .. var day, 'Z'] ? day : time, line.Text("level"),
            EventCommand.FieldsOf(line));
    }
}

/// <summary>What there is to be shown, whether it comes from a running router or from a log. One thread.</summary>
internal sealed class TopModel
{
    /// <summary>Beyond so many the oldest are forgotten.</summary>
    public const int EventsMax = 500;

    private readonly Queue<TopEvent> _events = new();

    /// <summary>Where it comes from: an address or a file.</summary>
    public string Source { get; init; } = "";

    public string Version { get; set; } = "";

    /// <summary>A word: <c>running</c>, <c>draining</c>, <c>stopped</c>.</summary>
    public string State { get; set; } = "";

    /// <summary>As the latest of it says, in UTC.</summary>
    public string Time { get; set; } = "";

    /// <summary>Null where it is not known.</summary>
    public long? UptimeMs { get; set; }

    /// <summary>What the user is to know about it: that nothing answers, that a file is at its end.</summary>
    public string? Note { get; set; }

    public TopSeries Sessions { get; } = new();

    public TopSeries Opened { get; } = new();

    public TopSeries Closed { get; } = new();

    public TopSeries PayloadsIn { get; } = new();

    public TopSeries PayloadsOut { get; } = new();

    public TopSeries BytesIn { get; } = new();

    public TopSeries BytesOut { get; } = new();

    public TopSeries Drops { get; } = new();

    public IReadOnlyList<TopTraffic> Listeners { get; set; } = [];

    public IReadOnlyList<TopTraffic> Routes { get; set; } = [];

    public IReadOnlyList<TopUpstream> Upstreams { get; set; } = [];

    /// <summary>The most frequent one first.</summary>
    public IReadOnlyList<TopDrop> DropReasons { get; set; } = [];

    /// <summary>In the order in which they are shown.</summary>
    public IReadOnlyList<TopSession> TopSessions { get; set; } = [];

    /// <summary>How many match the filter.</summary>
    public long Matched { get; set; }

    /// <summary>The oldest first.</summary>
    public IReadOnlyCollection<TopEvent> Events => _events;

    public void Add(TopEvent one)
    {
        if (_events.Count == EventsMax)
        {
            _events.Dequeue();
        }

        _events.Enqueue(one);
    }
}

/// <summary>Values of JSON, or what stands for those that are not there.</summary>
internal static class TopJson
{
    public static long Number(this JsonObject of, string key) => of.NumberOrNull(key) ?? 0;

    public static long? NumberOrNull(this JsonObject of, string key) =>
        of[key] is JsonValue value && value.TryGetValue<double>(out var number) ? (long)number : null;

    public static string Text(this JsonObject of, string key) => of.TextOrNull(key) ?? "";

    public static string? TextOrNull(this JsonObject of, string key) =>
        of[key] is { } value ? Diagnostics.LineText.Escape(value.ToString()) : null;

    public static IEnumerable<JsonObject> Objects(this JsonObject of, string key) =>
        (of[key] as JsonArray ?? []).OfType<JsonObject>();
}
