using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>Log events of the store of checkpoints: ids 1700-1799. Listed in docs/logs.md; an id is never given to
/// another event.</summary>
internal static partial class CheckpointLog
{
    /// <summary>Once, until <see cref="StoreBack"/>; at most once in ten seconds.</summary>
    /// <param name="store"><c>postgres</c>, <c>sqlite</c> or <c>memory</c>.</param>
    /// <param name="suppressed">Losses since the last that was told.</param>
    [LoggerMessage(EventId = 1700, Level = LogLevel.Error, EventName = "checkpoint-store-lost", Message =
        "The {Store} store of checkpoints is not to be had: they wait ({Suppressed} times not told)")]
    public static partial void StoreLost(ILogger logger, Exception exception, string store, long suppressed);

    [LoggerMessage(EventId = 1701, Level = LogLevel.Information, EventName = "checkpoint-store-back", Message =
        "The {Store} store of checkpoints is back after {LostMs} ms and {Failures} tries that failed")]
    public static partial void StoreBack(ILogger logger, string store, long lostMs, long failures);

    /// <summary>At most once in ten seconds.</summary>
    /// <param name="exception">Why the store refused one of them; null where the queue was full, or ended.</param>
    /// <param name="rows">Since the last that was told.</param>
    [LoggerMessage(EventId = 1702, Level = LogLevel.Error, EventName = "checkpoints-lost", Message =
        "{Rows} checkpoints were lost on their way to the {Store} store")]
    public static partial void RowsLost(ILogger logger, Exception? exception, string store, long rows);
}
