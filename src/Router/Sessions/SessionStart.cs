using Router.Net;

namespace Router.Sessions;

/// <summary>Has sessions begin: not open yet, their listener starts them. Loop thread.</summary>
internal static class SessionStart
{
    /// <summary>A session of whoever sends datagrams: a spare one if there is one.</summary>
    public static SessionContext ForPeer(
        Shard shard, SessionTransport transport, in SocketAddr peer, in LocalAddr local)
    {
        var session = shard.SpareSessions.TryTake(shard) ?? new SessionContext();
        session.Begin(shard, transport, peer, local);
        return session;
    }

    /// <summary>A session of an accepted connection, whichever kind it is.</summary>
    public static SessionContext ForConnection(Shard shard, StreamSocket socket)
    {
        var buffers = shard.Loop.Buffers;
        if (socket is PacketSocket packets)
        {
            var apart = ForPeer(shard, SessionTransport.Unixpacket, socket.PeerAddress, default);
            apart.Carrier = new PacketCarrier(apart, packets, buffers);
            return apart;
        }

        var transport = socket.PeerAddress.IsUnix ? SessionTransport.Unix : SessionTransport.Tcp;
        var session = ForPeer(shard, transport, socket.PeerAddress, LocalAddr.From(socket.LocalAddress));
        session.Carrier = new StreamCarrier(session, socket, buffers);
        return session;
    }
}
