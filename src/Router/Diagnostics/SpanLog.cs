using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>Log events about the export of spans; ids from 2100. docs/logs.md lists them all.</summary>
internal static partial class SpanLog
{
    /// <summary>Once, until it works again.</summary>
    [LoggerMessage(EventId = 2100, Level = LogLevel.Error, EventName = "spans-export-failed", Message =
        "spans are not exported to {Collector}: {Error}")]
    public static partial void ExportFailed(ILogger logger, string collector, string error);

    /// <param name="lost">Spans that the collector did not take meanwhile.</param>
    [LoggerMessage(EventId = 2101, Level = LogLevel.Information, EventName = "spans-export-works", Message =
        "spans are exported to {Collector} again, after {FailedMs} ms; {Lost} are lost")]
    public static partial void ExportWorks(ILogger logger, string collector, long failedMs, long lost);

    /// <summary>At the end, if there were any.</summary>
    [LoggerMessage(EventId = 2102, Level = LogLevel.Warning, EventName = "spans-dropped", Message =
        "{Count} spans were dropped: spans.queue was full")]
    public static partial void Dropped(ILogger logger, long count);
}
