using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Tests.Hosting;

/// <summary>What a host logs, by the events' names.</summary>
internal sealed class EventLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(string Name, string Text, object? State)> _events = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _seen = new(StringComparer.Ordinal);

    public ILogger CreateLogger(string categoryName) => this;

    public int Count(string name) => _events.Count(one => one.Name == name);

    public IReadOnlyList<string> Texts(string name) =>
        [.. _events.Where(one => one.Name == name).Select(static one => one.Text)];

    /// <summary>The fields of each event of a name, as the log names them.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, object?>> Of(string name) =>
        [.. _events.Where(one => one.Name == name).Select(static one => FieldsOf(one.State))];

    /// <summary>Completes with the first event of a name.</summary>
    public Task Seen(string name) => SourceOf(name).Task;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (eventId.Name is { } name)
        {
            _events.Enqueue((name, formatter(state, exception), state));
            SourceOf(name).TrySetResult();
        }
    }

    public void Dispose()
    {
    }

    private static Dictionary<string, object?> FieldsOf(object? state) =>
        (state as IReadOnlyList<KeyValuePair<string, object?>> ?? []).ToDictionary(
            static field => Kebab.From(field.Key), static field => field.Value, StringComparer.Ordinal);

    private TaskCompletionSource SourceOf(string name) =>
        _seen.GetOrAdd(name, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
