using Router.Diagnostics;
using Router.Net;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Routes;

/// <summary>One TCP session of a proxy: connects to an upstream, then copies both ways until both have ended.</summary>
/// <remarks>
/// The client is not read before an upstream has accepted: what it sends waits in the kernel and can go to any of them.
/// </remarks>
internal class TcpProxyHandler(ProxyRoute route) : SessionHandler
{
    /// <summary>How long a connection is tried without a look at whether its client is still there.</summary>
    private const int UnwatchedMs = 100;

    private StreamSocket? _connecting;
    private long _connectBeganMs;
    private StreamPair? _pair;
    private ProxyAttempts _attempts;
    private UpstreamSilence _silence;

    internal override bool OwnsStream => true;

    /// <summary>The upstream the session is on, or tries.</summary>
    protected Upstream? Held => _attempts.Held;

    private long ConnectTimeoutMs => (long)Math.Ceiling(route.Settings.ConnectTimeout.TotalMilliseconds);

    public override void OnOpened(SessionContext session)
    {
        if (session.Restarts > 0)
        {
            session.CloseNow(CloseReason.Failed);   // killed: what the handler before held of either stream is gone
            return;
        }

        Connect(session);
    }

    public override void OnTimer(SessionContext session)
    {
        if (_connecting is not null)
        {
            OnConnectTimer(session);
        }
        else if (_pair is { } pair && IsSilent(session, pair))
        {
            _attempts.Mark(route, -(int)Errno.ETIMEDOUT);
            session.CloseNow(CloseReason.UpstreamFailed);
        }
    }

    public override void OnClosed(SessionContext session, CloseReason reason)
    {
        _connecting?.Dispose();
        _connecting = null;
        _pair?.CloseUpstream(reason);
        _attempts.Return();
    }

    /// <summary>Not connected yet, nothing was sent: another upstream serves it as well.</summary>
    internal override void OnRouteChanged(SessionContext session)
    {
        var removal = route.Settings.OnUpstreamRemoved;
        var mayStay = removal == UpstreamRemoval.Finish || !_attempts.HoldsRemoved(route);
        if (!mayStay && _connecting is { } connecting)
        {
            _connecting = null;
            connecting.Abort();
            _attempts.StartOver();
            Connect(session);
        }
        else if (!mayStay && removal == UpstreamRemoval.Close)
        {
            session.CloseNow(CloseReason.UpstreamRemoved);
        }
        else
        {
            LookAtTimer(session);
        }
    }

    internal override void OnReplaced(SessionContext session) => OnClosed(session, CloseReason.Failed);

    internal override void OnIo(SessionContext session, IoSocket socket, IoReadiness ready)
    {
        if (session.IsClosed)
        {
            return;
        }

        if (_pair is { } pair)
        {
            var (received, wasHeld) = (pair.BytesFromUpstream, pair.HoldsUpstream);
            pair.OnReady(session, socket, ready);
            WatchSilence(session, pair, received, wasHeld);
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

    private void Connect(SessionContext session)
    {
        while (_attempts.Next(route, session) is { } upstream)
        {
            var result = session.Loop.Network.ConnectStream(upstream.Address, out var socket);
            if (socket is not null)
            {
                result = result == 0 ? Join(session, socket) : AwaitConnect(session, socket);
                if (result >= 0)
                {
                    return;
                }

                socket.Abort();
            }

            if (!_attempts.MayGoOn(route, session, result))
            {
                return;
            }
        }

        _attempts.GiveUp(session);
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
        OnConnected(session);
        _pair = new StreamPair(session, socket);
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

    /// <summary>A limit may be nearer now than the timer was set for. The timer acts on it, not this: by then the
    /// upstreams are those of the reload as well.</summary>
    private void LookAtTimer(SessionContext session)
    {
        if (_connecting is not null)
        {
            var leftMs = _connectBeganMs + ConnectTimeoutMs - session.Loop.NowMs;
            session.SetTimer(TimeSpan.FromMilliseconds(Math.Clamp(leftMs, 1, UnwatchedMs)));
        }
        else
        {
            _silence.OnLimit(session, route.UpstreamIdleMs);
        }
    }

    private void OnConnectTimer(SessionContext session)
    {
        var leftMs = _connectBeganMs + ConnectTimeoutMs - session.Loop.NowMs;
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

    /// <summary>Refused, unreachable, or too late: on to the next.</summary>
    private void OnConnectFailed(SessionContext session, int result)
    {
        _connecting?.Abort();
        _connecting = null;
        _attempts.Fail(route, result);
        Connect(session);
    }

    private void WatchSilence(SessionContext session, StreamPair pair, long receivedBefore, bool wasHeld)
    {
        if (session.IsClosed)
        {
            return;
        }

        if (wasHeld || pair.BytesFromUpstream != receivedBefore)
        {
            _silence.OnAnswered(session, isAll: pair.BytesFromUpstream != receivedBefore);
        }
        else if (pair.PassedToUpstream)
        {
            _silence.OnAsked(session, route.UpstreamIdleMs);
        }
    }

    /// <summary>An upstream is not silent while it is not read: it is the client that is slow.</summary>
    private bool IsSilent(SessionContext session, StreamPair pair)
    {
        if (pair.HoldsUpstream)
        {
            _silence.OnAnswered(session, isAll: false);
        }

        return _silence.OnTimer(session, route.UpstreamIdleMs);
    }
}
