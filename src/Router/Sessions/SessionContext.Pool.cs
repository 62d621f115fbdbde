using Router.Diagnostics;
using Router.Loop;
using Router.Net;

namespace Router.Sessions;

/// <summary>
/// A session whose handler runs on the pool: what passes between it and its loop, copied and bounded.
/// </summary>
/// <remarks>
/// Towards the handler: datagram runs are detached, stream bytes copied, and counted until handled; beyond the
/// mailbox's limits datagrams are dropped and a stream is not read. Back: replies pass through the loop's foreign
/// queue, bounded by the same bytes; what was taken from a stream's handler is never dropped on the way, and what it
/// has under way counts against what is read for it.
/// </remarks>
public sealed partial class SessionContext
{
    /// <summary>Counts a payload message in, if the mailbox has room for it. Loop thread.</summary>
    internal bool TryEnter(int messages, int bytes)
    {
        var settings = _shard.Settings;
        var extras = Extras;
        if (Volatile.Read(ref extras.WaitingMessages) + messages > settings.MailboxMessages
            || Volatile.Read(ref extras.WaitingBytes) + bytes > settings.MailboxBytes)
        {
            return false;
        }

        Interlocked.Add(ref extras.WaitingMessages, messages);
        Interlocked.Add(ref extras.WaitingBytes, bytes);
        Interlocked.Increment(ref extras.WaitingBuffers);
        return true;
    }

    /// <summary>Counts it out again: handled or dropped. Any thread.</summary>
    internal void Leave(int messages, int bytes)
    {
        LeavePart(messages, bytes);
        Interlocked.Decrement(ref _extras!.WaitingBuffers);
    }

    /// <summary>Counts some payloads of a message out, whose others still wait in its buffer.</summary>
    internal void LeavePart(int messages, int bytes)
    {
        Interlocked.Add(ref _extras!.WaitingMessages, -messages);
        Interlocked.Add(ref _extras.WaitingBytes, -bytes);
    }

    /// <summary>The session has ended: what still waits in its mailbox is dropped with it.</summary>
    private void LeaveAll()
    {
        if (_extras is not { } extras)
        {
            return;
        }

        if (Volatile.Read(ref extras.WaitingMessages) is > 0 and var waiting)
        {
            CountDrop(DropReason.SessionClosed, waiting);
        }

        Loop.Buffers.Abandon(Volatile.Read(ref extras.WaitingBuffers));
    }

    /// <summary>In the handler's turn on the pool: bytes of a stream.</summary>
    internal void OnChunk(StreamChunk chunk)
    {
        try
        {
            if (!IsClosed)
            {
                Handler!.OnReceived(this, new PayloadBatch(chunk.Bytes));
            }
        }
        finally
        {
            Leave(1, chunk.Length);
            chunk.Release();
            OnLoop(static session => session.ResumeReading());
        }
    }

    /// <summary>Runs a step on the loop's thread: at once if this is it.</summary>
    private void OnLoop(Action<SessionContext> step)
    {
        if (Loop.IsCurrent)
        {
            step(this);
        }
        else
        {
            Loop.Enqueue(new LoopStep(this, step));
        }
    }

    /// <summary>The same, with what the step needs: one that captured it would cost an object also where this is the
    /// loop, at every drop and every end.</summary>
    private void OnLoop<T>(Action<SessionContext, T> step, T with)
    {
        if (Loop.IsCurrent)
        {
            step(this, with);
        }
        else
        {
            Loop.Enqueue(new LoopStep<T>(this, step, with));
        }
    }

    private bool ReplyFromPool(ReadOnlySpan<byte> payload)
    {
        if (IsClosed)
        {
            return false;
        }

        var extras = _extras!;
        var waiting = Interlocked.Add(ref extras.ReplyBytes, payload.Length) + Volatile.Read(ref extras.UnsentBytes);
        if (waiting > _shard.Settings.MailboxBytes && waiting != payload.Length)
        {
            Interlocked.Add(ref extras.ReplyBytes, -payload.Length);
            if (Stream is not null)
            {
                AskForDrained();
            }
            else
            {
                OnLoop(static session => session.CountDrop(DropReason.SendFull));
            }

            return false;
        }

        var bytes = Loop.Buffers.Rent(payload.Length);
        payload.CopyTo(bytes);
        Loop.Enqueue(new PoolReply(this, bytes, payload.Length));
        return true;
    }

    /// <summary>
    /// A reply has arrived on the loop. A stream's is sent or kept whatever the write buffer holds: its handler was
    /// told that it was taken. For the same reason one that comes too late is a counted drop.
    /// </summary>
    private void LandReply(ReadOnlySpan<byte> payload)
    {
        Interlocked.Add(ref _extras!.ReplyBytes, -payload.Length);
        if (IsClosed)
        {
            CountDrop(DropReason.SessionClosed);
        }
        else if (Stream is not { } stream)
        {
            ReplyDatagram(payload);   // counts what it does not take
        }
        else if (!stream.IsFinished && WriteStream(payload))
        {
            Volatile.Write(ref _extras!.UnsentBytes, stream.UnsentBytes);
            ResumeReading();
        }
        else
        {
            CountDrop(DropReason.SessionClosed);   // behind the end of the replies, or the stream is gone
        }
    }

    /// <summary>
    /// A reply was refused: the handler is told when all before it have left. What was under way to the loop is there
    /// by then.
    /// </summary>
    private void AskForDrained()
    {
        if (Interlocked.Exchange(ref _extras!.DrainedAsked, 1) == 0)
        {
            OnLoop(static session =>
            {
                Volatile.Write(ref session._extras!.DrainedAsked, 0);
                if (session.Stream is { HasUnsent: false })
                {
                    session.Ref.Tell(StreamDrained.Instance, ActorRefs.NoSender);
                }
            });
        }
    }

    private void OnReadyForPool(IoReadiness ready)
    {
        if (IsLingering)
        {
            Linger();
            return;
        }

        var stream = Stream!;
        if (IsClosed)
        {
            Loop.TakeOff(stream.Socket);   // until its handler returns: a hang-up would be told of on every pass
            return;
        }

        if (stream.HasUnsent && (ready & (IoReadiness.Writable | IoReadiness.Failed)) != 0)
        {
            if (stream.Flush() < 0)
            {
                CloseNow(CloseReason.Reset);
                return;
            }

            Volatile.Write(ref _extras!.UnsentBytes, stream.UnsentBytes);
            if (!stream.HasUnsent)
            {
                WatchStream();
                Ref.Tell(StreamDrained.Instance, ActorRefs.NoSender);
            }
        }

        if (MayRead(stream))
        {
            ReadForPool(stream);
        }

        if ((ready & IoReadiness.Failed) != 0 && !stream.HasUnsent
            && stream.Socket.Loop is not null && (stream.Socket.Interest & IoReadiness.Readable) == 0)
        {
            Loop.TakeOff(stream.Socket);   // it has hung up, and would be told of on every pass until there is room
        }
    }

    private unsafe void ReadForPool(StreamSide stream)
    {
        var settings = _shard.Settings;
        var room = Math.Min(Math.Min(Loop.ReadBufferBytes, settings.WriteBuffer), settings.MailboxBytes);
        var extras = _extras!;
        var underWay = Volatile.Read(ref extras.ReplyBytes) + Volatile.Read(ref extras.WaitingBytes);
        var isFull = underWay + room > settings.MailboxBytes;
        if (isFull || !TryEnter(1, room))
        {
            Loop.SetInterest(stream.Socket, stream.Socket.Interest & ~IoReadiness.Readable);
            return;
        }

        var received = stream.Socket.Receive(Loop.ReadBuffer, room);
        if (received <= 0)
        {
            Leave(1, room);
            EndOfReading(stream, received);
            return;
        }

        Interlocked.Add(ref extras.WaitingBytes, received - room);
        CountReceived(1, received);
        Ref.Tell(new StreamChunk(new ReadOnlySpan<byte>(Loop.ReadBuffer, received), Loop.Buffers), ActorRefs.NoSender);
    }

    private void EndOfReading(StreamSide stream, int received)
    {
        if (received == 0)
        {
            stream.HasEnded = true;
            WatchStream();
            Ref.Tell(StreamFinished.Instance, ActorRefs.NoSender);
        }
        else if ((Errno)(-received) is not (Errno.EAGAIN or Errno.EINTR))
        {
            CloseNow(CloseReason.Reset);
        }
    }

    private void ResumeReading()
    {
        if (Stream is not { Socket.IsClosed: false } stream || IsClosed)
        {
            return;
        }

        if (stream.Socket.Loop is not null)
        {
            WatchStream();
        }
        else if (MayRead(stream) && Watch(stream.Socket, IoReadiness.Readable) < 0)
        {
            CloseNow(CloseReason.Reset);
        }
    }

    private sealed class LoopStep(SessionContext session, Action<SessionContext> step) : IRunnable
    {
        public void Run() => step(session);

        public void Execute() => Run();
    }

    private sealed class LoopStep<T>(SessionContext session, Action<SessionContext, T> step, T with) : IRunnable
    {
        public void Run() => step(session, with);

        public void Execute() => Run();
    }

    private sealed class PoolReply(SessionContext session, byte[] bytes, int length) : IRunnable
    {
        public void Run()
        {
            session.LandReply(bytes.AsSpan(0, length));
            session.Loop.Buffers.Return(bytes);
        }

        public void Execute() => Run();
    }
}

/// <summary>Bytes of a stream on their way to a handler on the pool.</summary>
internal sealed class StreamChunk
{
    private readonly BufferPool _buffers;
    private byte[] _bytes;

    public StreamChunk(ReadOnlySpan<byte> bytes, BufferPool buffers)
    {
        _buffers = buffers;
        _bytes = buffers.Rent(bytes.Length);
        bytes.CopyTo(_bytes);
        Length = bytes.Length;
    }

    public int Length { get; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    public void Release()
    {
        var bytes = _bytes;
        _bytes = [];
        _buffers.Return(bytes);
    }
}

internal sealed class StreamFinished
{
    public static readonly StreamFinished Instance = new();
}

internal sealed class StreamDrained
{
    public static readonly StreamDrained Instance = new();
}
