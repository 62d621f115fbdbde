using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>What passes between a handler that runs on the pool and its session's loop, copied and bounded.</summary>
/// <remarks>
/// Towards the handler: datagram runs are detached, stream bytes copied, and counted until handled; beyond the
/// mailbox's limits datagrams are dropped and a stream is not read. Back: as replies from any other thread; what of
/// them is under way counts against what is read.
/// </remarks>
internal sealed class PoolBridge(SessionContext session, SessionExtras mailbox) : PostedReplies(session)
{
    private int _endAsked;

    /// <summary>Whether the handler, which may be at work for long, has answered the last time it was asked whether its
    /// session may end. Loop thread.</summary>
    public bool TryAskToEnd() => Interlocked.Exchange(ref _endAsked, 1) == 0;

    /// <summary>It is asked now. The handler's thread.</summary>
    public void OnAskedToEnd() => Volatile.Write(ref _endAsked, 0);

    /// <summary>In the handler's turn on the pool: bytes of a stream.</summary>
    public void OnChunk(StreamChunk chunk)
    {
        try
        {
            if (!Session.IsClosed)
            {
                Session.Traced?.Received(chunk.Bytes);
                Session.Handler!.OnReceived(Session, new PayloadBatch(chunk.Bytes));
            }
        }
        finally
        {
            mailbox.Leave(1, chunk.Length);
            chunk.Release();
            Session.OnLoop(static session => session.Stream?.Resume());
        }
    }

    /// <summary>The session's stream is ready. Loop thread.</summary>
    public void OnReady(IoReadiness ready)
    {
        if (Session.IsLingering)
        {
            Session.Stream!.Linger();
            return;
        }

        var loop = Session.Loop;
        var stream = Session.Stream!;
        if (Session.IsClosed)
        {
            loop.TakeOff(stream.Socket);   // until its handler returns: a hang-up would be told of on every pass
            return;
        }

        if (stream.HasUnsent && (ready & (IoReadiness.Writable | IoReadiness.Failed)) != 0)
        {
            if (Session.EndIsolated())
            {
                return;
            }

            if (stream.Flush() < 0)
            {
                Session.CloseNow(CloseReason.Reset);
                return;
            }

            if (!stream.HasUnsent)
            {
                stream.SetInterest();
                Session.Ref.Tell(StreamDrained.Instance, ActorRefs.NoSender);
            }
        }

        if (stream.MayRead)
        {
            Read(stream);
        }

        if ((ready & IoReadiness.Failed) != 0 && !stream.HasUnsent
            && stream.Socket.Loop is not null && (stream.Socket.Interest & IoReadiness.Readable) == 0)
        {
            loop.TakeOff(stream.Socket);   // it has hung up, and would be told of on every pass until there is room
        }
    }

    private unsafe void Read(StreamCarrier stream)
    {
        var loop = Session.Loop;
        var settings = Session.Shard.Settings;
        var room = Math.Min(Math.Min(loop.ReadBufferBytes, settings.WriteBuffer), settings.MailboxBytes);
        var underWay = UnderWayBytes + mailbox.WaitingBytes;
        var isFull = underWay + room > settings.MailboxBytes;
        if (isFull || !mailbox.TryEnter(settings, 1, room))
        {
            loop.SetInterest(stream.Socket, stream.Socket.Interest & ~IoReadiness.Readable);
            return;
        }

        var received = stream.Socket.Receive(loop.ReadBuffer, room);
        if (received <= 0)
        {
            mailbox.Leave(1, room);
            OnReadingEnded(stream, received);
            return;
        }

        mailbox.LeavePart(0, room - received);
        Session.CountReceived(1, received);
        Session.Ref.Tell(
            new StreamChunk(new ReadOnlySpan<byte>(loop.ReadBuffer, received), Buffers), ActorRefs.NoSender);
    }

    private void OnReadingEnded(StreamCarrier stream, int received)
    {
        if (received == 0)
        {
            stream.HasEnded = true;
            stream.SetInterest();
            Session.Ref.Tell(StreamFinished.Instance, ActorRefs.NoSender);
        }
        else if ((Errno)(-received) is not (Errno.EAGAIN or Errno.EINTR))
        {
            Session.CloseNow(CloseReason.Reset);
        }
    }
}
