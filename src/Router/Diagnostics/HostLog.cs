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
    /// <param name="collector">The garbage collector's mode: <c>sustained-low-latency</c>, <c>interactive</c>.</param>
    [LoggerMessage(EventId = 1000, Level = LogLevel.Information, EventName = "started", Message =
        "Router {Version} started: {Listeners} listeners, {Loops} loops, {Network} sockets " +
        "({NetworkReason}), {Collector} collector, configuration {Config}, process {Pid}")]
    public static partial void Started(
        ILogger logger, string version, int listeners, int loops, string network, string networkReason,
        string collector, string config, int pid);

    [LoggerMessage(EventId = 1001, Level = LogLevel.Information, EventName = "draining", Message =
        "Draining {Sessions} sessions for at most {TimeoutMs} ms, because of {Cause}")]
    public static partial void Draining(ILogger logger, int sessions, long timeoutMs, string cause);

    /// <param name="finished">Sessions that ended by themselves while draining.</param>
    /// <param name="closed">Sessions that were closed when nothing was left to wait for.</param>
    [LoggerMessage(EventId = 1002, Level = LogLevel.Information, EventName = "stopped", Message =
        "Stopped after {UptimeMs} ms: {Finished} sessions finished, {Closed} closed")]
    public static partial void Stopped(ILogger logger, long finished, long closed, long uptimeMs);

    /// <summary>Once a second while draining. The figures are those of now.</summary>
    /// <param name="sessions">Open still.</param>
    /// <param name="waiting">Sessions of this member whose identities have not answered; null without a cluster, as
    /// the next ones.</param>
    /// <param name="checkpointsQueued">Rows that wait for the store.</param>
    /// <param name="identities">Entities that are at this member still.</param>
    [LoggerMessage(EventId = 1018, Level = LogLevel.Information, EventName = "drain-progress", Message =
        "Draining: {Sessions} sessions are open, {Waiting} wait for their identities, {CheckpointsQueued} " +
        "checkpoints for the store, {Identities} identities are here")]
    public static partial void DrainProgress(
        ILogger logger, int sessions, int? waiting, int? checkpointsQueued, long? identities);

    /// <summary>A defect of ours that was contained.</summary>
    [LoggerMessage(EventId = 1003, Level = LogLevel.Error, EventName = "fault", Message =
        "Fault in {Source}")]
    public static partial void Fault(ILogger logger, Exception? exception, string source);

    /// <summary>The figures of one interval over all listeners. <paramref name="sessions"/>, <paramref name="spare"/>
    /// and
    /// <paramref name="acceptQueue"/> are as of its end.</summary>
    /// <param name="namespaceAcceptOverflows">Over all processes, since the start; -1 where unknown.</param>
    [LoggerMessage(EventId = 1004, Level = LogLevel.Information, EventName = "stats", Message =
        "{Sessions} sessions open, {Spare} spare, {Opened} opened, {Closed} closed, {Restarts} restarts, " +
        "in {PayloadsIn} payloads {BytesIn} bytes, out {PayloadsOut} payloads {BytesOut} bytes, {Drops} drops in " +
        "{IntervalMs} ms, {AcceptQueue} connections wait, {AcceptOverflows} were dropped before they were accepted " +
        "({NamespaceAcceptOverflows} in the namespace since its start), {ManagedBytes} bytes managed, " +
        "{GcPauses} collections, p99 {GcPauseP99Us} us, longest {GcPauseMaxUs} us, {GcBlocking} of them blocking " +
        "and full, {LogLinesDropped} log lines were dropped")]
    public static partial void Stats(
        ILogger logger, long intervalMs, long sessions, int spare, long opened, long closed, long restarts,
        long payloadsIn, long bytesIn, long payloadsOut, long bytesOut, long drops, long acceptQueue,
        long acceptOverflows, long namespaceAcceptOverflows, long managedBytes, long gcPauses, long gcPauseP99Us,
        long gcPauseMaxUs, long gcBlocking, long logLinesDropped);

    [LoggerMessage(EventId = 1010, Level = LogLevel.Warning, EventName = "config-warning", Message =
        "{Warning}")]
    public static partial void ConfigurationWarning(ILogger logger, string warning);

    /// <summary>What an actor, or Akka about one, logged by Akka's logger.</summary>
    /// <param name="source">The actor's path, or the type that logs.</param>
    /// <param name="suppressed">Failures of the same kind since the last one, not written down.</param>
    [LoggerMessage(EventId = 1005, EventName = "actor-log", Message =
        "{Source}: {Message} ({Suppressed} not logged)")]
    public static partial void ActorLog(
        ILogger logger, LogLevel level, Exception? exception, string source, string message, long suppressed);

    /// <summary>The configuration was read again and is in force. Lists hold names separated by one space.</summary>
    /// <param name="cause">A signal, a changed file, or the program.</param>
    /// <param name="revision">The start is 1; grows by one with every reload that is applied.</param>
    /// <param name="upstreamsAdded">As <c>ROUTE/HOST:PORT</c>.</param>
    /// <param name="keys">Every key whose value has changed, of what was there before and still is.</param>
    [LoggerMessage(EventId = 1006, Level = LogLevel.Information, EventName = "reloaded", Message =
        "Configuration {Revision} in force after {DurationMs} ms, because of {Cause}: listeners added " +
        "[{ListenersAdded}], removed [{ListenersRemoved}], changed [{ListenersChanged}]; routes added " +
        "[{RoutesAdded}], removed [{RoutesRemoved}], changed [{RoutesChanged}]; upstreams added " +
        "[{UpstreamsAdded}], removed [{UpstreamsRemoved}]; keys changed [{Keys}]")]
    public static partial void Reloaded(
        ILogger logger, string cause, long revision, long durationMs, string listenersAdded, string listenersRemoved,
        string listenersChanged, string routesAdded, string routesRemoved, string routesChanged,
        string upstreamsAdded, string upstreamsRemoved, string keys);

    /// <summary>One line per fault.</summary>
    [LoggerMessage(EventId = 1007, Level = LogLevel.Error, EventName = "reload-refused", Message =
        "Configuration refused, nothing changed (fault {Number} of {Faults}, read because of {Cause}): {Fault}")]
    public static partial void ReloadRefused(ILogger logger, string cause, string fault, int number, int faults);

    /// <summary>One line per key.</summary>
    [LoggerMessage(EventId = 1008, Level = LogLevel.Warning, EventName = "reload-needs-restart", Message =
        "{Key} at {Place} has changed; it takes effect at the next start")]
    public static partial void ReloadNeedsRestart(ILogger logger, string key, string place);

    [LoggerMessage(EventId = 1009, Level = LogLevel.Information, EventName = "collections-held", Message =
        "Collections of the whole heap are held off, at {Sessions} sessions and {HeapBytes} bytes")]
    public static partial void CollectionsHeld(ILogger logger, int sessions, long heapBytes);

    /// <param name="cause"><c>heap</c>, <c>memory</c>, or <c>sessions</c>.</param>
    [LoggerMessage(EventId = 1011, Level = LogLevel.Information, EventName = "collections-released", Message =
        "Collections of the whole heap are held off no more, because of {Cause}, at {Sessions} sessions and " +
        "{HeapBytes} bytes")]
    public static partial void CollectionsReleased(ILogger logger, string cause, int sessions, long heapBytes);

    [LoggerMessage(EventId = 1012, Level = LogLevel.Information, EventName = "sessions-prepared", Message =
        "{Sessions} sessions prepared in {DurationMs} ms")]
    public static partial void SessionsPrepared(ILogger logger, int sessions, long durationMs);

    /// <summary>Messages told to actors that are gone, or that did not fit a mailbox; at most once a second.</summary>
    /// <param name="recipient">The path that the latest one was sent to.</param>
    /// <param name="message">The latest one's type.</param>
    [LoggerMessage(EventId = 1013, Level = LogLevel.Information, EventName = "dead-letters", Message =
        "{Count} messages to actors were not delivered, at last a {Message} to {Recipient}")]
    public static partial void DeadLetters(ILogger logger, long count, string recipient, string message);

    /// <summary>A signal that neither stops nor reloads.</summary>
    [LoggerMessage(EventId = 1015, Level = LogLevel.Information, EventName = "signal", Message =
        "{Signal}: {Effect}")]
    public static partial void Signal(ILogger logger, string signal, string effect);

    /// <summary>A loop has not turned for <c>stall-timeout</c>.</summary>
    /// <param name="handler">The type whose turn it is; null between turns, or where it is no session's.</param>
    /// <param name="thread">The loop's, by its number in the system, by which tools find its stack.</param>
    /// <param name="state">The thread's: <c>running</c>, <c>sleeping</c>, <c>disk</c>, <c>stopped</c>.</param>
    /// <param name="cpuPercent">Of one processor, since the loop was first seen to be late.</param>
    [LoggerMessage(EventId = 1016, Level = LogLevel.Warning, EventName = "loop-stalled", Message =
        "Loop {Loop} has not turned for {StalledMs} ms: handler {Handler}, session {Session}, listener {Listener}, " +
        "thread {Thread} {State}, {CpuPercent} % of a processor")]
    public static partial void LoopStalled(
        ILogger logger, int loop, long stalledMs, string? handler, string? session, string? listener, int thread,
        string? state, int? cpuPercent);

    [LoggerMessage(EventId = 1017, Level = LogLevel.Information, EventName = "loop-turns", Message =
        "Loop {Loop} turns again after {StalledMs} ms")]
    public static partial void LoopTurns(ILogger logger, int loop, long stalledMs);

    [LoggerMessage(EventId = 1014, Level = LogLevel.Error, EventName = "actor-stopped", Message =
        "{Actor} was stopped from outside the router; {Outcome}")]
    public static partial void ActorStopped(ILogger logger, string actor, string outcome);
}
