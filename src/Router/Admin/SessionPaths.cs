using System.Globalization;
using Microsoft.AspNetCore.Http;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Admin;

/// <summary>The open sessions: lists of them, all facts of one, and its end.</summary>
internal sealed class SessionPaths : IDisposable
{
    private readonly SessionSweeps _sweeps;
    private readonly SessionPages _pages;
    private readonly TracePaths _traces;

    public SessionPaths(AdminHost host)
    {
        var engine = host.Engine;
        _sweeps = new SessionSweeps(
            engine.Loops, () => [.. engine.Stats.ReadShards().Select(static each => each.Shard)], host.Time);
        _pages = new SessionPages(_sweeps, host.Time);
        _traces = new TracePaths(host, _sweeps);
    }

    public IReadOnlyList<AdminPath> All =>
    [
        new(HttpMethods.Get, "/sessions", "sessions", "open sessions, filtered, sorted and paged", ListAsync)
        {
            Result = typeof(SessionPageReport),
            Parameters = SessionQuery.Parameters,
        },
        new(HttpMethods.Get, "/sessions/{id}", "session", "all facts of a session", ShowAsync)
        {
            Result = typeof(SessionDetailReport),
        },
        new(HttpMethods.Delete, "/sessions/{id}", "session-delete", "ends a session, as close does", CloseAsync)
        {
            Result = typeof(SessionCloseReport),
        },
        new(HttpMethods.Post, "/sessions/{id}/close", "session-close", "ends a session, by reason admin", CloseAsync)
        {
            Result = typeof(SessionCloseReport),
        },
        .. _traces.All,
    ];

    public void Dispose() => _pages.Dispose();

    internal static SessionId IdOf(AdminRequest request)
    {
        var text = request.Part("id");
        return text.Length == 32
            && ulong.TryParse(text[..16], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            && ulong.TryParse(text[16..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low)
            ? new SessionId(high, low)
            : throw AdminFault.BadRequest($"'{text}' is no id of a session: that is 32 hexadecimal digits");
    }

    internal static AdminFault NoSession(SessionId id) => new(
        StatusCodes.Status404NotFound, "There is no such session",
        $"{id} has ended, or is none of this router; /sessions lists those that are open, and session-closed in the "
        + "log has those that are not");

    private async Task ListAsync(AdminRequest request)
    {
        var limit = SessionQuery.LimitOf(request.Query("limit"));
        var cursor = request.Query("cursor");
        if (cursor is not null && request.Http.Request.Query.Keys.Any(static name => name is not ("limit" or "cursor")))
        {
            throw AdminFault.BadRequest("a cursor goes with limit alone: the list has been made for the first page");
        }

        if (IsOfCluster(request.Query("cluster")))
        {
            var member = request.Host.Engine.Member ?? throw ClusterPaths.NoCluster();
            var order = SessionQuery.Of(request.Query).Order;   // a wrong query is told here, not by each member
            var merged = await ClusterSessions.AskAsync(member.Asks, request.Query, order, limit, request.End)
                .ConfigureAwait(false);
            await request.ReplyAsync(merged, AdminJson.Default.SessionPageReport).ConfigureAwait(false);
            return;
        }

        var page = cursor is null
            ? await _pages.BeginAsync(SessionQuery.Of(request.Query), limit, request.End).ConfigureAwait(false)
            : await _pages.GoOnAsync(cursor, limit, request.End).ConfigureAwait(false);
        await request.ReplyAsync(page, AdminJson.Default.SessionPageReport).ConfigureAwait(false);
    }

    private static bool IsOfCluster(string? text) => text switch
    {
        "true" => true,
        null or "false" => false,
        _ => throw AdminFault.BadRequest($"cluster '{text}' is neither true nor false"),
    };

    private async Task ShowAsync(AdminRequest request)
    {
        var id = IdOf(request);
        var found = await _sweeps.WithAsync(id, SessionFacts.DetailOf, request.End).ConfigureAwait(false)
            ?? throw NoSession(id);
        await request.ReplyAsync(found, AdminJson.Default.SessionDetailReport).ConfigureAwait(false);
    }

    private async Task CloseAsync(AdminRequest request)
    {
        var id = IdOf(request);
        var closed = await _sweeps.WithAsync(id, Close, request.End).ConfigureAwait(false);
        request.LogChange("session-close", id.ToString(), null, closed is null ? "not-found" : "done");
        await request.ReplyAsync(closed ?? throw NoSession(id), AdminJson.Default.SessionCloseReport)
            .ConfigureAwait(false);
    }

    private static SessionCloseReport Close(SessionContext session)
    {
        session.Close(CloseReason.Admin);
        return new SessionCloseReport(
            session.Id.ToString(), ClosedSet<CloseReason>.NameOf(CloseReason.Admin));
    }
}
