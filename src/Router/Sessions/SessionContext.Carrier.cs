using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>The session and the sockets that it is carried by.</summary>
public sealed partial class SessionContext
{
    private ISessionCarrier? _carrier;

    /// <summary>Null for sessions of all other transports, as the next two.</summary>
    internal StreamCarrier? Stream => _carrier as StreamCarrier;

    internal PacketCarrier? Packets => _carrier as PacketCarrier;

    internal OwnSocketCarrier? OwnSocket => _carrier as OwnSocketCarrier;

    /// <summary>A session of an accepted connection, whichever kind it is.</summary>
    internal static SessionContext ForConnection(Shard shard, StreamSocket socket)
    {
        var buffers = shard.Loop.Buffers;
        if (socket is PacketSocket packets)
        {
            var apart = Begin(shard, SessionTransport.Unixpacket, socket.PeerAddress, default);
            apart._carrier = new PacketCarrier(apart, packets, buffers);
            return apart;
        }

        var transport = socket.PeerAddress.IsUnix ? SessionTransport.Unix : SessionTransport.Tcp;
        var session = Begin(shard, transport, socket.PeerAddress, LocalAddr.From(socket.LocalAddress));
        session._carrier = new StreamCarrier(session, socket, buffers);
        return session;
    }

    /// <summary>The session has the socket from now on, and closes it; it is watched later.</summary>
    internal void GiveSocket(PeerSocket socket) => _carrier = new OwnSocketCarrier(this, socket);

    /// <summary>The session goes on by the listener's socket; what its own still has is dealt out first.</summary>
    internal void LeaveSocket()
    {
        if (OwnSocket is { } own)
        {
            _carrier = null;
            own.Release(Closing);
        }
    }

    /// <summary>
    /// Watches a further socket for the route: its readiness comes to <see cref="SessionHandler.OnIo"/>.
    /// </summary>
    /// <returns>0 or a negative errno.</returns>
    internal int Watch(IoSocket socket, IoReadiness interest) => Loop.Register(socket, this, interest);

    void IIoReceiver.OnReady(IoSocket socket, IoReadiness ready)
    {
        if (Pool is { } pool)
        {
            pool.OnReady(ready);
            return;
        }

        var told = socket.Pending != IoReadiness.None;
        socket.Pending |= ready;
        if (!told)
        {
            Loop.Enqueue(socket);   // behind the poll: the clock is read, and those that wait have their turns in order
        }
    }

    void IIoReceiver.OnTurn(IoSocket socket)
    {
        if (Actor is { CanTurnNow: true } actor)
        {
            actor.TurnNow(socket);
        }
        else
        {
            Ref.Tell(socket, ActorRefs.NoSender);
        }
    }

    /// <summary>In the session's turn: a socket is ready.</summary>
    internal void OnIo(IoSocket socket)
    {
        var ready = socket.Pending;
        socket.Pending = IoReadiness.None;
        if (socket.IsClosed)
        {
            return;
        }

        if (IsLingering)
        {
            _carrier!.Linger();
        }
        else if (_carrier is { } carrier && !Handler!.OwnsStream && ReferenceEquals(socket, carrier.Socket))
        {
            carrier.OnReady(ready);
        }
        else
        {
            Handler!.OnIo(this, socket, ready);
        }
    }

    /// <summary>Gives the handler one message of the session's own socket.</summary>
    internal void Receive(ReadOnlySpan<byte> payload)
    {
        try
        {
            Handler!.OnReceived(this, new PayloadBatch(payload));
        }
        catch
        {
            CountDrop(DropReason.HandlerFailed);
            throw;
        }
    }
}
