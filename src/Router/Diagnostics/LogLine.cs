using System.Globalization;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>A log entry as name, level and flat fields, before it is written as JSON or text. One per thread, used
/// again.
/// </summary>
internal sealed class LogLine
{
    /// <summary>Keys that begin every line; a field of the same name gets a number.</summary>
    private static readonly string[] Leading = ["time", "level", "event"];

    [ThreadStatic]
    private static LogLine? _current;

    private readonly List<KeyValuePair<string, object?>> _fields = new(LogFields.FieldsMax);

    public string Event { get; private set; } = "";

    public LogLevel Level { get; private set; }

    public DateTimeOffset Time { get; private set; }

    /// <summary>Keys are unique and in kebab-case; values are as logged.</summary>
    public IReadOnlyList<KeyValuePair<string, object?>> Fields => _fields;

    /// <summary>The whole line, where the record brings it.</summary>
    public string? Text { get; private set; }

    /// <summary>Valid until this thread's next call.</summary>
    /// <remarks>An event of ours has its own fields alone. Any other, of a handler's logger or of a library, has its
    /// category and message before them, and is the event "log" unless it has a name.</remarks>
    public static LogLine From(LogRecord record)
    {
        var line = _current ??= new LogLine();
        line._fields.Clear();
        (line.Time, line.Level, line.Text) = (record.Time, record.Level, record.Text);
        line.Event = EventOf(record);
        if (record.Message is { } message)
        {
            line.Add("category", record.Category);
            line.Add("message", message);
        }

        for (var i = 0; i < record.Fields.Count; i++)
        {
            var field = record.Fields[i];
            if (!LogRecord.IsTemplate(field.Key))
            {
                line.Add(LogFields.KeyOf(field.Key), field.Value);
            }
        }

        if (record.Exception is { } exception)
        {
            line.Add("error-type", exception.GetType().FullName);
            line.Add("error", exception.Message);
            line.Add("stack", exception.StackTrace);
        }

        return line;
    }

    /// <summary>The name of the record's event; "log" for one without.</summary>
    public static string EventOf(LogRecord record) =>
        record.Id.Name is { Length: > 0 } name ? LogFields.Cap(name) : "log";

    private void Add(string key, object? value)
    {
        if (_fields.Count == LogFields.FieldsMax)
        {
            return;
        }

        var unique = key;
        for (var n = 2; IsTaken(unique); n++)
        {
            unique = key + "-" + n.ToString(CultureInfo.InvariantCulture);
        }

        _fields.Add(new(unique, value));
    }

    private bool IsTaken(string key)
    {
        foreach (var field in _fields)
        {
            if (field.Key == key)
            {
                return true;
            }
        }

        return Array.IndexOf(Leading, key) >= 0;
    }
}
