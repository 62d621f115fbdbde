using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>Log events about the export of metrics; ids from 2000. docs/logs.md lists them all.</summary>
internal static partial class MetricsLog
{
    /// <summary>Once, until it works again.</summary>
    [LoggerMessage(EventId = 2000, Level = LogLevel.Error, EventName = "metrics-export-failed", Message =
        "metrics are not exported to {Collector}: {Error}")]
    public static partial void ExportFailed(ILogger logger, string collector, string error);

    [LoggerMessage(EventId = 2001, Level = LogLevel.Information, EventName = "metrics-export-works", Message =
        "metrics are exported to {Collector} again, after {FailedMs} ms")]
    public static partial void ExportWorks(ILogger logger, string collector, long failedMs);
}
