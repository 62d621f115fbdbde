using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>One unixpacket session of a proxy: its messages go to a unixpacket, unixgram or UDP upstream, and the
/// upstream's to the client.</summary>
/// <remarks>Such an upstream accepts or refuses at once: there is no connect timeout. The client is not read
/// before.</remarks>
internal sealed class PacketProxyHandler(ProxyRoute route) : SessionHandler
{
    private PacketPair? _pair;
    private ProxyAttempts _attempts;
    private UpstreamSilence _silence;

    internal override bool OwnsStream => true;

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
        if (_pair is { HoldsUpstream: true })
        {
            _silence.OnAnswered(session, isAll: false);   // it is the client that is slow
        }

        if (_silence.OnTimer(session, route.UpstreamIdleMs))
        {
            _attempts.Mark(route, -(int)Errno.ETIMEDOUT);
            session.CloseNow(CloseReason.UpstreamFailed);
        }
    }

    public override void OnClosed(SessionContext session, CloseReason reason)
    {
        _pair?.Close();
        _pair = null;
        _attempts.Return();
    }

    internal override void OnReplaced(SessionContext session) => OnClosed(session, CloseReason.Failed);

    /// <summary>As of a stream: what is under way is not to be torn.</summary>
    internal override void OnRouteChanged(SessionContext session)
    {
        _silence.OnLimit(session, route.UpstreamIdleMs);
        if (route.Settings.OnUpstreamRemoved == UpstreamRemoval.Close && _attempts.HoldsRemoved(route))
        {
            session.CloseNow(CloseReason.UpstreamRemoved);
        }
    }

    internal override void OnIo(SessionContext session, IoSocket socket, IoReadiness ready)
    {
        if (session.IsClosed || _pair is not { } pair)
        {
            return;
        }

        var (received, wasHeld) = (pair.MessagesFromUpstream, pair.HoldsUpstream);
        pair.OnReady(socket, ready);
        if (session.IsClosed)
        {
            return;
        }

        if (wasHeld || pair.MessagesFromUpstream != received)
        {
            _silence.OnAnswered(session, isAll: pair.MessagesFromUpstream != received);
        }

        if (pair.PassedToUpstream)
        {
            _silence.OnAsked(session, route.UpstreamIdleMs);
        }
    }

    private void Connect(SessionContext session)
    {
        while (_attempts.Next(route, session) is { } upstream)
        {
            var result = session.Loop.Network.ConnectDatagram(upstream.Address, out var socket);
            if (result >= 0)
            {
                result = session.Watch(socket!, IoReadiness.Readable);
                if (result >= 0)
                {
                    Start(session, socket!);
                    return;
                }

                socket!.Dispose();
            }

            if (!_attempts.MayGoOn(route, session, result))
            {
                return;
            }
        }

        _attempts.GiveUp(session);
    }

    private void Start(SessionContext session, ConnectedDatagramSocket upstream)
    {
        _pair = new PacketPair(session, upstream, result => _attempts.Mark(route, result));
        var client = session.Packets!.Socket;
        if (session.Watch(client, IoReadiness.Readable) < 0)
        {
            session.CountDrop(DropReason.NoResources);
            session.CloseNow(CloseReason.Reset);
        }
    }
}
