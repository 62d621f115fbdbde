using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>One session of a proxy that has a connection to its client, which is not read before an upstream has
/// accepted: what it sends waits in the kernel and can go to any of them.</summary>
internal abstract class ConnectionProxyHandler(ProxyRoute route) : SessionHandler
{
    /// <summary>A field, because it is changed in place.</summary>
    protected ProxyAttempts Attempts;

    private UpstreamSilence _silence;
    private int _connectMs = -1;

    internal sealed override bool OwnsStream => true;

    internal sealed override SocketAddr UpstreamLocal => Attempts.Local;

    internal sealed override int ConnectMs => _connectMs;

    protected ProxyRoute Route => route;

    /// <summary>Client and upstream, once they are joined.</summary>
    protected ConnectionPair? Pair { get; set; }

    public override void OnOpened(SessionContext session)
    {
        if (session.Restarts > 0)
        {
            session.CloseNow(CloseReason.Failed);   // killed: what the handler before held of either side is gone
            return;
        }

        Connect(session);
    }

    public override void OnTimer(SessionContext session)
    {
        if (Pair is { HoldsUpstream: true })
        {
            _silence.OnAnswered(session, isAll: false);   // it is not read: the client is slow
        }

        if (_silence.OnTimer(session, route.UpstreamIdleMs))
        {
            Attempts.Mark(route, -(int)Errno.ETIMEDOUT);
            session.CloseNow(CloseReason.UpstreamFailed);
        }
    }

    public override void OnClosed(SessionContext session, CloseReason reason)
    {
        Pair?.CloseUpstream(reason);
        Pair = null;
        Attempts.Return();
    }

    /// <summary>The upstream has accepted.</summary>
    protected void TellConnected(SessionContext session)
    {
        _connectMs = (int)Math.Min(int.MaxValue, session.AgeMs);
        session.Shard.Events.Connected(session);
    }

    /// <summary>Either side may be waiting for the other, however silent they are: only they know.</summary>
    internal sealed override bool MayEndNow(SessionContext session) => false;

    internal override bool KeepsPeerSilent(SessionContext session) => Pair is null or { HoldsClient: true };

    internal sealed override void OnReplaced(SessionContext session) => OnClosed(session, CloseReason.Failed);

    /// <summary>What is under way is not torn: no other upstream is picked for it.</summary>
    internal override void OnRouteChanged(SessionContext session)
    {
        _silence.OnLimit(session, route.UpstreamIdleMs);
        if (route.Settings.OnUpstreamRemoved == UpstreamRemoval.Close && Attempts.HoldsRemoved(route))
        {
            session.CloseNow(CloseReason.UpstreamRemoved);
        }
    }

    internal override void OnIo(SessionContext session, IoSocket socket, IoReadiness ready)
    {
        if (session.IsClosed || Pair is not { } pair)
        {
            return;
        }

        var (received, wasHeld) = (pair.FromUpstream, pair.HoldsUpstream);
        pair.OnReady(socket, ready);
        if (session.IsClosed)
        {
            return;
        }

        var hasReceived = pair.FromUpstream != received;
        if (wasHeld || hasReceived)
        {
            _silence.OnAnswered(session, isAll: hasReceived);
        }

        if (pair.PassedToUpstream)
        {
            _silence.OnAsked(session, route.UpstreamIdleMs);
        }
    }

    protected abstract void Connect(SessionContext session);
}
