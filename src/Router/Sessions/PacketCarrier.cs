using System.Runtime.InteropServices;
using Router.Diagnostics;
using Router.Loop;
using Router.Net;

namespace Router.Sessions;

/// <summary>A session's connection that keeps messages apart (unixpacket): it lives like a stream, and its payloads are
/// messages like a datagram session's.</summary>
internal sealed class PacketCarrier(SessionContext session, PacketSocket socket, BufferPool buffers) : ISessionCarrier
{
    IoSocket? ISessionCarrier.Socket => socket;

    public PacketSocket Socket => socket;

    public PacketOutput Output { get; } = new(socket, buffers);

    public bool PeerFinished { get; set; }

    /// <summary>Nothing more comes and nothing waits.</summary>
    public bool IsOver => PeerFinished && !Output.HasUnsent;

    /// <summary>Its handler wants no more for now.</summary>
    private bool IsStopped { get; set; }

    public bool IsPeerHeld => !PeerFinished && (Output.HasUnsent || IsStopped);

    private bool MayRead => !session.IsClosed && !PeerFinished && !Output.HasUnsent && !IsStopped;

    public int UnsentBytes => Output.UnsentBytes;

    public bool Send(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > SessionContext.DatagramBytesMax)
        {
            session.CountDrop(DropReason.TooLong);
            return false;
        }

        return Output.HasRoom(payload.Length, session.Shard.Settings.WriteBuffer) && Keep(payload);
    }

    public unsafe bool Keep(ReadOnlySpan<byte> payload)
    {
        fixed (byte* bytes = &MemoryMarshal.GetReference(payload))
        {
            return !Output.IsFinished && Write(bytes, payload.Length);
        }
    }

    /// <summary>Sends or queues a message, whatever is queued already; false if it was refused.</summary>
    public unsafe bool Write(byte* bytes, int length)
    {
        if (session.EndIsolated())
        {
            return false;
        }

        byte none = 0;
        var result = Output.Write(bytes is null ? &none : bytes, length);
        if (result == -(int)Errno.EMSGSIZE)
        {
            session.CountDrop(DropReason.TooLong);
            return false;
        }

        if (result < 0)
        {
            session.CloseNow(CloseReason.Reset);
            return false;
        }

        session.CountSent(1, length);
        session.Traced?.Sent(new ReadOnlySpan<byte>(bytes, length));
        if (Output.HasUnsent && session.Handler is { OwnsStream: false })
        {
            SetInterest();
        }

        return true;
    }

    public void Finish() => Output.Finish();

    public void OnReady(IoReadiness ready)
    {
        if (Output.HasUnsent && (ready & (IoReadiness.Writable | IoReadiness.Failed)) != 0)
        {
            if (session.EndIsolated())
            {
                return;
            }

            if (Output.Flush() < 0)
            {
                session.CloseNow(CloseReason.Reset);
                return;
            }

            if (!Output.HasUnsent)
            {
                session.Touch();
                session.Handler!.OnDrained(session);
            }
        }

        for (var i = 0; i < ISessionCarrier.ReceivesPerTurn && MayRead && Read(); i++)
        {
        }

        if (session.IsClosed)
        {
            return;
        }

        if ((ready & IoReadiness.Failed) != 0 && PeerFinished)
        {
            session.CloseNow(CloseReason.Peer);   // gone for good: nothing can be sent to it either
            return;
        }

        if ((ready & IoReadiness.Failed) != 0 && IsStopped)
        {
            session.Loop.TakeOff(socket);   // as a stream's: see StreamCarrier
            return;
        }

        SetInterest();
    }

    public void SetReading(bool isStopped)
    {
        if (IsStopped == isStopped)
        {
            return;
        }

        IsStopped = isStopped;
        if (socket.Loop is not null)
        {
            SetInterest();
        }
        else if (MayRead && session.Watch(socket, IoReadiness.Readable) < 0)
        {
            session.CloseNow(CloseReason.Reset);
        }
    }

    public bool TryLinger(CloseReason reason)
    {
        if (socket.IsClosed || (IsOver && !reason.IsAbort()))
        {
            return false;
        }

        Output.Finish();
        return true;
    }

    public unsafe void Linger()
    {
        if ((Output.HasUnsent && session.EndIsolated()) || Output.Flush() < 0)
        {
            SessionEnd.StopActor(session);
            return;
        }

        for (var i = 0; i < ISessionCarrier.ReceivesPerTurn && !PeerFinished; i++)
        {
            var received = socket.Receive(session.Loop.ReadBuffer, DatagramBatch.SlotBytes);
            PeerFinished = received == -(int)Errno.EPIPE;
            if (received == -(int)Errno.EAGAIN)
            {
                break;
            }
        }

        if (IsOver)
        {
            SessionEnd.StopActor(session);
            return;
        }

        var interest = Output.HasUnsent ? IoReadiness.Writable : IoReadiness.None;
        session.Loop.SetInterest(socket, PeerFinished ? interest : interest | IoReadiness.Readable);
    }

    public void Release(CloseReason reason)
    {
        Output.Release();
        socket.Dispose();
    }

    /// <returns>Whether there may be more.</returns>
    private unsafe bool Read()
    {
        var received = socket.Receive(session.Loop.ReadBuffer, DatagramBatch.SlotBytes);
        if (received >= 0)
        {
            session.CountReceived(1, received);
            SessionTurn.Receive(session, new ReadOnlySpan<byte>(session.Loop.ReadBuffer, received));
            return true;
        }

        switch ((Errno)(-received))
        {
            case Errno.EMSGSIZE:
                session.CountDrop(DropReason.Truncated);
                return true;
            case Errno.ECONNRESET:
                return true;   // it has closed without reading all; what it sent before is still there
            case Errno.EPIPE:
                PeerFinished = true;
                session.Handler!.OnPeerFinished(session);
                return false;
            case Errno.EAGAIN or Errno.EINTR or Errno.ENOMEM or Errno.ENOBUFS:
                return false;
            default:
                session.CloseNow(CloseReason.Reset);
                return false;
        }
    }

    private void SetInterest()
    {
        var interest = Output.HasUnsent ? IoReadiness.Writable : IoReadiness.None;
        session.Loop.SetInterest(socket, MayRead ? interest | IoReadiness.Readable : interest);
    }
}
