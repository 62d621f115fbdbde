using Router.Diagnostics;
using Router.Loop;
using Router.Net;

namespace Router.Sessions;

/// <summary>A session over a connection that keeps messages apart (unixpacket): lives like a stream's, and its payloads
/// are messages like a datagram session's.</summary>
public sealed partial class SessionContext
{
    /// <summary>What only such sessions have.</summary>
    internal sealed class PacketState(PacketSocket socket, BufferPool buffers)
    {
        public PacketSocket Socket => socket;

        public PacketOutput Output { get; } = new(socket, buffers);

        public bool PeerFinished { get; set; }

        /// <summary>Its handler wants no more for now.</summary>
        public bool IsStopped { get; set; }

        /// <summary>Nothing more comes and nothing waits.</summary>
        public bool IsOver => PeerFinished && !Output.HasUnsent;
    }

    /// <summary>Null for sessions of all other transports.</summary>
    internal PacketState? Packets => _extras?.Packets;

    /// <summary>A session of an accepted connection, whichever kind it is.</summary>
    internal static SessionContext ForConnection(Shard shard, StreamSocket socket)
    {
        if (socket is not PacketSocket packets)
        {
            return ForStream(shard, socket);
        }

        var session = Begin(shard, SessionTransport.Unixpacket, socket.PeerAddress, default);
        session.Extras.Packets = new PacketState(packets, shard.Loop.Buffers);
        return session;
    }

    /// <summary>Sends or queues a message, whatever is queued already; false if it was refused.</summary>
    internal unsafe bool SendPacket(ReadOnlySpan<byte> payload)
    {
        fixed (byte* bytes = &System.Runtime.InteropServices.MemoryMarshal.GetReference(payload))
        {
            return SendPacket(bytes, payload.Length);
        }
    }

    /// <inheritdoc cref="SendPacket(ReadOnlySpan{byte})"/>
    internal unsafe bool SendPacket(byte* bytes, int length)
    {
        var packets = Packets!;
        byte none = 0;
        var result = packets.Output.Write(bytes is null ? &none : bytes, length);
        if (result == -(int)Errno.EMSGSIZE)
        {
            CountDrop(DropReason.TooLong);
            return false;
        }

        if (result < 0)
        {
            CloseNow(CloseReason.Reset);
            return false;
        }

        CountSent(1, length);
        if (packets.Output.HasUnsent && Handler is { OwnsStream: false })
        {
            WatchPackets(packets);
        }

        return true;
    }

    private bool ReplyPacket(PacketState packets, ReadOnlySpan<byte> payload)
    {
        if (payload.Length > DatagramBytesMax)
        {
            CountDrop(DropReason.TooLong);
            return false;
        }

        return packets.Output.HasRoom(payload.Length, _shard.Settings.WriteBuffer) && SendPacket(payload);
    }

    private void OnPacketsReady(PacketState packets, IoReadiness ready)
    {
        if (packets.Output.HasUnsent && (ready & (IoReadiness.Writable | IoReadiness.Failed)) != 0)
        {
            if (packets.Output.Flush() < 0)
            {
                CloseNow(CloseReason.Reset);
                return;
            }

            if (!packets.Output.HasUnsent)
            {
                Touch();
                Handler!.OnDrained(this);
            }
        }

        for (var i = 0; i < ReceivesPerTurn && MayRead(packets) && ReadPacket(packets); i++)
        {
        }

        if (IsClosed)
        {
            return;
        }

        if ((ready & IoReadiness.Failed) != 0 && packets.PeerFinished)
        {
            CloseNow(CloseReason.Peer);   // gone for good: nothing can be sent to it either
            return;
        }

        if ((ready & IoReadiness.Failed) != 0 && packets.IsStopped)
        {
            Loop.TakeOff(packets.Socket);   // as a stream's: see OnStreamReady
            return;
        }

        WatchPackets(packets);
    }

    private bool MayRead(PacketState packets) =>
        !IsClosed && !packets.PeerFinished && !packets.Output.HasUnsent && !packets.IsStopped;

    /// <returns>Whether there may be more.</returns>
    private unsafe bool ReadPacket(PacketState packets)
    {
        var received = packets.Socket.Receive(Loop.ReadBuffer, DatagramBatch.SlotBytes);
        if (received >= 0)
        {
            TakePacket(new ReadOnlySpan<byte>(Loop.ReadBuffer, received));
            return true;
        }

        switch ((Errno)(-received))
        {
            case Errno.EMSGSIZE:
                CountDrop(DropReason.Truncated);
                return true;
            case Errno.ECONNRESET:
                return true;   // it has closed without reading all; what it sent before is still there
            case Errno.EPIPE:
                packets.PeerFinished = true;
                Handler!.OnPeerFinished(this);
                return false;
            case Errno.EAGAIN or Errno.EINTR or Errno.ENOMEM or Errno.ENOBUFS:
                return false;
            default:
                CloseNow(CloseReason.Reset);
                return false;
        }
    }

    private void TakePacket(ReadOnlySpan<byte> payload)
    {
        CountReceived(1, payload.Length);
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

    private void WatchPackets(PacketState packets)
    {
        var interest = packets.Output.HasUnsent ? IoReadiness.Writable : IoReadiness.None;
        Loop.SetInterest(packets.Socket, MayRead(packets) ? interest | IoReadiness.Readable : interest);
    }

    /// <summary>Closed: as a stream lingers, see <see cref="Linger"/>.</summary>
    private unsafe void LingerPackets(PacketState packets)
    {
        if (packets.Output.Flush() < 0)
        {
            StopActor();
            return;
        }

        for (var i = 0; i < ReceivesPerTurn && !packets.PeerFinished; i++)
        {
            var received = packets.Socket.Receive(Loop.ReadBuffer, DatagramBatch.SlotBytes);
            packets.PeerFinished = received == -(int)Errno.EPIPE;
            if (received == -(int)Errno.EAGAIN)
            {
                break;
            }
        }

        if (packets.IsOver)
        {
            StopActor();
            return;
        }

        var interest = packets.Output.HasUnsent ? IoReadiness.Writable : IoReadiness.None;
        Loop.SetInterest(packets.Socket, packets.PeerFinished ? interest : interest | IoReadiness.Readable);
    }
}
