using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>The stream half of a session: reading, back-pressure, half-close, the end.</summary>
public sealed partial class SessionContext
{
    /// <summary>
    /// How long a closed session waits for the peer's own end, so that a late byte of the peer does not turn into a
    /// reset that destroys the last reply under way.
    /// </summary>
    private const int LingerMs = 2_000;

    internal StreamSide? Stream { get; private set; }

    internal bool IsLingering { get; private set; }

    internal static SessionContext ForStream(Shard shard, StreamSocket socket)
    {
        var transport = socket.PeerAddress.IsUnix ? SessionTransport.Unix : SessionTransport.Tcp;
        var session = Begin(shard, transport, socket.PeerAddress, LocalAddr.From(socket.LocalAddress));
        session.Stream = new StreamSide(socket, shard.Loop.Buffers);
        return session;
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
            LingerOn();
        }
        else if (Handler!.OwnsStream)
        {
            Handler.OnIo(this, socket, ready);
        }
        else if (ReferenceEquals(socket, Stream?.Socket))
        {
            OnStreamReady(ready);
        }
        else if (_extras?.Socket is { } own && ReferenceEquals(socket, own))
        {
            OnOwnReady(own);
        }
        else if (Packets is { } packets && ReferenceEquals(socket, packets.Socket))
        {
            OnPacketsReady(packets, ready);
        }
        else
        {
            Handler.OnIo(this, socket, ready);
        }
    }

    private void LingerOn()
    {
        if (Packets is { } packets)
        {
            LingerPackets(packets);
        }
        else
        {
            Linger();
        }
    }

    private void OnStreamReady(IoReadiness ready)
    {
        var stream = Stream!;
        if (stream.HasUnsent
            && (ready & (IoReadiness.Writable | IoReadiness.Failed)) != 0
            && !FlushStream(stream))
        {
            return;
        }

        if (MayRead(stream))
        {
            ReadStream(stream);
        }
        else if ((ready & IoReadiness.Failed) != 0 && stream.Socket.ConnectResult() < 0)
        {
            CloseNow(CloseReason.Reset);
        }
        else if ((ready & IoReadiness.Failed) != 0
            && stream.HasEnded && (stream.IsFinished || PeerAddr.IsUnix))
        {
            CloseNow(CloseReason.Peer);   // of a unix socket a hang-up tells that its peer takes nothing any more
        }
        else if ((ready & IoReadiness.Failed) != 0 && stream.IsStopped)
        {
            Loop.TakeOff(stream.Socket);   // it has hung up, and would be told of on every pass until it is read again
        }
    }

    internal bool MayRead(StreamSide stream) =>
        !IsClosed && !stream.HasEnded && !stream.HasUnsent && !stream.IsStopped;

    private unsafe void ReadStream(StreamSide stream)
    {
        var loop = Loop;
        var received = stream.Socket.Receive(
            loop.ReadBuffer, Math.Min(loop.ReadBufferBytes, _shard.Settings.WriteBuffer));
        if (received > 0)
        {
            CountReceived(1, received);
            Handler!.OnReceived(this, new PayloadBatch(new ReadOnlySpan<byte>(loop.ReadBuffer, received)));
        }
        else if (received == 0)
        {
            stream.HasEnded = true;
            try
            {
                Handler!.OnPeerFinished(this);
            }
            finally
            {
                if (!IsClosed)
                {
                    WatchStream();   // most close by now
                }
            }
        }
        else if ((Errno)(-received) is not (Errno.EAGAIN or Errno.EINTR))
        {
            CloseNow(CloseReason.Reset);
        }
    }

    /// <summary>Sends what was kept; false if the stream is gone.</summary>
    private bool FlushStream(StreamSide stream)
    {
        if (stream.Flush() < 0)
        {
            CloseNow(CloseReason.Reset);
            return false;
        }

        if (!stream.HasUnsent)
        {
            Touch();
            WatchStream();
            if (!IsClosed)
            {
                Handler!.OnDrained(this);
            }
        }

        return true;
    }

    private bool ReplyStream(ReadOnlySpan<byte> payload)
    {
        var output = Stream!;
        return HasRoom(output, payload.Length) && WriteStream(payload);
    }

    private bool HasRoom(StreamOutput output, int length) =>
        !output.IsFinished && (!output.HasUnsent || output.UnsentBytes + length <= _shard.Settings.WriteBuffer);

    /// <summary>Sends or keeps all of it, whatever is kept already; false if the stream is gone.</summary>
    internal unsafe bool WriteStream(ReadOnlySpan<byte> payload)
    {
        var output = Stream!;
        int result;
        fixed (byte* bytes = payload)
        {
            result = output.Write(bytes, payload.Length);
        }

        if (result < 0)
        {
            CloseNow(CloseReason.Reset);
            return false;
        }

        CountSent(1, payload.Length);
        if (output.HasUnsent)
        {
            WatchStream();
        }

        return true;
    }

    /// <summary>Watches for what the stream can go on with: reading stops while anything is unsent.</summary>
    internal void WatchStream()
    {
        var stream = Stream!;
        var interest = stream.HasUnsent ? IoReadiness.Writable : IoReadiness.None;
        Loop.SetInterest(stream.Socket, MayRead(stream) ? interest | IoReadiness.Readable : interest);
    }

    /// <summary>Watches it again, which may have been taken off the loop.</summary>
    internal void ResumeReading()
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

    /// <summary>
    /// Closed, and waiting for the last bytes to leave and for the peer's own end; what it still sends is discarded.
    /// </summary>
    internal unsafe void Linger()
    {
        var stream = Stream!;
        if (stream.Flush() < 0)
        {
            StopActor();
            return;
        }

        if (!stream.HasEnded)
        {
            var received = stream.Socket.Receive(Loop.ReadBuffer, Loop.ReadBufferBytes);
            if (received < 0 && (Errno)(-received) is not (Errno.EAGAIN or Errno.EINTR))
            {
                StopActor();
                return;
            }

            stream.HasEnded = received == 0;
        }

        if (stream.HasEnded && !stream.HasUnsent)
        {
            StopActor();
            return;
        }

        var interest = stream.HasUnsent ? IoReadiness.Writable : IoReadiness.None;
        Loop.SetInterest(stream.Socket, stream.HasEnded ? interest : interest | IoReadiness.Readable);
    }
}
