using Router.Diagnostics;
using Router.Loop;
using Router.Net;

namespace Router.Sessions;

/// <summary>A session's stream: reading, back-pressure, half-close, the end.</summary>
internal sealed class StreamCarrier(SessionContext session, StreamSocket socket, BufferPool buffers)
    : StreamSide(socket, buffers), ISessionCarrier
{
    private bool _endsInOrder;

    IoSocket? ISessionCarrier.Socket => Socket;

    public bool MayRead => !session.IsClosed && !HasEnded && !HasUnsent && !IsStopped;

    public bool IsPeerHeld => !HasEnded && (HasUnsent || IsStopped);

    public bool Send(ReadOnlySpan<byte> payload) => HasRoom(payload.Length) && Write(payload);

    public bool Keep(ReadOnlySpan<byte> payload) => !IsFinished && Write(payload);

    private unsafe bool Write(ReadOnlySpan<byte> payload)
    {
        if (session.EndIsolated())
        {
            return false;
        }

        int result;
        fixed (byte* bytes = payload)
        {
            result = Write(bytes, payload.Length);
        }

        if (result < 0)
        {
            session.CloseNow(CloseReason.Reset);
            return false;
        }

        session.CountSent(1, payload.Length);
        session.Traced?.Sent(payload);
        if (HasUnsent)
        {
            SetInterest();
        }

        return true;
    }

    public void OnReady(IoReadiness ready)
    {
        if (HasUnsent
            && (ready & (IoReadiness.Writable | IoReadiness.Failed)) != 0
            && !SendKept())
        {
            return;
        }

        if (MayRead)
        {
            Read();
        }
        else if ((ready & IoReadiness.Failed) != 0 && Socket.ConnectResult() < 0)
        {
            session.CloseNow(CloseReason.Reset);
        }
        else if ((ready & IoReadiness.Failed) != 0
            && HasEnded && (IsFinished || session.PeerAddr.IsUnix))
        {
            session.CloseNow(CloseReason.Peer);   // of a unix socket a hang-up tells that its peer takes nothing more
        }
        else if ((ready & IoReadiness.Failed) != 0 && IsStopped)
        {
            session.Loop.TakeOff(Socket);   // it has hung up, and would be told of on every pass until it is read again
        }
    }

    public void SetReading(bool isStopped)
    {
        if (IsStopped == isStopped)
        {
            return;
        }

        IsStopped = isStopped;
        if (isStopped)
        {
            SetInterest();
        }
        else
        {
            Resume();
        }
    }

    /// <summary>Watches for what the stream can go on with: reading stops while anything is unsent.</summary>
    public void SetInterest()
    {
        var interest = HasUnsent ? IoReadiness.Writable : IoReadiness.None;
        session.Loop.SetInterest(Socket, MayRead ? interest | IoReadiness.Readable : interest);
    }

    /// <summary>Watches it again, where it may have been taken off the loop.</summary>
    public void Resume()
    {
        if (Socket.IsClosed || session.IsClosed)
        {
            return;
        }

        if (Socket.Loop is not null)
        {
            SetInterest();
        }
        else if (MayRead && session.Watch(Socket, IoReadiness.Readable) < 0)
        {
            session.CloseNow(CloseReason.Reset);
        }
    }

    public bool TryLinger(CloseReason reason)
    {
        // A session that a drain has found done ends in order, whatever it is called.
        _endsInOrder = reason is CloseReason.Shutdown or CloseReason.ListenerRemoved;
        if (Socket.IsClosed || (IsOver && !reason.IsAbort()))
        {
            return false;
        }

        Finish();
        return true;
    }

    public unsafe void Linger()
    {
        if ((HasUnsent && session.EndIsolated()) || Flush() < 0)
        {
            SessionEnd.StopActor(session);
            return;
        }

        var loop = session.Loop;
        if (!HasEnded)
        {
            var received = Socket.Receive(loop.ReadBuffer, loop.ReadBufferBytes);
            if (received < 0 && (Errno)(-received) is not (Errno.EAGAIN or Errno.EINTR))
            {
                SessionEnd.StopActor(session);
                return;
            }

            HasEnded = received == 0;
        }

        if (HasEnded && !HasUnsent)
        {
            SessionEnd.StopActor(session);
            return;
        }

        var interest = HasUnsent ? IoReadiness.Writable : IoReadiness.None;
        loop.SetInterest(Socket, HasEnded ? interest : interest | IoReadiness.Readable);
    }

    public void Release(CloseReason reason)
    {
        var isCut = HasUnsent;   // a FIN behind what is missing would make it look whole
        Release();
        if (isCut || (reason.IsAbort() && !_endsInOrder))
        {
            Socket.Abort();
        }

        Socket.Dispose();
    }

    private bool HasRoom(int length) =>
        !IsFinished && (!HasUnsent || UnsentBytes + length <= session.Shard.Settings.WriteBuffer);

    private unsafe void Read()
    {
        var loop = session.Loop;
        var received = Socket.Receive(
            loop.ReadBuffer, Math.Min(loop.ReadBufferBytes, session.Shard.Settings.WriteBuffer));
        if (received > 0)
        {
            session.CountReceived(1, received);
            session.Traced?.Received(new ReadOnlySpan<byte>(loop.ReadBuffer, received));
            session.Handler!.OnReceived(
                session, new PayloadBatch(new ReadOnlySpan<byte>(loop.ReadBuffer, received)));
        }
        else if (received == 0)
        {
            HasEnded = true;
            try
            {
                session.Handler!.OnPeerFinished(session);
            }
            finally
            {
                if (!session.IsClosed)
                {
                    SetInterest();   // most close by now
                }
            }
        }
        else if ((Errno)(-received) is not (Errno.EAGAIN or Errno.EINTR))
        {
            session.CloseNow(CloseReason.Reset);
        }
    }

    /// <summary>Sends what was kept; false if the stream is gone.</summary>
    private bool SendKept()
    {
        if (session.EndIsolated())
        {
            return false;
        }

        if (Flush() < 0)
        {
            session.CloseNow(CloseReason.Reset);
            return false;
        }

        if (!HasUnsent)
        {
            session.Touch();
            SetInterest();
            if (!session.IsClosed)
            {
                session.Handler!.OnDrained(session);
            }
        }

        return true;
    }
}
