using System.Globalization;
using Router.Configuration.Hocon;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Admin;

/// <summary>What a list of sessions is sorted by: the largest first, ids upwards.</summary>
internal enum SessionOrder
{
    Id,
    Age,
    Idle,
    Bytes,
    Payloads,

    /// <summary>Bytes of the last second, both ways.</summary>
    Rate,
}

/// <summary>Which sessions are asked for, and in which order. Immutable.</summary>
internal sealed class SessionQuery
{
    public const int LimitMax = 1_000, LimitDefault = 100;

    private string? _listener;
    private string? _route;
    private string? _upstream;
    private string? _identity;
    private PeerFilter? _peer;
    private TimeSpan _ageMin;
    private TimeSpan _idleMin;
    private long _bytesMin;

    public static IReadOnlyList<AdminParameter> Parameters { get; } =
    [
        new("listener", "its name"),
        new("route", "its name"),
        new("peer", "an address, 192.0.2.7; an endpoint, 192.0.2.7:5000; a network, 192.0.2.0/24; unix:NAME"),
        new("upstream", "the endpoint of one, as a session shows it"),
        new("identity", "whole"),
        new("min-age", "a duration: 30s, 5m, 1h"),
        new("min-idle", "a duration without a payload in either direction"),
        new("min-bytes", "a size, both ways: 1MiB"),
        new("sort", "id (default), age, idle, bytes, payloads, or rate: bytes of the last second; the largest first"),
        new("limit", "sessions of a page, 1 to 1000; 100 by default"),
        new("cursor", "what the page before gives as next; with limit alone"),
        new("cluster", "true: of all members of the cluster, the first of all that match; there is no next page"),
    ];

    public SessionOrder Order { get; private set; }

    /// <summary>Reads a query; each fault says what there may be.</summary>
    public static SessionQuery Of(Func<string, string?> parameter) => new()
    {
        _listener = parameter("listener"),
        _route = parameter("route"),
        _upstream = parameter("upstream"),
        _identity = parameter("identity"),
        _peer = parameter("peer") is { } peer
            ? PeerFilter.Parse(peer) ?? throw AdminFault.BadRequest(
                $"peer '{peer}' is no address, endpoint or network: 192.0.2.7, [2001:db8::1]:5000, 192.0.2.0/24")
            : null,
        _ageMin = DurationOf("min-age", parameter("min-age")),
        _idleMin = DurationOf("min-idle", parameter("min-idle")),
        _bytesMin = SizeOf("min-bytes", parameter("min-bytes")),
        Order = OrderOf(parameter("sort")),
    };

    /// <summary>How many a page has.</summary>
    public static int LimitOf(string? text) => text is null
        ? LimitDefault
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            && limit is >= 1 and <= LimitMax
            ? limit
            : throw AdminFault.BadRequest($"limit '{text}' is not within 1 to {LimitMax}");

    /// <summary>On the session's loop. Allocates nothing for peers by IP.</summary>
    public bool Matches(SessionContext session) =>
        (_listener is null || session.Listener == _listener)
        && (_route is null || session.RouteName == _route)
        && (_upstream is null || session.Upstream == _upstream)
        && (_identity is null || session.Identity == _identity)
        && (_peer is null || _peer.Matches(session.PeerAddr))
        && (_ageMin == default || session.AgeMs >= _ageMin.TotalMilliseconds)
        && (_idleMin == default || session.SilentFor >= _idleMin)
        && (_bytesMin == 0 || BytesOf(session) >= _bytesMin);

    /// <summary>What it is sorted by, on its loop. Of a rate the bytes so far.</summary>
    public long KeyOf(SessionContext session) => Order switch
    {
        SessionOrder.Age => session.AgeMs,
        SessionOrder.Idle => (long)session.SilentFor.TotalMilliseconds,
        SessionOrder.Bytes or SessionOrder.Rate => BytesOf(session),
        SessionOrder.Payloads => session.PayloadsReceived + session.PayloadsSent,
        _ => 0,
    };

    private static long BytesOf(SessionContext session) => session.BytesReceived + session.BytesSent;

    private static TimeSpan DurationOf(string name, string? text)
    {
        if (text is null)
        {
            return default;
        }

        var duration = HoconUnits.ParseDuration(text, out var reason);
        return duration >= default(TimeSpan)
            ? duration.Value
            : throw AdminFault.BadRequest(
                $"{name} '{text}' is no duration, as 30s or 5m: {reason ?? "it is below 0"}");
    }

    private static long SizeOf(string name, string? text)
    {
        var reason = "";
        return text is null
            ? 0
            : HoconUnits.ParseSize(text, out reason)
                ?? throw AdminFault.BadRequest($"{name} '{text}' is no size, as 1000 or 1MiB: {reason}");
    }

    private static SessionOrder OrderOf(string? text)
    {
        if (text is null)
        {
            return SessionOrder.Id;
        }

        var words = Enum.GetValues<SessionOrder>().ToDictionary(ClosedSet<SessionOrder>.NameOf, StringComparer.Ordinal);
        return words.TryGetValue(text, out var order)
            ? order
            : throw AdminFault.BadRequest($"sort '{text}' is none of {string.Join(", ", words.Keys)}");
    }
}
