using Router.Diagnostics;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A session, or all sessions of a listener on one loop, whose payloads are gathered.</summary>
internal abstract class CollectHandler(CollectRoute route) : SessionHandler
{
    public sealed override bool IsRestartSafe => true;

    public sealed override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        var now = session.Now.UtcTicks;
        foreach (var payload in batch)
        {
            Add(session, new RecordHeader(session.PeerAddr, session.Id, now, AtMs: 0, payload.Length), payload);
        }
    }

    public sealed override void OnClosed(SessionContext session, CloseReason reason) => OnReplaced(session);

    internal override void OnReplaced(SessionContext session) => route.Leave();

    internal sealed override bool MayEndNow(SessionContext session) => session.HasNothingUnderWay();

    protected abstract void Add(SessionContext session, in RecordHeader header, ReadOnlySpan<byte> payload);
}

/// <summary>A session with windows of its own, which are delivered when it ends.</summary>
internal sealed class SessionCollectHandler(CollectRoute route, SessionContext session) : CollectHandler(route)
{
    private readonly Gatherer _windows = new(route, session.Shard, session);

    internal override void OnReplaced(SessionContext session)
    {
        _windows.Finish();
        base.OnReplaced(session);
    }

    protected override void Add(SessionContext session, in RecordHeader header, ReadOnlySpan<byte> payload) =>
        _windows.Add(header, payload);
}
