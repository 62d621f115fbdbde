using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>The logger of a program that hosts the router. It gets fields as they are. The text of a record is made
/// here, with values as the router's own log writes them: times in ISO 8601, "-" for what is not known, no character
/// that starts a line or cannot be seen. Any thread.</summary>
internal sealed class HostLogger(ILogger inner) : ILogger
{
    private const string TemplateField = "{OriginalFormat}";

    /// <summary>Templates are constants of our code, so there are as many as events.</summary>
    private static readonly ConcurrentDictionary<string, Piece[]> Templates = new(StringComparer.Ordinal);

    public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        inner.Log(logLevel, eventId, state, exception, (filled, thrown) => TextOf(filled) ?? formatter(filled, thrown));

    /// <returns>Null for a record without a template, or a line of its own.</returns>
    private static string? TextOf<TState>(TState state)
    {
        if (state is ILineText { Text: { } line })
        {
            return line;
        }

        if (state is not IReadOnlyList<KeyValuePair<string, object?>> fields
            || fields.FirstOrDefault(static field => field.Key == TemplateField).Value is not string template)
        {
            return null;
        }

        var text = new StringBuilder();
        foreach (var piece in Templates.GetOrAdd(template, static text => [.. Cut(text)]))
        {
            text.Append(piece.Literal);
            if (piece.Field is { } name)
            {
                var value = fields.FirstOrDefault(field => field.Key == name).Value;
                text.Append(value is null or "" ? "-" : LineText.Escape(LogFields.TextOf(value)));
            }
        }

        return text.ToString();
    }

    /// <summary>A template of ours has fields without formats, and no braces beside them.</summary>
    private static IEnumerable<Piece> Cut(string template)
    {
        var at = 0;
        for (var open = template.IndexOf('{'); open >= 0; open = template.IndexOf('{', at))
        {
            var close = template.IndexOf('}', open);
            yield return new Piece(template[at..open], template[(open + 1)..close]);
            at = close + 1;
        }

        yield return new Piece(template[at..], null);
    }

    private readonly record struct Piece(string Literal, string? Field);
}
