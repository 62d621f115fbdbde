using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Router.Diagnostics;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Tests.Diagnostics;

/// <summary>A logger that keeps what one of the formats makes of each entry.</summary>
internal sealed class LineLogger(string category, LogLevel level = LogLevel.Trace, bool isText = false) : ILogger
{
    public static readonly DateTimeOffset Now = new(2026, 2, 3, 4, 5, 6, 789, TimeSpan.FromHours(1));

    private readonly ConsoleFormatter _formatter =
        isText ? new TextLineFormatter(new FixedTime()) : new JsonLineFormatter(new FixedTime());

    public List<string> Lines { get; } = [];

    public bool IsEnabled(LogLevel logLevel) => logLevel >= level;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        using var writer = new StringWriter();
        _formatter.Write(new LogEntry<TState>(logLevel, category, eventId, state, exception, formatter), null, writer);
        Lines.Add(writer.ToString());
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
