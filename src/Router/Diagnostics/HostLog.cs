using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>
/// Log events of the process: ids 1000-1099. Listed in docs/logs.md; an id is never given to another event.
/// </summary>
/// <remarks>Parameter names are the fields' keys: <c>durationMs</c> is written as <c>duration-ms</c>.</remarks>
internal static partial class HostLog
{
    /// <param name="networkReason">Why this implementation of the sockets is in use.</param>
    [LoggerMessage(EventId = 1000, Level = LogLevel.Information, EventName = "started", Message =
        "Router {Version} started: {Listeners} listeners, {Loops} loops, {Network} sockets " +
        "({NetworkReason}), configuration {Config}, process {Pid}")]
    public static partial void Started(
        ILogger logger,
        string version,
        int listeners,
        int loops,
        string network,
        string networkReason,
        string config,
        int pid);

    [LoggerMessage(EventId = 1001, Level = LogLevel.Information, EventName = "draining", Message =
        "Draining {Sessions} sessions for at most {TimeoutMs} ms, because of {Cause}")]
    public static partial void Draining(ILogger logger, int sessions, long timeoutMs, string cause);

    /// <param name="finished">Sessions that ended by themselves while draining.</param>
    /// <param name="closed">Sessions that were closed when nothing was left to wait for.</param>
    [LoggerMessage(EventId = 1002, Level = LogLevel.Information, EventName = "stopped", Message =
        "Stopped after {UptimeMs} ms: {Finished} sessions finished, {Closed} closed")]
    public static partial void Stopped(ILogger logger, long finished, long closed, long uptimeMs);

    /// <summary>A fault of ours: something failed that supervision had to decide on.</summary>
    [LoggerMessage(EventId = 1003, Level = LogLevel.Error, EventName = "fault", Message =
        "Fault in {Source}")]
    public static partial void Fault(ILogger logger, Exception? exception, string source);

    /// <summary>The figures of one interval over all listeners; sessions is what is open at its end.</summary>
    /// <param name="acceptQueue">Connections waiting to be accepted at its end, over all loops.</param>
    /// <param name="acceptOverflows">Connection attempts the kernel dropped because a queue was full.</param>
    /// <param name="namespaceAcceptOverflows">The same over all processes, since the start; -1 where unknown.</param>
    [LoggerMessage(EventId = 1004, Level = LogLevel.Information, EventName = "stats", Message =
        "{Sessions} sessions, {Opened} opened, {Closed} closed, {Restarts} restarts, in {PayloadsIn} " +
        "payloads {BytesIn} bytes, out {PayloadsOut} payloads {BytesOut} bytes, {Drops} drops in " +
        "{IntervalMs} ms, {AcceptQueue} connections wait, {AcceptOverflows} were dropped before they were accepted " +
        "({NamespaceAcceptOverflows} in the namespace since its start), {ManagedBytes} bytes managed, " +
        "{GcPauses} collections, p99 {GcPauseP99Us} us, longest {GcPauseMaxUs} us, {GcBlocking} of them blocking " +
        "and full")]
    public static partial void Stats(
        ILogger logger,
        long intervalMs,
        long sessions,
        long opened,
        long closed,
        long restarts,
        long payloadsIn,
        long bytesIn,
        long payloadsOut,
        long bytesOut,
        long drops,
        long acceptQueue,
        long acceptOverflows,
        long namespaceAcceptOverflows,
        long managedBytes,
        long gcPauses,
        long gcPauseP99Us,
        long gcPauseMaxUs,
        long gcBlocking);

    /// <summary>Something legal but unwise in the configuration; once per start.</summary>
    /// <param name="warning">Its place, the key, what is unwise and what to do.</param>
    [LoggerMessage(EventId = 1010, Level = LogLevel.Warning, EventName = "config-warning", Message =
        "{Warning}")]
    public static partial void ConfigurationWarning(ILogger logger, string warning);

    /// <summary>What an actor, or the kernel about one, logged by its own logger.</summary>
    /// <param name="source">The actor's path, or the type that logs.</param>
    [LoggerMessage(EventId = 1005, EventName = "actor-log", Message = "{Source}: {Message}")]
    public static partial void ActorLog(
        ILogger logger, LogLevel level, Exception? exception, string source, string message);
}
