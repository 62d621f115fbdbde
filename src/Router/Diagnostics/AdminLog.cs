using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Diagnostics;

/// <summary>
/// Log events of the admin endpoint: ids 1800-1899. Listed in docs/logs.md; an id is never given to another event.
/// </summary>
internal static partial class AdminLog
{
    [LoggerMessage(EventId = 1800, Level = LogLevel.Information, EventName = "admin-listening", Message =
        "Admin endpoint at {Address}, TLS {Tls}, token {Token}")]
    public static partial void Listening(ILogger logger, string address, bool tls, bool token);

    /// <summary>Somebody has changed something through the endpoint, or tried to.</summary>
    /// <param name="action">A word: <c>log-level</c>, <c>reload</c>, <c>drain</c>.</param>
    /// <param name="target">What of: a session's id, a listener's name; null for the router.</param>
    /// <param name="value">What it was set to; null where there is no such thing.</param>
    /// <param name="outcome"><c>done</c>, or why it was refused.</param>
    [LoggerMessage(EventId = 1801, Level = LogLevel.Information, EventName = "admin-changed", Message =
        "Admin {Peer} (process {PeerPid}, user {PeerUid}) asked for {Action} of {Target}, {Value}: {Outcome}")]
    public static partial void Changed(
        ILogger logger, string peer, int? peerPid, uint? peerUid, string action, string? target, string? value,
        string outcome);

    /// <summary>Requests that may not be made; at most once a second.</summary>
    /// <param name="reason"><c>token</c>, <c>host</c> or <c>origin</c>.</param>
    /// <param name="count">Since the last such line.</param>
    [LoggerMessage(EventId = 1802, Level = LogLevel.Warning, EventName = "admin-refused", Message =
        "Admin {Peer} (process {PeerPid}, user {PeerUid}) was refused {Method} {Path}, for its {Reason}; {Count} " +
        "such requests")]
    public static partial void Refused(
        ILogger logger, string peer, int? peerPid, uint? peerUid, string method, string path, string reason,
        long count);
}
