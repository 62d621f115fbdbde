using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>What was logged, before anybody has made a line of it. All sinks share one; it does not change.</summary>
/// <remarks>An event of ours is kept as it was given, for its fields are numbers, texts, times and endpoints, which
/// do not change: so the thread that logs pays for no text. The fields of any other may be anything, and their text is
/// taken at once.</remarks>
internal sealed class LogRecord
{
    private const string OwnCategory = "Router";
    private const string TemplateField = "{OriginalFormat}";

    private LogRecord(DateTimeOffset time, LogLevel level, EventId id, string category) =>
        (Time, Level, Id, Category) = (time, level, id, category);

    public DateTimeOffset Time { get; }

    public LogLevel Level { get; }

    public EventId Id { get; }

    public string Category { get; }

    /// <summary>Null for an event of ours, whose fields say it all.</summary>
    public string? Message { get; private init; }

    /// <summary>As they were named; the template is among them.</summary>
    public IReadOnlyList<KeyValuePair<string, object?>> Fields { get; private init; } = [];

    public Exception? Exception { get; private init; }

    /// <summary>The whole line, where the record is one that brings it; see <see cref="ILineText"/>.</summary>
    public string? Text => (Fields as ILineText)?.Text;

    /// <param name="time">Of the clock.</param>
    public static LogRecord From<TState>(
        DateTimeOffset time, LogLevel level, string category, EventId id, TState state, Exception? exception,
        Func<TState, Exception?, string>? formatter)
    {
        var fields = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
        return IsOurs(category, id)
            ? new LogRecord(time, level, id, category) { Fields = fields, Exception = exception }
            : new LogRecord(time, level, id, category)
            {
                Message = formatter?.Invoke(state, exception) ?? "",
                Fields = [.. Taken(fields)],
                Exception = exception,
            };
    }

    public static bool IsTemplate(string name) => name == TemplateField;

    private static IEnumerable<KeyValuePair<string, object?>> Taken(IReadOnlyList<KeyValuePair<string, object?>> fields)
    {
        for (var i = 0; i < Math.Min(fields.Count, LogFields.FieldsMax + 1); i++)
        {
            var field = fields[i];
            if (!IsTemplate(field.Key))
            {
                yield return new(field.Key, field.Value is null or bool or int or long or uint or ulong or double
                    or decimal or DateTimeOffset or string
                        ? field.Value
                        : LogFields.TextOf(field.Value));
            }
        }
    }

    private static bool IsOurs(string category, EventId id) =>
        id.Name is { Length: > 0 }
        && category.StartsWith(OwnCategory, StringComparison.Ordinal)
        && (category.Length == OwnCategory.Length || category[OwnCategory.Length] == '.');
}

/// <summary>Fields that bring the whole line with them, in a format of the operator's.</summary>
internal interface ILineText
{
    /// <summary>One line, without its end. Null where the sink's own format is to be used.</summary>
    string? Text { get; }
}

/// <summary>Makes a record of every entry that passes, and hands it on. Any thread.</summary>
/// <param name="category">Of the entries.</param>
/// <param name="time">The clock.</param>
/// <param name="passes">Whether entries of a level are wanted.</param>
/// <param name="take">Gets the records; must not block.</param>
internal sealed class RecordLogger(
    string category, TimeProvider time, Func<LogLevel, bool> passes, Action<LogRecord> take) : ILogger
{
    public bool IsEnabled(LogLevel logLevel) => passes(logLevel);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (passes(logLevel))
        {
            take(LogRecord.From(time.GetUtcNow(), logLevel, category, eventId, state, exception, formatter));
        }
    }
}
