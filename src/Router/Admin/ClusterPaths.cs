using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Akka.Cluster;
using Microsoft.AspNetCore.Http;
using Router.Cluster.Members;
using Router.Cluster.Operations;
using Router.Diagnostics;

namespace Router.Admin;

/// <summary>The members of the router's cluster and their identities, from any member.</summary>
internal sealed class ClusterPaths(AdminHost host)
{
    private const int LimitMax = 1_000, LimitDefault = 100;

    /// <summary>A member that does not answer within it is named.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan ReloadTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Left of a request's time for all but the members.</summary>
    private static readonly TimeSpan ReplyTime = TimeSpan.FromSeconds(1);

    public IReadOnlyList<AdminPath> All =>
    [
        new(HttpMethods.Get, "/cluster", "cluster", "the members of the cluster", MembersAsync)
        {
            Result = typeof(ClusterReport),
        },
        new(HttpMethods.Get, "/cluster/identities", "cluster-identities",
            "how many identities each member has, and those that sessions speak for", IdentitiesAsync)
        {
            Result = typeof(IdentitiesReport),
            Parameters =
            [
                new("prefix", "of their names"),
                new("after", "names behind this one: what the page before gives as next"),
                new("limit", "identities of a page, 0 to 1000; 100 by default"),
            ],
        },
        new(HttpMethods.Get, "/cluster/identity", "cluster-identity", "all that is known of an identity", IdentityAsync)
        {
            Result = typeof(IdentityReport),
            Parameters = [new("name", "whole")],
        },
        new(HttpMethods.Post, "/cluster/reload", "cluster-reload",
            "has the members reload, one after the other, until one refuses", ReloadAsync)
        {
            Result = typeof(ClusterReloadReport),
            Parameters = [new("member", "this one alone, by its address; all by default")],
        },
    ];

    public static AdminFault NoCluster() => new(
        StatusCodes.Status404NotFound, "There is no cluster",
        "this router is a member of no cluster: its configuration has no router.cluster { }");

    private ClusterMember Member => host.Engine.Member ?? throw NoCluster();

    private async Task MembersAsync(AdminRequest request)
    {
        var asks = Member.Asks;
        var question = new MemberQuestion(
            MemberAnswers.Facts,
            JsonSerializer.Serialize(Member.Configuration, AdminJson.Default.ConfigurationTold));
        var answers = await asks.AskAllAsync(question, AnswerTimeout, request.End).ConfigureAwait(false);
        var facts = Read(answers, AdminJson.Default.MemberFactsReport, out var unanswered, out var refused)
            .ToDictionary(static pair => pair.Member, static pair => pair.Report);
        var oldest = answers.Select(static pair => pair.Member)
            .Aggregate((Member?)null, static (old, next) => old is null || next.IsOlderThan(old) ? next : old);
        var members = asks.Members.Select(member => new MemberReport(
            MemberTable.TextOf(member.Address),
            [.. member.Roles.Order(StringComparer.Ordinal)],
            Kebab.From($"{member.Status}"),
            asks.IsReachable(member),
            member.Address.Equals(asks.Leader),
            member.Equals(oldest),
            facts.GetValueOrDefault(MemberTable.TextOf(member.Address))));
        await request.ReplyAsync(
            new ClusterReport(Member.Table.Self, [.. members], unanswered, refused),
            AdminJson.Default.ClusterReport).ConfigureAwait(false);
    }

    private async Task IdentitiesAsync(AdminRequest request)
    {
        var limit = LimitOf(request.Query("limit"));
        var query = new IdentityListQuery(request.Query("prefix") ?? "", request.Query("after") ?? "", limit);
        var question = new MemberQuestion(
            MemberAnswers.Identities, JsonSerializer.Serialize(query, AdminJson.Default.IdentityListQuery));
        var answers = await Member.Asks.AskAllAsync(question, AnswerTimeout, request.End).ConfigureAwait(false);
        var slices = Read(answers, AdminJson.Default.IdentitySliceReport, out var unanswered, out var refused);
        var all = slices.SelectMany(static slice => slice.Report.Identities)
            .OrderBy(static session => session.Identity, StringComparer.Ordinal)
            .ToList();
        var page = all.Take(limit).ToList();
        var hasMore = all.Count > page.Count || slices.Any(static slice => slice.Report.HasMore);
        await request.ReplyAsync(
            new IdentitiesReport(
                [.. slices.Select(static slice => slice.Report.Counts)],
                page,
                hasMore && page.Count > 0 ? page[^1].Identity : null,
                unanswered,
                refused),
            AdminJson.Default.IdentitiesReport).ConfigureAwait(false);
    }

    private async Task IdentityAsync(AdminRequest request)
    {
        var member = Member;
        var name = request.Query("name") is { Length: > 0 } given
            ? given
            : throw AdminFault.BadRequest("name is missing: /cluster/identity?name=device-42");
        var answers = await member.Asks
            .AskAllAsync(new MemberQuestion(MemberAnswers.Identity, name), AnswerTimeout, request.End)
            .ConfigureAwait(false);
        var parts = Read(answers, AdminJson.Default.IdentityPartReport, out var unanswered, out var refused);
        var report = new IdentityReport(
            name,
            [.. parts.Select(static part => part.Report.Entity).OfType<IdentityEntityReport>()],
            [.. parts.SelectMany(static part => part.Report.Sessions)],
            null,
            unanswered,
            refused);
        if (report.Entities.Count + report.Sessions.Count == 0)
        {
            report = report with { Stored = await StoredAsync(report, request.End).ConfigureAwait(false) };
        }

        await request.ReplyAsync(report, AdminJson.Default.IdentityReport).ConfigureAwait(false);
    }

    /// <summary>What this member's store keeps of an identity that no member knows.</summary>
    private async Task<IdentityStoredReport> StoredAsync(IdentityReport report, CancellationToken end)
    {
        var name = report.Identity;
        var silent = report.Unanswered.Count == 0 ? "" : $"; no answer of {string.Join(", ", report.Unanswered)}";
        silent += string.Concat(report.Refused.Select(static one => $"; {one.Member} refuses to answer: {one.Fault}"));
        var nobody = $"no member has a session or a state of '{name}' now{silent}";
        try
        {
            return await Member.Checkpoints.FindAsync(name, end).ConfigureAwait(false) is { } kept
                ? new IdentityStoredReport(kept.Epoch, kept.Revision, kept.State.Length)
                : throw new AdminFault(
                    StatusCodes.Status404NotFound, "Nobody knows the identity",
                    $"{nobody}, and no store has a checkpoint of it");
        }
        catch (Exception failure) when (failure is not (AdminFault or OperationCanceledException))
        {
            throw new AdminFault(
                StatusCodes.Status503ServiceUnavailable, "The store does not answer",
                $"{nobody}; whether the store keeps a checkpoint of it is not known: {failure.Message}");
        }
    }

    private async Task ReloadAsync(AdminRequest request)
    {
        var asks = Member.Asks;
        var all = asks.Members.Where(MemberAsks.IsRouter).ToList();
        var wanted = request.Query("member");
        var asked = wanted is null
            ? all
            : all.Where(member => MemberTable.TextOf(member.Address) == wanted).ToList();
        if (asked.Count == 0)
        {
            var known = string.Join(", ", all.Select(static one => MemberTable.TextOf(one.Address)));
            throw new AdminFault(
                StatusCodes.Status404NotFound, "There is no such member", $"'{wanted}' is none of {known}");
        }

        if (all.Find(member => !asks.IsReachable(member)) is { } lost)
        {
            throw new AdminFault(
                StatusCodes.Status409Conflict, "A member is not heard of",
                $"{MemberTable.TextOf(lost.Address)} could not follow; nothing has changed on "
                + $"{wanted ?? "any member"}: wait until it is heard of or removed");
        }

        var results = await ReloadInTurnAsync(asked, member => ReloadAsync(request, asks, member), host.Time)
            .ConfigureAwait(false);
        await request.ReplyAsync(
            new ClusterReloadReport(
                results.Count == asked.Count && results.TrueForAll(static result => result.Result == "done"),
                results,
                [.. asked.Skip(results.Count).Select(static member => MemberTable.TextOf(member.Address))]),
            AdminJson.Default.ClusterReloadReport).ConfigureAwait(false);
    }

    /// <summary>Has one after the other reload, until one is not done, or the request could end before the next has
    /// answered: then nobody would be told of those that have.</summary>
    /// <param name="asked">At least one.</param>
    /// <param name="reload">Takes <see cref="ReloadTimeout"/> at most.</param>
    /// <param name="time">The clock.</param>
    /// <returns>Of the first ones of those asked.</returns>
    internal static async Task<List<MemberReloadReport>> ReloadInTurnAsync<T>(
        IReadOnlyList<T> asked, Func<T, Task<MemberReloadReport>> reload, TimeProvider time)
    {
        var began = time.GetTimestamp();
        var results = new List<MemberReloadReport>();
        do
        {
            results.Add(await reload(asked[results.Count]).ConfigureAwait(false));
        }
        while (results.Count < asked.Count
            && results[^1].Result == "done"
            && time.GetElapsedTime(began) + ReloadTimeout + ReplyTime <= AdminGuard.RequestTimeout);
        return results;
    }

    /// <summary>Not given up with its client: it goes on anyway, and the member's log says what became of it.</summary>
    private async Task<MemberReloadReport> ReloadAsync(AdminRequest request, MemberAsks asks, Member member)
    {
        var address = MemberTable.TextOf(member.Address);
        var peer = AdminPeer.Of(request.Http);
        var query = new MemberReloadQuery($"{peer.Text} at {Member.Table.Self}", peer.ProcessId, peer.UserId);
        var question = new MemberQuestion(
            MemberAnswers.Reload, JsonSerializer.Serialize(query, AdminJson.Default.MemberReloadQuery));
        var isAsked = asks.IsReachable(member);
        var answer = isAsked
            ? await asks.AskAsync(member, question, ReloadTimeout, request.End).ConfigureAwait(false)
            : null;
        var result = ResultOf(address, isAsked, answer);
        request.LogChange("cluster-reload", address, null, result.Result);
        return result;
    }

    /// <summary>What became of reloading a member.</summary>
    /// <param name="address">The member's.</param>
    /// <param name="isAsked">False for one that was not heard of when its turn came.</param>
    /// <param name="answer">Null for none in time.</param>
    internal static MemberReloadReport ResultOf(string address, bool isAsked, MemberAnswer? answer) => answer switch
    {
        null when !isAsked => new MemberReloadReport(
            address, "not-asked", null, [], [],
            [$"{address} is not heard of, so it was not asked; nothing has changed on it: wait until it is heard of or "
                + "removed, and reload again"]),
        null => new MemberReloadReport(
            address, "no-answer", null, [], [],
            [$"{address} has not answered within {ReloadTimeout.TotalSeconds} s: it may have reloaded or not"]),
        { IsOk: true } => JsonSerializer.Deserialize(answer.Json, AdminJson.Default.MemberReloadReport)!,
        _ => new MemberReloadReport(address, "refused", null, [], [], [FaultOf(answer)]),
    };

    /// <summary>What members answered.</summary>
    /// <param name="answers">Of all that were asked, or were to be.</param>
    /// <param name="type">Of an answer.</param>
    /// <param name="unanswered">Those that are not heard of, or have not answered in time.</param>
    /// <param name="refused">Those that have answered why they cannot.</param>
    internal static List<(string Member, T Report)> Read<T>(
        IReadOnlyList<(Member Member, MemberAnswer? Answer)> answers, JsonTypeInfo<T> type,
        out IReadOnlyList<string> unanswered, out IReadOnlyList<MemberFaultReport> refused)
    {
        unanswered =
        [
            .. from pair in answers
               where pair.Answer is null
               select MemberTable.TextOf(pair.Member.Address),
        ];
        refused =
        [
            .. from pair in answers
               where pair.Answer is { IsOk: false }
               select new MemberFaultReport(MemberTable.TextOf(pair.Member.Address), FaultOf(pair.Answer)),
        ];
        return
        [
            .. from pair in answers
               where pair.Answer is { IsOk: true }
               select (MemberTable.TextOf(pair.Member.Address), JsonSerializer.Deserialize(pair.Answer.Json, type)!),
        ];
    }

    internal static string FaultOf(MemberAnswer answer) =>
        JsonSerializer.Deserialize(answer.Json, AdminJson.Default.ProblemReport)!.Detail;

    private static int LimitOf(string? text) => text is null
        ? LimitDefault
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit <= LimitMax
            ? limit
            : throw AdminFault.BadRequest($"limit '{text}' is not within 0 to {LimitMax}");
}
