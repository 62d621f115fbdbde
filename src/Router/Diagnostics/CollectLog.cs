using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>
/// Log events of collect routes: ids 1400-1499. Listed in docs/logs.md; an id is never given to another event.
/// </summary>
internal static partial class CollectLog
{
    /// <summary>Once, until <see cref="Recovered"/>.</summary>
    /// <param name="sink">The file, the upstream, or the handler's name.</param>
    [LoggerMessage(EventId = 1400, Level = LogLevel.Error, EventName = "collect-failed", Message =
        "The sink {Sink} of route {Route} fails; next try in {RetryMs} ms")]
    public static partial void Failed(ILogger logger, Exception exception, string route, string sink, long retryMs);

    [LoggerMessage(EventId = 1401, Level = LogLevel.Information, EventName = "collect-recovered", Message =
        "The sink {Sink} of route {Route} works again")]
    public static partial void Recovered(ILogger logger, string route, string sink);

    [LoggerMessage(EventId = 1402, Level = LogLevel.Error, EventName = "collect-lost", Message =
        "{Windows} windows with {Payloads} payloads of route {Route} were lost: {Sink} did not take them")]
    public static partial void Lost(
        ILogger logger, Exception? exception, string route, string sink, long windows, long payloads);

    /// <summary>A payload, for routes whose sink is the log.</summary>
    /// <param name="at">When it came.</param>
    /// <param name="encoding">Of <paramref name="payload"/>: <c>text</c> or <c>base64</c>.</param>
    [LoggerMessage(EventId = 1403, Level = LogLevel.Information, EventName = "collected", Message =
        "Window {Window} of route {Route}, listener {Listener}, session {Session}, peer {Peer} at {At}: " +
        "{Encoding} {Payload}")]
    public static partial void Collected(
        ILogger logger, string route, string listener, long window, string session, string peer, DateTimeOffset at,
        string encoding, string payload);
}
