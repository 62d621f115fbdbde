using Router.Diagnostics;
using Router.Loop;
using Router.Net;

namespace Router.Sessions;

/// <summary>What passes between a handler that runs on the pool and its session's loop, copied and bounded.</summary>
/// <remarks>
/// Towards the handler: datagram runs are detached, stream bytes copied, and counted until handled; beyond the
/// mailbox's limits datagrams are dropped and a stream is not read. Back: replies pass through the loop's foreign
/// queue, bounded by the same bytes; what was taken from a stream's handler is never dropped on the way, and what it
/// has under way counts against what is read for it.
/// </remarks>
internal sealed class PoolBridge(SessionContext session, SessionExtras mailbox)
{
    private readonly BufferPool _buffers = session.Loop.Buffers;
    private int _replyBytes;     // on their way to the loop; any thread, atomically, as the next two
    private int _unsentBytes;    // of a stream: arrived there, not yet sent
    private int _drainedAsked;

    /// <summary>Takes a reply to the loop. The handler's thread.</summary>
    public bool Reply(ReadOnlySpan<byte> payload)
    {
        if (session.IsClosed)
        {
            return false;
        }

        var waiting = Interlocked.Add(ref _replyBytes, payload.Length) + Volatile.Read(ref _unsentBytes);
        if (waiting > session.Shard.Settings.MailboxBytes && waiting != payload.Length)
        {
            Interlocked.Add(ref _replyBytes, -payload.Length);
            if (session.Stream is not null)
            {
                AskForDrained();
            }
            else
            {
                session.OnLoop(static session => session.CountDrop(DropReason.SendFull));
            }

            return false;
        }

        var bytes = _buffers.Rent(payload.Length);
        payload.CopyTo(bytes);
        session.Loop.Enqueue(new PoolReply(this, bytes, payload.Length));
        return true;
    }

    /// <summary>In the handler's turn on the pool: bytes of a stream.</summary>
    public void OnChunk(StreamChunk chunk)
    {
        try
        {
            if (!session.IsClosed)
            {
                session.Handler!.OnReceived(session, new PayloadBatch(chunk.Bytes));
            }
        }
        finally
        {
            mailbox.Leave(1, chunk.Length);
            chunk.Release();
            session.OnLoop(static session => session.Stream?.Resume());
        }
    }

    /// <summary>The session's stream is ready. Loop thread.</summary>
    public void OnReady(IoReadiness ready)
    {
        if (session.IsLingering)
        {
            session.Stream!.Linger();
            return;
        }

        var loop = session.Loop;
        var stream = session.Stream!;
        if (session.IsClosed)
        {
            loop.TakeOff(stream.Socket);   // until its handler returns: a hang-up would be told of on every pass
            return;
        }

        if (stream.HasUnsent && (ready & (IoReadiness.Writable | IoReadiness.Failed)) != 0)
        {
            if (stream.Flush() < 0)
            {
                session.CloseNow(CloseReason.Reset);
                return;
            }

            Volatile.Write(ref _unsentBytes, stream.UnsentBytes);
            if (!stream.HasUnsent)
            {
                stream.SetInterest();
                session.Ref.Tell(StreamDrained.Instance, ActorRefs.NoSender);
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

    /// <summary>
    /// A reply has arrived on the loop. A stream's is sent or kept whatever the write buffer holds: its handler was
    /// told that it was taken. For the same reason one that comes too late is a counted drop.
    /// </summary>
    private void Land(ReadOnlySpan<byte> payload)
    {
        Interlocked.Add(ref _replyBytes, -payload.Length);
        if (session.IsClosed)
        {
            session.CountDrop(DropReason.SessionClosed);
        }
        else if (session.Stream is not { } stream)
        {
            session.ReplyOnLoop(payload);   // counts what it does not take
        }
        else if (!stream.IsFinished && stream.Write(payload))
        {
            Volatile.Write(ref _unsentBytes, stream.UnsentBytes);
            stream.Resume();
        }
        else
        {
            session.CountDrop(DropReason.SessionClosed);   // behind the end of the replies, or the stream is gone
        }
    }

    /// <summary>
    /// A reply was refused: the handler is told when all before it have left. What was under way to the loop is there
    /// by then.
    /// </summary>
    private void AskForDrained()
    {
        if (Interlocked.Exchange(ref _drainedAsked, 1) == 0)
        {
            session.OnLoop(
                static (session, bridge) =>
                {
                    Volatile.Write(ref bridge._drainedAsked, 0);
                    if (session.Stream is { HasUnsent: false })
                    {
                        session.Ref.Tell(StreamDrained.Instance, ActorRefs.NoSender);
                    }
                },
                this);
        }
    }

    private unsafe void Read(StreamCarrier stream)
    {
        var loop = session.Loop;
        var settings = session.Shard.Settings;
        var room = Math.Min(Math.Min(loop.ReadBufferBytes, settings.WriteBuffer), settings.MailboxBytes);
        var underWay = Volatile.Read(ref _replyBytes) + mailbox.WaitingBytes;
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
        session.CountReceived(1, received);
        session.Ref.Tell(
            new StreamChunk(new ReadOnlySpan<byte>(loop.ReadBuffer, received), _buffers), ActorRefs.NoSender);
    }

    private void OnReadingEnded(StreamCarrier stream, int received)
    {
        if (received == 0)
        {
            stream.HasEnded = true;
            stream.SetInterest();
            session.Ref.Tell(StreamFinished.Instance, ActorRefs.NoSender);
        }
        else if ((Errno)(-received) is not (Errno.EAGAIN or Errno.EINTR))
        {
            session.CloseNow(CloseReason.Reset);
        }
    }

    private sealed class PoolReply(PoolBridge bridge, byte[] bytes, int length) : IRunnable
    {
        public void Run()
        {
            bridge.Land(bytes.AsSpan(0, length));
            bridge._buffers.Return(bytes);
        }

        public void Execute() => Run();
    }
}
