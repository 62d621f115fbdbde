using System.Text.Json;
using Router.Cluster.Members;
using Router.Cluster.Operations;

namespace Router.Admin;

/// <summary>The sessions of all members, as one page.</summary>
internal static class ClusterSessions
{
    /// <summary>A rate takes a second, and a million sessions two.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Asks each member for a page, and takes the first of all.</summary>
    public static async Task<SessionPageReport> AskAsync(
        MemberAsks asks, Func<string, string?> parameter, SessionOrder order, int limit, CancellationToken end)
    {
        var parameters = SessionQuery.Parameters
            .Select(each => (each.Name, Value: parameter(each.Name)))
            .Where(static pair => pair.Value is not null)
            .ToDictionary(static pair => pair.Name, static pair => pair.Value!, StringComparer.Ordinal);
        var question = new MemberQuestion(
            MemberAnswers.Sessions,
            JsonSerializer.Serialize(parameters, AdminJson.Default.DictionaryStringString));
        var answers = await asks.AskAllAsync(question, AnswerTimeout, end).ConfigureAwait(false);
        var pages = ClusterPaths.Read(answers, AdminJson.Default.SessionPageReport, out _, out _);
        var sessions = pages.SelectMany(static page =>
            page.Report.Sessions.Select(session => session with { Member = page.Member }));
        var members = answers.Select(answer => new SessionMemberReport(
            MemberTable.TextOf(answer.Member.Address),
            answer.Answer is { IsOk: true } ok
                ? JsonSerializer.Deserialize(ok.Json, AdminJson.Default.SessionPageReport)!.Matched
                : null,
            answer.Answer switch
            {
                null => "no answer",
                { IsOk: false } fault => ClusterPaths.FaultOf(fault),
                _ => null,
            }));
        return new SessionPageReport(
            [.. Sorted(sessions, order).Take(limit)], pages.Sum(static page => page.Report.Matched), null)
        {
            Members = [.. members],
        };
    }

    private static IEnumerable<SessionReport> Sorted(IEnumerable<SessionReport> sessions, SessionOrder order) =>
        sessions
            .OrderByDescending(session => order switch
            {
                SessionOrder.Age => session.AgeMs,
                SessionOrder.Idle => session.IdleMs,
                SessionOrder.Bytes => session.BytesIn + session.BytesOut,
                SessionOrder.Payloads => session.PayloadsIn + session.PayloadsOut,
                SessionOrder.Rate => session.BytesPerSecond ?? 0,
                _ => 0,
            })
            .ThenBy(static session => session.Session, StringComparer.Ordinal);
}
