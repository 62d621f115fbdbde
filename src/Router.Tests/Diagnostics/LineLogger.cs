using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Tests.Diagnostics;

/// <summary>A logger that keeps what one of the formats makes of each entry.</summary>
internal sealed class LineLogger(string category, LogLevel level = LogLevel.Trace, bool isText = false) : ILogger
{
    public static readonly DateTimeOffset Now = new(2026, 2, 3, 4, 5, 6, 789, TimeSpan.FromHours(1));

    private readonly ILineFormat _format = isText ? new TextLineFormatter() : new JsonLineFormatter();

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
        var record = LogRecord.From(Now, logLevel, category, eventId, state, exception, formatter);
        var bytes = new ArrayBufferWriter<byte>();
        _format.Write(LogLine.From(record), bytes);
        Lines.Add(Encoding.UTF8.GetString(bytes.WrittenSpan) + '\n');
    }
}
