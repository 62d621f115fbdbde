using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>One TCP session of a proxy: connects to an upstream, then copies both ways until both have ended.</summary>
internal class TcpProxyHandler(ProxyRoute route) : ConnectionProxyHandler(route)
{
    /// <summary>How long a connection is tried without a look at whether its client is still there.</summary>
    private const int UnwatchedMs = 100;

    private StreamSocket? _connecting;
    private long _connectBeganMs;
    private long _connectBegan;   // in ticks of the loop's clock

    private long ConnectTimeoutMs => (long)Math.Ceiling(Route.Settings.ConnectTimeout.TotalMilliseconds);

    private long ConnectLeftMs(SessionContext session) => _connectBeganMs + ConnectTimeoutMs - session.Loop.NowMs;

    public override void OnTimer(SessionContext session)
    {
        if (_connecting is not null)
        {
            OnConnectTimer(session);
        }
        else
        {
            base.OnTimer(session);
        }
    }

    public override void OnClosed(SessionContext session, CloseReason reason)
    {
        _connecting?.Dispose();
        _connecting = null;
        base.OnClosed(session, reason);
    }

    internal override void OnRouteChanged(SessionContext session)
    {
        if (_connecting is not { } connecting)
        {
            base.OnRouteChanged(session);
        }
        else if (Route.Settings.OnUpstreamRemoved != UpstreamRemoval.Finish && Attempts.HoldsRemoved(Route))
        {
            _connecting = null;   // nothing was sent: another upstream serves it as well
            connecting.Abort();
            Attempts.StartOver();
            Connect(session);
        }
        else
        {
            // The limit may be nearer now than the timer was set for. The timer acts on it, not this: by then the
            // upstreams are those of the reload as well.
            session.SetTimer(TimeSpan.FromMilliseconds(Math.Clamp(ConnectLeftMs(session), 1, UnwatchedMs)));
        }
    }

    internal override void OnIo(SessionContext session, IoSocket socket, IoReadiness ready)
    {
        if (Pair is not null || session.IsClosed)
        {
            base.OnIo(session, socket, ready);
        }
        else if (ReferenceEquals(socket, _connecting))
        {
            OnConnectDecided(session);
        }
        else if ((ready & IoReadiness.Failed) != 0)
        {
            session.CloseNow(CloseReason.Reset);   // the client has gone
        }
        else
        {
            session.Loop.SetInterest(socket, IoReadiness.None);   // where the listener has put the client on the loop
        }
    }

    /// <summary>The upstream has accepted.</summary>
    protected virtual void OnConnected(SessionContext session)
    {
    }

    protected sealed override void Connect(SessionContext session)
    {
        while (Attempts.Next(Route, session) is { } upstream)
        {
            _connectBegan = session.Loop.Time.GetTimestamp();
            var result = session.Loop.Network.ConnectStream(upstream.Address, out var socket);
            if (socket is not null)
            {
                Attempts.OnOpened(socket);
                result = result == 0 ? Join(session, socket) : AwaitConnect(session, socket);
                if (result >= 0)
                {
                    return;
                }

                socket.Abort();
            }

            if (!Attempts.MayGoOn(Route, session, result))
            {
                return;
            }
        }

        Attempts.GiveUp(session);
    }

    /// <summary>The connection is under way: writable once it is decided.</summary>
    /// <returns>0 or a negative errno.</returns>
    private int AwaitConnect(SessionContext session, StreamSocket socket)
    {
        var result = session.Watch(socket, IoReadiness.Writable);
        if (result >= 0)
        {
            _connecting = socket;
            StartConnectTimer(session);
        }

        return result;
    }

    private void OnConnectDecided(SessionContext session)
    {
        var socket = _connecting!;
        var result = socket.ConnectResult();
        result = result < 0 ? result : Join(session, socket);
        if (result < 0)
        {
            OnConnectFailed(session, result);
        }
    }

    /// <summary>The connection stands: passes both streams into each other.</summary>
    /// <returns>0, or a negative errno: this upstream is none, or cannot be watched.</returns>
    private int Join(SessionContext session, StreamSocket socket)
    {
        // Connected to itself: nobody listens there, and the kernel picked the very port that was to be connected to.
        if (socket.LocalAddress == socket.PeerAddress)
        {
            return -(int)Errno.ECONNREFUSED;
        }

        if (socket.Loop is not null)
        {
            session.Loop.SetInterest(socket, IoReadiness.Readable);
        }
        else if (session.Watch(socket, IoReadiness.Readable) is < 0 and var result)
        {
            return result;
        }

        _connecting = null;
        session.CancelTimer();
        if (Route.Settings.KeepAlive is { } keepAlive)
        {
            socket.SetKeepAlive(keepAlive);
        }

        Route.Group.OnConnected(Attempts.Held!, session.Loop.Time.GetElapsedTime(_connectBegan));
        TellConnected(session);
        OnConnected(session);
        Pair = new StreamPair(session, socket);
        WatchClient(session, IoReadiness.Readable);
        return 0;
    }

    /// <summary>
    /// The client is put on the loop when it can be read, which saves two calls per session; before that only where
    /// the connection is slow to come, so that its going is seen.
    /// </summary>
    private static void WatchClient(SessionContext session, IoReadiness interest)
    {
        var client = session.Stream!.Socket;
        if (client.Loop is not null)
        {
            session.Loop.SetInterest(client, interest);
        }
        else if (session.Watch(client, interest) < 0)
        {
            session.CountDrop(DropReason.NoResources);
            session.CloseNow(CloseReason.Reset);
        }
    }

    private void StartConnectTimer(SessionContext session)
    {
        _connectBeganMs = session.Loop.NowMs;
        session.SetTimer(TimeSpan.FromMilliseconds(Math.Min(ConnectTimeoutMs, UnwatchedMs)));
    }

    private void OnConnectTimer(SessionContext session)
    {
        var leftMs = ConnectLeftMs(session);
        if (leftMs <= 0)
        {
            OnConnectFailed(session, -(int)Errno.ETIMEDOUT);
            return;
        }

        session.SetTimer(TimeSpan.FromMilliseconds(leftMs));
        if (session.Stream!.Socket.Loop is null)
        {
            WatchClient(session, IoReadiness.None);
        }
    }

    private void OnConnectFailed(SessionContext session, int result)
    {
        var mayGoOn = Attempts.MayGoOn(Route, session, result);   // while the socket can still tell its own end
        _connecting?.Abort();
        _connecting = null;
        if (mayGoOn)
        {
            Connect(session);
        }
    }
}
