using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>What a datagram session sends and receives by.</summary>
internal enum SessionSocket
{
    /// <summary>The listener's socket, as all others.</summary>
    Shared,

    /// <summary>A socket of its own on the listener's port, connected to the peer.</summary>
    Connected,

    /// <summary>A socket of its own on a port of its own, connected to the peer.</summary>
    OwnPort,
}

/// <summary>A datagram session's own socket.</summary>
/// <remarks>
/// Received and sent one by one, in the session's turn: what waits is in the kernel, in a buffer of this peer's alone.
/// What the listener's socket still has of the peer comes by it; and what this socket has of other peers, from the time
/// before it was connected, goes to the listener, which gives it to their sessions.
/// </remarks>
internal sealed class OwnSocketCarrier(SessionContext session, PeerSocket socket) : ISessionCarrier
{
    /// <summary>Datagrams taken off a socket that is about to be closed.</summary>
    private const int LastReceivesMax = 1024;

    IoSocket? ISessionCarrier.Socket => socket;

    public PeerSocket Socket => socket;

    public unsafe bool Send(ReadOnlySpan<byte> payload)
    {
        fixed (byte* bytes = payload)
        {
            Send(bytes, payload.Length);
        }

        return true;
    }

    public bool Keep(ReadOnlySpan<byte> payload) => Send(payload);

    public int UnsentBytes => 0;

    /// <summary>Sends one datagram; what is not sent is a counted drop.</summary>
    public unsafe void Send(byte* bytes, int length)
    {
        if (session.Shard.Fence is { IsOpen: false })
        {
            session.CountDrop(DropReason.Isolated);
            return;
        }

        var result = socket.Send(bytes, length);
        if (result < 0 && IsPeerGone(result))
        {
            result = socket.Send(bytes, length);   // the error was an earlier datagram's, and this one was not sent
        }

        if (result >= 0)
        {
            session.CountSent(1, length);
            session.Traced?.Sent(new ReadOnlySpan<byte>(bytes, length));
            return;
        }

        var isFull = SocketErrors.Classify((Errno)(-result))
            is SocketErrorClass.Transient or SocketErrorClass.Exhausted;
        session.CountDrop(isFull ? DropReason.SendFull : DropReason.SendRefused);
        OnFailed(result);
    }

    public unsafe void OnReady(IoReadiness ready)
    {
        var buffer = session.Loop.ReadBuffer;
        for (var i = 0; i < ISessionCarrier.ReceivesPerTurn && !session.IsClosed && !socket.IsClosed; i++)
        {
            var received = socket.Receive(buffer, DatagramBatch.SlotBytes, out var from);
            if (received >= 0)
            {
                Take(new ReadOnlySpan<byte>(buffer, received), from);
            }
            else if (received == -(int)Errno.EMSGSIZE)
            {
                session.CountDrop(DropReason.Truncated);
            }
            else
            {
                OnFailed(received);
                return;
            }
        }
    }

    /// <summary>What the socket still has is the listener's to deal out.</summary>
    public unsafe void Release(CloseReason reason)
    {
        var buffer = session.Loop.ReadBuffer;
        for (var i = 0; i < LastReceivesMax; i++)
        {
            var received = socket.Receive(buffer, DatagramBatch.SlotBytes, out var from);
            if (received >= 0)
            {
                session.Datagrams.OnStray(from, session.LocalAddr, new ReadOnlySpan<byte>(buffer, received));
            }
            else if ((Errno)(-received) is Errno.EAGAIN or Errno.EBADF)
            {
                break;
            }
        }

        KernelDrops.CountAndClose(session, socket);
    }

    private void Take(ReadOnlySpan<byte> payload, in SocketAddr from)
    {
        if (from != session.PeerAddr)
        {
            session.Datagrams.OnStray(from, session.LocalAddr, payload);
            return;
        }

        session.CountReceived(1, payload.Length);
        KernelDrops.CountNowAndThen(session, socket, session.PayloadsReceived - 1, session.PayloadsReceived);
        session.GrowBudget(1, payload.Length);
        SessionTurn.Receive(session, payload);
    }

    /// <summary>Only what tells that the peer is gone ends the session.</summary>
    private void OnFailed(int result)
    {
        if (IsPeerGone(result))
        {
            session.CloseNow(CloseReason.Reset);
        }
    }

    /// <summary>udp(7): "ICMP port unreachable", the one error that the peer's own host sends.</summary>
    private static bool IsPeerGone(int result) => result == -(int)Errno.ECONNREFUSED;
}

internal static class OwnSockets
{
    /// <summary>The session has the socket from now on, and closes it; it is watched later.</summary>
    public static void GiveSocket(this SessionContext session, PeerSocket socket) =>
        session.Carrier = new OwnSocketCarrier(session, socket);

    /// <summary>The session goes on by the listener's socket; what its own still has is dealt out first.</summary>
    public static void LeaveSocket(this SessionContext session)
    {
        if (session.OwnSocket is { } own)
        {
            session.Carrier = null;
            own.Release(session.Closing);
        }
    }
}
