using Router.Net;
using Router.Sessions;

namespace Router.Listeners;

/// <summary>Gives a datagram shard's sessions sockets of their own.</summary>
/// <remarks>
/// A fresh socket is watched only once the listener's has been read empty after the peer was given to it: what came
/// before that is handled before. Where none is left (descriptors, ports, memory) a session uses the listener's socket.
/// </remarks>
internal sealed class SessionSockets(UdpShard shard, IListenerEvents events)
{
    /// <summary>A listener's socket that is never empty puts the watching off for so many receives at most.</summary>
    private const int ReceivesMax = 64;

    private const int LogMs = 1_000;

    private readonly List<SessionContext> _unwatched = [];
    private int _receives;
    private long _loggedMs = -LogMs;
    private long _unlogged;

    /// <summary>Sessions whose sockets are not watched yet.</summary>
    public int Unwatched => _unwatched.Count;

    private bool OnListenersPort => shard.Settings.Socket == SessionSocket.Connected;

    /// <summary>Makes the session's socket, before it is told anything; on the listener's port none while the
    /// listener's is lost, see <see cref="OnLost"/>.</summary>
    public void Open(SessionContext session)
    {
        if (OnListenersPort && shard.Socket.IsClosed)
        {
            return;
        }

        var result = shard.Loop.Network.OpenPeer(LocalOf(session), session.PeerAddr, out var socket);
        if (result < 0)
        {
            Fall(session, result);
            return;
        }

        session.GiveSocket(socket!);
        _unwatched.Add(session);
    }

    /// <summary>The listener's socket has been read: <paramref name="first"/> sessions had their sockets before that,
    /// and if it is empty now they have had all that came before.</summary>
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

    /// <summary>The listener's socket is lost: with theirs on its port no other could take its place. On ports of their
    /// own they go on: a peer's dialogue is there.</summary>
    public void OnLost()
    {
        if (!OnListenersPort)
        {
            OnReceived(_unwatched.Count, isEmpty: true);   // from there nothing more comes before
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
            Fall(session, result);
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

    private void Fall(SessionContext session, int result)
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
