using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>A bound SOCK_DGRAM unix socket by recvmmsg(2) and sendmmsg(2).</summary>
/// <remarks>
/// Every message brings its sender's name and credentials (SCM_CREDENTIALS), which together are the peer. One whose
/// sender has no name comes as of a peer with the number 0, which cannot be answered. Descriptors that are sent along
/// find no room and are closed by the kernel. A message that one peer does not take is counted, and the others go on:
/// it is that peer's queue that is full (net.unix.max_dgram_qlen), or that peer that is gone.
/// </remarks>
internal sealed unsafe class LinuxUnixDatagramSocket : DatagramSocket
{
    /// <summary>A cmsghdr and a struct ucred, and room for nothing else.</summary>
    private const int ControlBytes = 32;

    private const int NameBytes = 112;

    private readonly LinuxCalls _calls;
    private readonly UnixSocketFile? _file;
    private DatagramBatch? _batch;   // the one the headers below point into
    private MessageHeader* _headers;
    private IoVector* _vectors;
    private byte* _names;
    private byte* _control;

    public LinuxUnixDatagramSocket(LinuxCalls calls, int fd, in SocketAddr local, UnixSocketFile? file)
        : base(fd)
    {
        _calls = calls;
        _file = file;
        LocalAddress = local;
        BufferSizes = (
            Math.Max(0, calls.GetOption(fd, Libc.SolSocket, Libc.SoReceiveBuffer)),
            Math.Max(0, calls.GetOption(fd, Libc.SolSocket, Libc.SoSendBuffer)));
    }

    public override SocketAddr LocalAddress { get; }

    public override (int Receive, int Send) BufferSizes { get; }

    public override int Receive(DatagramBatch batch)
    {
        if (!ReferenceEquals(batch, _batch))
        {
            Prepare(batch);
        }

        batch.Generation++;
        batch.Count = 0;
        var count = _calls.ReceiveManyNow(Descriptor, _headers, batch.Capacity, Libc.MsgTruncated);
        if (count < 0)
        {
            return count == -(int)Errno.EAGAIN || SocketErrors.Classify((Errno)(-count)) == SocketErrorClass.Peer
                ? 0
                : count;
        }

        for (var i = 0; i < count; i++)
        {
            Take(batch, i);
        }

        batch.Count = count;
        return count;
    }

    public override void Send(DatagramQueue queue)
    {
        var raw = stackalloc byte[NameBytes];
        for (var i = 0; i < queue.Count; i++)
        {
            var result = SendOne(queue.At(i), raw);
            if (result >= 0)
            {
                continue;
            }

            if ((Errno)(-result) is Errno.EAGAIN or Errno.ENOBUFS or Errno.ENOMEM)
            {
                queue.DroppedFull++;
                continue;
            }

            queue.DroppedRefused++;
            queue.LastRefusal = (Errno)(-result);
        }

        queue.Clear();
    }

    protected override void Close()
    {
        _file?.Remove();
        _calls.Close(Descriptor);
        Release();
    }

    private int SendOne(DatagramQueue.Entry* entry, byte* raw)
    {
        var length = UnixSocketName.Write(entry->Peer, raw);
        if (length < 0)
        {
            return length;
        }

        var vector = new IoVector { Base = entry->Payload, Length = (nuint)entry->Length };
        var header = new MessageHeader
        {
            Name = (SocketAddr*)raw,
            NameLength = (uint)length,
            Vectors = &vector,
            VectorCount = 1,
        };
        return _calls.SendManyNow(Descriptor, &header, 1);
    }

    private void Take(DatagramBatch batch, int slot)
    {
        var header = _headers + slot;
        var length = (int)header->Moved;
        batch.Length(slot) = (header->Flags & Libc.MsgTruncated) != 0 ? -length : length;
        batch.Local(slot) = default;
        batch.Segment(slot) = 0;
        var name = UnixSocketName.Read((byte*)header->Name, header->NameLength);
        var number = name.IsEmpty ? 0 : UnixNames.NumberOf(name, CredentialsIn(header));
        batch.Peer(slot) = SocketAddr.Unix(UnixSocketType.Datagram, number);
        header->NameLength = UnixSocketName.Bytes;
        header->ControlLength = ControlBytes;
        header->Flags = 0;
    }

    private static PeerCredentials? CredentialsIn(MessageHeader* header)
    {
        var control = (ControlHeader*)header->Control;
        return header->ControlLength >= (nuint)(sizeof(ControlHeader) + sizeof(PeerCredentials))
            && control->Level == Libc.SolSocket && control->Type == LibcUnix.ScmCredentials
                ? *(PeerCredentials*)(control + 1)
                : null;
    }

    private void Prepare(DatagramBatch batch)
    {
        Check.That(Descriptor >= 0);
        Release();
        _batch = batch;
        var capacity = (nuint)batch.Capacity;
        _headers = (MessageHeader*)NativeMemory.AllocZeroed(capacity, (nuint)sizeof(MessageHeader));
        _vectors = (IoVector*)NativeMemory.AllocZeroed(capacity, (nuint)sizeof(IoVector));
        _names = (byte*)NativeMemory.AllocZeroed(capacity, NameBytes);
        _control = (byte*)NativeMemory.AllocZeroed(capacity, ControlBytes);
        for (var i = 0; i < batch.Capacity; i++)
        {
            _vectors[i] = new IoVector { Base = batch.Payload(i), Length = DatagramBatch.SlotBytes };
            _headers[i] = new MessageHeader
            {
                Name = (SocketAddr*)(_names + (i * NameBytes)),
                NameLength = UnixSocketName.Bytes,
                Vectors = _vectors + i,
                VectorCount = 1,
                Control = _control + (i * ControlBytes),
                ControlLength = ControlBytes,
            };
        }
    }

    private void Release()
    {
        NativeMemory.Free(_headers);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_names);
        NativeMemory.Free(_control);
        _headers = null;
        _vectors = null;
        _names = null;
        _control = null;
        _batch = null;
    }
}
