using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>
/// Log events of upstreams: ids 1300-1399. Listed in docs/logs.md; an id is never given to another event.
/// </summary>
internal static partial class UpstreamLog
{
    /// <summary>A name resolved for the first time, or to other addresses than before.</summary>
    /// <param name="upstream">As configured, name and port.</param>
    /// <param name="addresses">Separated by one space.</param>
    [LoggerMessage(EventId = 1300, Level = LogLevel.Information, EventName = "upstream-resolved", Message =
        "Upstream {Upstream} of route {Route} resolved to {Addresses}")]
    public static partial void Resolved(ILogger logger, string route, string upstream, string addresses);

    /// <summary>Once, until the name resolves again.</summary>
    /// <param name="kept">Addresses of the last good answer that stay in use.</param>
    [LoggerMessage(EventId = 1301, Level = LogLevel.Warning, EventName = "upstream-unresolved", Message =
        "Upstream {Upstream} of route {Route} does not resolve: {Error}; {Kept} addresses stay in use, " +
        "next try in {RetryMs} ms")]
    public static partial void Unresolved(
        ILogger logger, string route, string upstream, string error, int kept, long retryMs);

    /// <summary>Once per name, or endpoint that a name leads to.</summary>
    /// <param name="address">The endpoint, or "-" where it is the name.</param>
    [LoggerMessage(EventId = 1302, Level = LogLevel.Warning, EventName = "upstream-refused", Message =
        "Upstream {Upstream} of route {Route} is left off at {Address}: {Error}")]
    public static partial void Refused(ILogger logger, string route, string upstream, string address, string error);

    /// <summary>At most once a second and upstream.</summary>
    /// <param name="upstreamLocal">The session's own endpoint, of the last of them; null without a socket.</param>
    /// <param name="error">The errno's name and text, and what to do.</param>
    /// <param name="count">Failures since the last such event.</param>
    [LoggerMessage(EventId = 1303, Level = LogLevel.Warning, EventName = "upstream-failed", Message =
        "Upstream {Upstream} of route {Route} failed {Count} times, now from {UpstreamLocal}: {Error}")]
    public static partial void Failed(
        ILogger logger, string route, string upstream, string? upstreamLocal, string error, int count);
}
