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

/// <summary>A datagram session with a socket of its own.</summary>
/// <remarks>
/// Received and sent one by one, in the session's turn: what waits is in the kernel, in a buffer of this peer's alone.
/// What the listener's socket still has of the peer comes by it; and what this socket has of other peers, from the time
/// before it was connected, goes to the listener, which gives it to their sessions.
/// </remarks>
public sealed partial class SessionContext
{
    /// <summary>Datagrams taken in one turn; what is left is reported again by the loop's next poll.</summary>
    private const int ReceivesPerTurn = 16;

    /// <summary>Datagrams taken off a socket that is about to be closed.</summary>
    private const int LastReceivesMax = 1024;

    internal PeerSocket? OwnSocket => _extras?.Socket;

    /// <summary>The session has the socket from now on, and closes it; it is watched later.</summary>
    internal void GiveSocket(PeerSocket socket) => Extras.Socket = socket;

    /// <summary>The session goes on by the listener's socket; what its own still has is dealt out first.</summary>
    internal void LeaveSocket()
    {
        if (OwnSocket is { } socket)
        {
            Extras.Socket = null;
            DealOut(socket);
            socket.Dispose();
        }
    }

    private unsafe void OnOwnReady(PeerSocket socket)
    {
        for (var i = 0; i < ReceivesPerTurn && !IsClosed && !socket.IsClosed; i++)
        {
            var received = socket.Receive(Loop.ReadBuffer, DatagramBatch.SlotBytes, out var from);
            if (received >= 0)
            {
                TakeDatagram(new ReadOnlySpan<byte>(Loop.ReadBuffer, received), from);
            }
            else if (received == -(int)Errno.EMSGSIZE)
            {
                CountDrop(DropReason.Truncated);
            }
            else
            {
                OnOwnFailed(received);
                return;
            }
        }
    }

    private void TakeDatagram(ReadOnlySpan<byte> payload, in SocketAddr from)
    {
        if (from != PeerAddr)
        {
            Datagrams.OnStray(from, LocalAddr, payload);
            return;
        }

        CountReceived(1, payload.Length);
        GrowBudget(1, payload.Length);
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

    /// <summary>Sends one datagram by the session's own socket.</summary>
    private unsafe void SendOwn(PeerSocket socket, byte* bytes, int length)
    {
        var result = socket.Send(bytes, length);
        if (result < 0 && IsPeerGone(result))
        {
            result = socket.Send(bytes, length);   // the error was an earlier datagram's, and this one was not sent
        }

        if (result >= 0)
        {
            CountSent(1, length);
            return;
        }

        var isFull = SocketErrors.Classify((Errno)(-result))
            is SocketErrorClass.Transient or SocketErrorClass.Exhausted;
        CountDrop(isFull ? DropReason.SendFull : DropReason.SendRefused);
        OnOwnFailed(result);
    }

    /// <summary>Only what tells that the peer is gone ends the session.</summary>
    private void OnOwnFailed(int result)
    {
        if (IsPeerGone(result))
        {
            CloseNow(CloseReason.Reset);
        }
    }

    /// <summary>udp(7): "ICMP port unreachable", the one error that the peer's own host sends.</summary>
    private static bool IsPeerGone(int result) => result == -(int)Errno.ECONNREFUSED;

    /// <summary>The session leaves it: what the socket still has is the listener's to deal out.</summary>
    private unsafe void DealOut(PeerSocket socket)
    {
        for (var i = 0; i < LastReceivesMax; i++)
        {
            var received = socket.Receive(Loop.ReadBuffer, DatagramBatch.SlotBytes, out var from);
            if (received >= 0)
            {
                Datagrams.OnStray(from, LocalAddr, new ReadOnlySpan<byte>(Loop.ReadBuffer, received));
            }
            else if ((Errno)(-received) is Errno.EAGAIN or Errno.EBADF)
            {
                return;
            }
        }
    }
}
