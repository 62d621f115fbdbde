using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>
/// Log events of the log's own sinks: ids 1900-1999. Listed in docs/logs.md; an id is never given to another event.
/// </summary>
internal static partial class SinkLog
{
    /// <summary>At most once a second and sink; the other sinks are told, and the sink itself when it can be.</summary>
    [LoggerMessage(EventId = 1900, Level = LogLevel.Warning, EventName = "log-lines-dropped", Message =
        "{Count} lines were not written to {Sink}")]
    public static partial void LinesDropped(ILogger logger, string sink, long count);

    /// <summary>Once, until it works again.</summary>
    [LoggerMessage(EventId = 1901, Level = LogLevel.Error, EventName = "log-sink-failed", Message =
        "{Sink} takes no lines: {Error}; lines wait as far as its queue goes, next try in {RetryMs} ms")]
    public static partial void Failed(ILogger logger, string sink, string error, long retryMs);

    [LoggerMessage(EventId = 1902, Level = LogLevel.Information, EventName = "log-sink-works", Message =
        "{Sink} takes lines again, after {FailedMs} ms")]
    public static partial void Works(ILogger logger, string sink, long failedMs);

    /// <summary>At most once in 5 s and sink.</summary>
    [LoggerMessage(EventId = 1903, Level = LogLevel.Error, EventName = "log-not-rotated", Message =
        "{Sink} takes lines, but: {Error}")]
    public static partial void NotRotated(ILogger logger, string sink, string error);
}

/// <summary>The figures of a sink since the start.</summary>
/// <param name="Sink">Its name.</param>
/// <param name="Waiting">Lines in its queue now.</param>
/// <param name="Written">Lines that it has taken.</param>
/// <param name="Dropped">Lines that it has not: its queue was full, or it refused them.</param>
internal readonly record struct SinkFigures(string Sink, int Waiting, long Written, long Dropped);
