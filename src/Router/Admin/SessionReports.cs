using System.Net;
using System.Text.Json.Serialization;
using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Admin;

/// <summary>A page of sessions.</summary>
/// <param name="Sessions">As of now; those that have ended since the first page are left out.</param>
/// <param name="Matched">How many there were when the first page was asked for.</param>
/// <param name="Next">The cursor of the next page; null for the last.</param>
internal sealed record SessionPageReport(IReadOnlyList<SessionReport> Sessions, int Matched, string? Next)
{
    /// <summary>Of the whole cluster: what each member has.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<SessionMemberReport>? Members { get; init; }
}

/// <summary>A session, in the words of its record in the log.</summary>
/// <param name="IdleMs">How long nothing came or went.</param>
/// <param name="BytesPerSecond">Of the last second, both ways; null unless the list is sorted by rate.</param>
internal sealed record SessionReport(
    string Session,
    string Listener,
    string Transport,
    string Peer,
    string Local,
    string Route,
    string? Upstream,
    string? Identity,
    string OpenedAt,
    long AgeMs,
    long IdleMs,
    long PayloadsIn,
    long BytesIn,
    long PayloadsOut,
    long BytesOut,
    long Drops,
    int Restarts,
    long? BytesPerSecond)
{
    /// <summary>Where it is, in a list of the whole cluster.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Member { get; init; }
}

/// <summary>All facts of a session.</summary>
/// <param name="Session">As the list has it.</param>
/// <param name="Loop">Where it lives.</param>
/// <param name="Handler">The type of its handler.</param>
/// <param name="DropReasons">As <c>reason=count</c>, separated by blanks.</param>
/// <param name="UnsentBytes">Kept until the peer takes them.</param>
/// <param name="WaitingPayloads">In its mailbox.</param>
/// <param name="PostedBytes">Replies of other threads on their way to the loop.</param>
/// <param name="DeadlineMs">When it looks at its deadlines again at the latest; null without any.</param>
internal sealed record SessionDetailReport(
    SessionReport Session,
    int Loop,
    string? Handler,
    string? UpstreamLocal,
    string? DropReasons,
    int UnsentBytes,
    int WaitingPayloads,
    int PostedBytes,
    bool PeerHeld,
    long? DeadlineMs,
    SessionLimitsReport Limits,
    SessionIdentityReport? Identity,
    SessionCredentialsReport? Credentials);

/// <summary>0 stands for never, or no limit.</summary>
internal sealed record SessionLimitsReport(
    long IdleTimeoutMs,
    long PeerIdleTimeoutMs,
    long MaxLifetimeMs,
    int MailboxMessages,
    int MailboxBytes,
    int WriteBuffer,
    int MaxRestarts);

/// <param name="Epoch">Of the attachment; 0 before.</param>
/// <param name="Revision">Of the newest checkpoint; 0 without one.</param>
internal sealed record SessionIdentityReport(string? Name, bool Attached, long Epoch, long Revision);

/// <summary>Of a unix socket's peer.</summary>
internal sealed record SessionCredentialsReport(int PeerPid, uint PeerUid, uint PeerGid);

/// <param name="Session">Its id.</param>
/// <param name="Reason">Of its end.</param>
internal sealed record SessionCloseReport(string Session, string Reason);

/// <summary>What a page shows of a session, taken on its loop; made text elsewhere.</summary>
internal sealed class SessionFacts
{
    private readonly SessionId _id;
    private readonly SocketAddr _peer;
    private readonly SocketAddr _bound;
    private readonly LocalAddr _local;
    private readonly SessionTransport _transport;
    private readonly string _listener;
    private readonly string _route;
    private readonly string? _upstream;
    private readonly string? _identity;
    private readonly DateTimeOffset _openedAt;
    private readonly long _ageMs;
    private readonly long _idleMs;
    private readonly (long PayloadsIn, long BytesIn, long PayloadsOut, long BytesOut, long Drops) _counts;
    private readonly int _restarts;

    /// <summary>On the loop of the session, which is open.</summary>
    public SessionFacts(SessionContext session)
    {
        (_id, _transport, _listener, _route) =
            (session.Id, session.Transport, session.Listener, session.RouteName);
        (_peer, _bound, _local) = (session.PeerAddr, session.Shard.Address, session.LocalAddr);
        (_upstream, _identity, _openedAt) = (session.Upstream, session.Identity, session.OpenedAt);
        (_ageMs, _idleMs) = (session.AgeMs, (long)session.SilentFor.TotalMilliseconds);
        _counts = (session.PayloadsReceived, session.BytesReceived, session.PayloadsSent, session.BytesSent,
            session.Drops);
        _restarts = session.Restarts;
    }

    /// <summary>Any thread.</summary>
    public SessionReport ToReport(long? bytesPerSecond = null) => new(
        _id.ToString(),
        _listener,
        ClosedSet<SessionTransport>.NameOf(_transport),
        _peer.ToString(),
        _local.IsEmpty ? _bound.ToString() : new IPEndPoint(_local.Address, _bound.Port).ToString(),
        _route,
        _upstream,
        _identity,
        LogFields.TimeOf(_openedAt),
        _ageMs,
        _idleMs,
        _counts.PayloadsIn,
        _counts.BytesIn,
        _counts.PayloadsOut,
        _counts.BytesOut,
        _counts.Drops,
        _restarts,
        bytesPerSecond);

    /// <summary>On the session's loop.</summary>
    public static SessionDetailReport DetailOf(SessionContext session)
    {
        var settings = session.Shard.Settings;
        var idleTimeout = session.IdleTimeout;
        return new SessionDetailReport(
            new SessionFacts(session).ToReport(),
            session.Loop.Index,
            session.Handler?.GetType().FullName,
            session.Handler?.UpstreamLocal is { IsEmpty: false, IsUnix: false } local ? local.ToString() : null,
            session.DropReasons,
            session.Carrier?.UnsentBytes ?? 0,
            session.WaitingPayloads,
            session.PostedBytes,
            session.Carrier?.IsPeerHeld ?? false,
            session.IsArmed ? Math.Max(0, session.TimerDueMs - session.Loop.NowMs) : null,
            new SessionLimitsReport(
                idleTimeout == Timeout.InfiniteTimeSpan ? 0 : (long)idleTimeout.TotalMilliseconds,
                settings.PeerIdleTimeoutMs, settings.MaxLifetimeMs, settings.MailboxMessages, settings.MailboxBytes,
                settings.WriteBuffer, settings.MaxRestarts),
            session.Identified is { } own
                ? new SessionIdentityReport(own.Name, own.IsAttached, own.Epoch, own.Revision)
                : null,
            session.PeerCredentials is { } peer
                ? new SessionCredentialsReport(peer.ProcessId, peer.UserId, peer.GroupId)
                : null);
    }
}
