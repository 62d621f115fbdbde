using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>A bound UDP socket of the base library: a call per datagram.</summary>
/// <remarks>
/// The base library can tell the local address of a datagram (on a wildcard bind, at the price of objects) but cannot
/// send from a chosen one: that is done by sendmsg(2), see <see cref="LibcPortable.HasSendMessage"/>. Asking first
/// whether something is there costs a call, an exception for "nothing" would cost much more.
/// </remarks>
internal sealed unsafe class PortableDatagramSocket : DatagramSocket, IPortableSocket
{
    private readonly bool _wantsLocal;
    private readonly PortableAddress _from;
    private readonly PortableAddress _to;
    private readonly EndPoint _anyEndPoint;

    public PortableDatagramSocket(Socket socket, bool wantsLocal)
        : base(PortableNetwork.DescriptorOf(socket))
    {
        Inner = socket;
        _wantsLocal = wantsLocal;
        var local = (IPEndPoint)socket.LocalEndPoint!;
        LocalAddress = PortableNetwork.FromEndPoint(local);
        BufferSizes = (socket.ReceiveBufferSize, socket.SendBufferSize);
        _from = new PortableAddress(LocalAddress.Family);
        _to = new PortableAddress(LocalAddress.Family);
        _anyEndPoint = new IPEndPoint(local.Address, 0);
    }

    public Socket Inner { get; }

    public override SocketAddr LocalAddress { get; }

    public override (int Receive, int Send) BufferSizes { get; }

    public override int Receive(DatagramBatch batch)
    {
        batch.Generation++;
        batch.Count = 0;
        while (batch.Count < batch.Capacity)
        {
            var result = ReceiveOne(batch, batch.Count);
            if (result < 0)
            {
                return batch.Count > 0 || SocketErrors.Classify((Errno)(-result)) is SocketErrorClass.Peer
                    or SocketErrorClass.Transient
                    ? batch.Count
                    : result;
            }

            batch.Count++;
        }

        return batch.Count;
    }

    public override void Send(DatagramQueue queue)
    {
        for (var i = 0; i < queue.Count; i++)
        {
            var errno = SendOne(queue.At(i));
            if (SocketErrors.Classify(errno) == SocketErrorClass.Peer && errno != Errno.Success)
            {
                errno = SendOne(queue.At(i));   // the first may tell of an earlier datagram
            }

            if (errno is Errno.EAGAIN or Errno.ENOBUFS or Errno.ENOMEM)
            {
                queue.DroppedFull++;
            }
            else if (errno != Errno.Success)
            {
                queue.DroppedRefused++;
                queue.LastRefusal = errno;
            }
        }

        queue.Clear();
    }

    protected override void Close() => Inner.Dispose();

    private int ReceiveOne(DatagramBatch batch, int slot)
    {
        try
        {
            if (!Inner.Poll(0, SelectMode.SelectRead))
            {
                return -(int)Errno.EAGAIN;
            }

            var room = new Span<byte>(batch.Payload(slot), DatagramBatch.SlotBytes);
            batch.Segment(slot) = 0;
            ref var local = ref batch.Local(slot);
            local = default;
            if (!_wantsLocal)
            {
                _from.PrepareToReceive();
                batch.Length(slot) = Inner.ReceiveFrom(room, SocketFlags.None, _from.Raw);
                _from.Read(ref batch.Peer(slot));
                return 0;
            }

            var flags = SocketFlags.None;
            var from = _anyEndPoint;
            var length = Inner.ReceiveMessageFrom(room, ref flags, ref from, out var information);
            batch.Length(slot) = (flags & SocketFlags.Truncated) != 0 ? -length : length;
            batch.Peer(slot) = SocketAddr.From((IPEndPoint)from);
            local = information.Address is { } address ? LocalAddr.From(address) : default;
            return 0;
        }
        catch (SocketException refused)
        {
            return PortableErrors.Negative(refused.SocketErrorCode);
        }
        catch (ObjectDisposedException)
        {
            return -(int)Errno.EBADF;
        }
    }

    private Errno SendOne(DatagramQueue.Entry* entry)
    {
        if (_wantsLocal && !entry->Local.IsEmpty)
        {
            var errno = SendFrom(entry);
            if (errno is not (Errno.ENETUNREACH or Errno.EINVAL or Errno.EADDRNOTAVAIL))
            {
                return errno;
            }

            // Nothing can be sent from a broadcast's address, which is what is told of one: the route decides.
        }

        try
        {
            _to.Write(entry->Peer);
            Inner.SendTo(new ReadOnlySpan<byte>(entry->Payload, entry->Length), SocketFlags.None, _to.Raw);
            return Errno.Success;
        }
        catch (SocketException refused)
        {
            return PortableErrors.From(refused.SocketErrorCode);
        }
        catch (ObjectDisposedException)
        {
            return Errno.EBADF;
        }
    }

    private Errno SendFrom(DatagramQueue.Entry* entry)
    {
        var control = stackalloc byte[LinuxDatagramSender.ControlBytes];
        var vector = new IoVector { Base = entry->Payload, Length = (nuint)entry->Length };
        var header = new MessageHeader
        {
            Name = &entry->Peer,
            NameLength = (uint)entry->Peer.Length,
            Vectors = &vector,
            VectorCount = 1,
            Control = control,
            ControlLength = (nuint)LinuxDatagramSender.WriteLocal(control, LocalAddress.Family, entry->Local),
        };
        var sent = LibcPortable.SendMessage(Descriptor, &header, Libc.MsgDontWait | Libc.MsgNoSignal);
        return sent < 0 ? (Errno)Marshal.GetLastSystemError() : Errno.Success;
    }
}

/// <summary>A connected UDP socket of the base library.</summary>
internal sealed unsafe class PortableConnectedDatagramSocket : ConnectedDatagramSocket, IPortableSocket
{
    // A longer datagram than the caller has room for must be known by its length, so it is taken in whole and then
    // cut.
    private readonly byte[] _whole = GC.AllocateUninitializedArray<byte>(DatagramBatch.SlotBytes);

    public PortableConnectedDatagramSocket(Socket socket)
        : base(PortableNetwork.DescriptorOf(socket))
    {
        Inner = socket;
        LocalAddress = PortableNetwork.FromEndPoint((IPEndPoint)socket.LocalEndPoint!);
    }

    public Socket Inner { get; }

    public override SocketAddr LocalAddress { get; }

    public override int Receive(byte* buffer, int capacity)
    {
        if (IsClosed)
        {
            return -(int)Errno.EBADF;
        }

        var length = Inner.Receive(_whole, SocketFlags.None, out var error);
        if (error != SocketError.Success)
        {
            return PortableErrors.Negative(Refused(error));
        }

        _whole.AsSpan(0, Math.Min(length, capacity)).CopyTo(new Span<byte>(buffer, capacity));
        return length > capacity ? -(int)Errno.EMSGSIZE : length;
    }

    public override int Send(byte* payload, int length)
    {
        if (IsClosed)
        {
            return -(int)Errno.EBADF;
        }

        var sent = Inner.Send(new ReadOnlySpan<byte>(payload, length), SocketFlags.None, out var error);
        return error == SocketError.Success ? sent : PortableErrors.Negative(Refused(error));
    }

    protected override void Close() => Inner.Dispose();

    /// <summary>Windows calls "port unreachable" a reset.</summary>
    private static SocketError Refused(SocketError error) =>
        error == SocketError.ConnectionReset ? SocketError.ConnectionRefused : error;
}
