using System.Net;
using Router.Configuration;
using Router.Configuration.Hocon;

namespace Router.CommandLine.Top;

/// <summary>What is typed to have fewer sessions: words that all hold, as the page takes them.</summary>
internal static class TopFilter
{
    /// <summary>Names of fields, and the parameters of <c>/sessions</c> for them.</summary>
    private static readonly Dictionary<string, string> Fields = new(StringComparer.Ordinal)
    {
        ["listener"] = "listener",
        ["route"] = "route",
        ["peer"] = "peer",
        ["upstream"] = "upstream",
        ["identity"] = "identity",
        ["age"] = "min-age",
        ["idle"] = "min-idle",
        ["bytes"] = "min-bytes",
    };

    /// <summary>The query of <c>/sessions</c>.</summary>
    public static string QueryOf(string filter, string sort, int limit) =>
        FormattableString.Invariant($"sort={sort}&limit={limit}") + string.Concat(
            Words(filter).Select(static word => $"&{word.Parameter}={Uri.EscapeDataString(word.Value)}"));

    /// <summary>Whether a session of a log has all the words.</summary>
    public static bool Has(TopSession session, string filter) =>
        Words(filter).All(word => Has(session, word.Parameter, word.Value));

    /// <summary>Of a log's sessions those with the words, in order.</summary>
    public static IReadOnlyList<TopSession> Pick(
        IEnumerable<TopSession> sessions, string filter, string sort, out long matched)
    {
        var all = sessions.Where(session => Has(session, filter)).ToList();
        matched = all.Count;
        return [.. all.OrderByDescending(session => sort switch
        {
            "rate" => session.BytesPerSecond ?? 0,
            "payloads" => session.PayloadsIn + session.PayloadsOut,
            "age" => session.AgeMs,
            "idle" => session.IdleMs ?? 0,
            _ => session.BytesIn + (double)session.BytesOut,
        })];
    }

    private static bool Has(TopSession session, string parameter, string value) => parameter switch
    {
        "listener" => session.Listener.Contains(value, StringComparison.Ordinal),
        "route" => session.Route.Contains(value, StringComparison.Ordinal),
        "upstream" => session.Upstream?.Contains(value, StringComparison.Ordinal) == true,
        "identity" => false,   // no record has it
        "min-age" => session.AgeMs >= MillisecondsOf(value),
        "min-idle" => session.IdleMs >= MillisecondsOf(value),
        "min-bytes" => session.BytesIn + (double)session.BytesOut >= HoconUnits.ParseSize(value, out _),
        _ => IPNetwork.TryParse(value, out var network)
            ? IPEndPoint.TryParse(session.Peer, out var peer) && network.Contains(Endpoints.Plain(peer.Address))
            : session.Peer.Contains(value, StringComparison.Ordinal),
    };

    /// <summary>Null, which nothing is compared with, for what is no duration.</summary>
    private static double? MillisecondsOf(string text) => HoconUnits.ParseDuration(text, out _)?.TotalMilliseconds;

    private static IEnumerable<(string Parameter, string Value)> Words(string filter)
    {
        foreach (var word in filter.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = word.IndexOf(':', StringComparison.Ordinal);
            yield return colon > 0 && Fields.TryGetValue(word[..colon], out var parameter)
                ? (parameter, word[(colon + 1)..])
                : ("peer", word);
        }
    }
}
