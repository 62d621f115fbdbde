using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Router.Cluster.Identities;
using Router.Cluster.Members;
using Router.Cluster.Operations;
using Router.Diagnostics;
using Router.Reporting;
using Router.Running;

namespace Router.Admin;

/// <summary>What a member answers when operators ask at any member. It needs no admin endpoint of its own. Any thread.
/// </summary>
internal sealed class MemberAnswers : IDisposable
{
    public const string Facts = "facts", Identities = "identities", Identity = "identity", Reload = "reload",
        Sessions = "sessions";

    /// <summary>Within a member.</summary>
    private static readonly TimeSpan LocalTimeout = TimeSpan.FromSeconds(2);

    private readonly RouterEngine _engine;
    private readonly ClusterMember _member;
    private readonly ILogger _log;
    private readonly SessionPages _sessions;

    private MemberAnswers(RouterEngine engine, ClusterMember member, ILogger log, TimeProvider time)
    {
        (_engine, _member, _log) = (engine, member, log);
        var sweeps = new SessionSweeps(
            engine.Loops, () => [.. engine.Stats.ReadShards().Select(static each => each.Shard)], time);
        _sessions = new SessionPages(sweeps, time);
    }

    /// <summary>Has a router answer, until it ends; nothing for one that is no member.</summary>
    public static void Start(RouterEngine engine, ILogger log, TimeProvider time)
    {
        if (engine.Member is { } member)
        {
            var answers = new MemberAnswers(engine, member, log, time);
            member.Answer(answers.AnswerAsync);
            _ = engine.Ended.ContinueWith(
                static (_, answers) => ((MemberAnswers)answers!).Dispose(), answers, CancellationToken.None,
                TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    public void Dispose() => _sessions.Dispose();

    public async Task<MemberAnswer> AnswerAsync(MemberQuestion question, CancellationToken end)
    {
        try
        {
            return question.Topic switch
            {
                Facts => Of(FactsFor(Read(question, AdminJson.Default.ConfigurationTold)),
                    AdminJson.Default.MemberFactsReport),
                Identities => Of(
                    await ListAsync(Read(question, AdminJson.Default.IdentityListQuery), end).ConfigureAwait(false),
                    AdminJson.Default.IdentitySliceReport),
                Identity => Of(
                    await FindAsync(question.Argument, end).ConfigureAwait(false),
                    AdminJson.Default.IdentityPartReport),
                Reload => await ReloadAsync(Read(question, AdminJson.Default.MemberReloadQuery), end)
                    .ConfigureAwait(false),
                Sessions => Of(
                    await SessionsAsync(Read(question, AdminJson.Default.DictionaryStringString), end)
                        .ConfigureAwait(false),
                    AdminJson.Default.SessionPageReport),
                _ => Of(new AdminFault(
                    501, "The member does not know this",
                    $"it runs {RouterVersion.Text}, which cannot answer '{question.Topic}'")),
            };
        }
        catch (AdminFault fault)
        {
            return Of(fault);
        }
        catch (AskTimeoutException)
        {
            return Of(new AdminFault(503, "The member is busy", "its sessions' hub has not answered in time"));
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            HostLog.Fault(_log, failure, $"cluster {question.Topic}");
            return Of(new AdminFault(500, "The member failed to answer", "its log has a line 'fault' about it"));
        }
    }

    private static MemberAnswer Of<T>(T report, JsonTypeInfo<T> type) =>
        new(200, JsonSerializer.Serialize(report, type));

    private static MemberAnswer Of(AdminFault fault) => new(
        fault.Status,
        JsonSerializer.Serialize(
            new ProblemReport(fault.Title, fault.Status, fault.Message, "", fault.Faults),
            AdminJson.Default.ProblemReport));

    private static T Read<T>(MemberQuestion question, JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(question.Argument, type)!;

    private MemberFactsReport FactsFor(ConfigurationTold theirs)
    {
        var reasons = HealthPaths.ReasonsOf(_engine).ToList();
        return new MemberFactsReport(
            RouterVersion.Text,
            reasons.Count == 0,
            reasons,
            _engine.Revision,
            _member.Configuration.Hash,
            _member.DifferenceFrom(theirs),
            _engine.Stats.Sessions,
            _member.Figures.Attached,
            _member.Figures.Waiting,
            _member.Counters.Entities,
            _member.Counters.Queued,
            (long)_engine.Uptime.TotalMilliseconds);
    }

    private async Task<IdentitySliceReport> ListAsync(IdentityListQuery query, CancellationToken end)
    {
        var list = await _member.Hub
            .Ask<HubList>(new ListIdentities(query.Prefix, query.After, query.Limit), LocalTimeout, end)
            .ConfigureAwait(false);
        return new IdentitySliceReport(
            new IdentityCountsReport(
                _member.Table.Self, _member.Counters.Entities, _member.Figures.Attached, _member.Figures.Waiting,
                _member.Counters.Queued),
            [.. list.Sessions.Select(ReportOf)],
            list.HasMore);
    }

    private async Task<IdentityPartReport> FindAsync(string identity, CancellationToken end)
    {
        var list = await _member.Hub.Ask<HubList>(new FindIdentity(identity), LocalTimeout, end)
            .ConfigureAwait(false);
        return new IdentityPartReport(
            await EntityAsync(identity, end).ConfigureAwait(false), [.. list.Sessions.Select(ReportOf)]);
    }

    private async Task<IdentityEntityReport?> EntityAsync(string identity, CancellationToken end)
    {
        try
        {
            return await _member.DescribeAsync(identity, LocalTimeout, end).ConfigureAwait(false) is not { } facts
                ? null
                : new IdentityEntityReport(
                    _member.Table.Self,
                    facts.State,
                    facts.Owner?.Session.ToString(),
                    facts.Owner is { } owner ? MemberTable.TextOf(owner.Place.Address) : null,
                    facts.Owner?.Peer,
                    facts.Epoch,
                    facts.Revision,
                    facts.Bytes,
                    (long?)facts.KeptAgo?.TotalMilliseconds,
                    facts.Queued);
        }
        catch (AskTimeoutException)
        {
            return new IdentityEntityReport(_member.Table.Self, "silent", null, null, null, 0, 0, 0, null, 0);
        }
    }

    private IdentitySessionReport ReportOf(HubSession session) => new(
        session.Identity, _member.Table.Self, session.Session.ToString(), session.Peer, session.State, session.Epoch,
        session.Revision, session.Bytes);

    private async Task<MemberAnswer> ReloadAsync(MemberReloadQuery query, CancellationToken end)
    {
        var result = await _engine.ReloadAsync("cluster").WaitAsync(end).ConfigureAwait(false);
        AdminLog.Changed(
            _log, query.By, query.ProcessId, query.UserId, "reload", null, null, result.IsApplied ? "done" : "refused");
        return Of(
            new MemberReloadReport(
                _member.Table.Self, result.IsApplied ? "done" : "refused", _engine.Revision, result.ChangedKeys,
                result.NeedRestart, [.. result.Faults.Select(LineText.Escape)]),
            AdminJson.Default.MemberReloadReport);
    }

    private async Task<SessionPageReport> SessionsAsync(Dictionary<string, string> parameters, CancellationToken end)
    {
        var query = SessionQuery.Of(parameters.GetValueOrDefault);
        var limit = SessionQuery.LimitOf(parameters.GetValueOrDefault("limit"));
        return await _sessions.BeginAsync(query, limit, end, isKept: false).ConfigureAwait(false);
    }
}
