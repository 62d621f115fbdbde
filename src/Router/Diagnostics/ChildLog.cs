using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>
/// Log events of child processes: ids 1600-1699. Listed in docs/logs.md; an id is never given to another event.
/// </summary>
internal static partial class ChildLog
{
    [LoggerMessage(EventId = 1600, Level = LogLevel.Debug, EventName = "child-started", Message =
        "Session {Session} of {Listener}, route {Route}: child {Pid} started, {Program}")]
    public static partial void Started(
        ILogger logger, string session, string listener, string route, int pid, string program);

    /// <summary>At most one a second and route.</summary>
    /// <param name="suppressed">The same since the last such event that were not written down.</param>
    [LoggerMessage(EventId = 1601, Level = LogLevel.Warning, EventName = "child-not-started", Message =
        "Session {Session} of {Listener}, route {Route}: {Program} could not be started: {Error}; " +
        "{Suppressed} not logged")]
    public static partial void NotStarted(
        ILogger logger, string session, string listener, string route, string program, string error,
        long suppressed);

    /// <summary>A line of the child's standard error; at most the route's stderr-lines a second.</summary>
    /// <param name="suppressed">Lines before it that were not written down.</param>
    [LoggerMessage(EventId = 1602, Level = LogLevel.Information, EventName = "child-stderr", Message =
        "Session {Session} of {Listener}, route {Route}: child {Pid} says {Text}; {Suppressed} lines not logged")]
    public static partial void Said(
        ILogger logger, string session, string listener, string route, int pid, string text, long suppressed);

    /// <param name="status">Its exit status; -1 where a signal ended it.</param>
    /// <param name="signal">The signal that ended it, or 0.</param>
    /// <param name="suppressed">Lines of its standard error not written down since the last that was.</param>
    [LoggerMessage(EventId = 1603, Level = LogLevel.Information, EventName = "child-exited", Message =
        "Session {Session} of {Listener}, route {Route}: child {Pid} ended with status {Status}, signal {Signal}, " +
        "after {DurationMs} ms; {Suppressed} lines not logged")]
    public static partial void Exited(
        ILogger logger, string session, string listener, string route, int pid, int status, int signal,
        long durationMs, long suppressed);
}
