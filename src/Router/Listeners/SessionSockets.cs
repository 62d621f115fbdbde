using Router.Net;
using Router.Sessions;

namespace Router.Listeners;

/// <summary>Gives a datagram shard's sessions sockets of their own.</summary>
/// <remarks>
/// A fresh socket is watched only when the listener's socket has been read empty once more, so that datagrams which
/// came there are handled first. Where no socket is left (descriptors, ports, memory) a session uses the listener's.
/// </remarks>
internal sealed class SessionSockets(UdpShard shard, IListenerEvents events)
{
    /// <summary>So many receives at most are waited for where the listener's socket is never empty.</summary>
    private const int ReceivesMax = 64;

    private const int LogMs = 1_000;

    private readonly List<SessionContext> _unwatched = [];
    private int _receives;
    private long _loggedMs = -LogMs;
    private long _unlogged;

    /// <summary>Sessions whose sockets are not watched yet.</summary>
    public int Unwatched => _unwatched.Count;

    private bool OnListenersPort => shard.Settings.Socket == SessionSocket.Connected;

    /// <summary>Makes the session's socket, before the session is told anything. There is none on the listener's port
    /// while the listener's socket is lost, see <see cref="OnLost"/>.</summary>
    public void Open(SessionContext session)
    {
        if (OnListenersPort && shard.Socket.IsClosed)
        {
            return;
        }

        var result = shard.Loop.Network.OpenPeer(
            LocalOf(session), session.PeerAddr, out var socket, shard.Settings.ReceiveBuffer);
        if (result < 0)
        {
            FallBack(session, result);
            return;
        }

        session.GiveSocket(socket!);
        _unwatched.Add(session);
    }

    /// <summary>The listener's socket has been read. The first <paramref name="first"/> sessions had their sockets
    /// before that; if it is empty now, they have got all that came there for them.</summary>
    public void OnReceived(int first, bool isEmpty)
    {
        if (first == 0 || (!isEmpty && ++_receives < ReceivesMax))
        {
            return;
        }

        _receives = 0;
        for (var i = 0; i < first; i++)
        {
            Watch(_unwatched[i]);
        }

        _unwatched.RemoveRange(0, first);
    }

    /// <summary>The listener's socket is lost. Sessions' sockets on its port are closed, since no other could be bound
    /// beside them. Sockets on ports of their own stay.</summary>
    public void OnLost()
    {
        if (!OnListenersPort)
        {
            OnReceived(_unwatched.Count, isEmpty: true);   // nothing more comes by the listener's socket
            return;
        }

        _unwatched.Clear();
        foreach (var session in shard.Table.All())
        {
            session.LeaveSocket();
        }
    }

    private void Watch(SessionContext session)
    {
        if (session.OwnSocket is not { Socket: { IsClosed: false } socket })
        {
            return;   // it has ended meanwhile
        }

        var result = session.Watch(socket, IoReadiness.Readable);
        if (result < 0)
        {
            session.LeaveSocket();
            FallBack(session, result);
        }
    }

    /// <summary>On a wildcard the address that the peer sent to, so that it is answered from there.</summary>
    private SocketAddr LocalOf(SessionContext session)
    {
        if (OnListenersPort)
        {
            return shard.Address;
        }

        return session.LocalAddr.IsEmpty
            ? shard.Address.WithPort(0)
            : session.LocalAddr.ToSocketAddr(shard.Address.Family, port: 0);
    }

    private void FallBack(SessionContext session, int result)
    {
        shard.Counters.SocketFallbacks++;
        _unlogged++;
        if (shard.Loop.NowMs - _loggedMs >= LogMs)
        {
            events.SessionSocketRefused(
                session.Listener, shard.Address, session.PeerAddr, (Errno)(-result), _unlogged);
            _loggedMs = shard.Loop.NowMs;
            _unlogged = 0;
        }
    }
}

/// <summary>A datagram that came to a session's own socket and is not that session's.</summary>
internal sealed record StrayDatagram(SocketAddr From, LocalAddr Local, byte[] Payload);
