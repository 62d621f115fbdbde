using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>A bound UDP socket by recvmmsg(2) and sendmmsg(2).</summary>
/// <remarks>
/// Bound to a wildcard it asks for each datagram's local address (IP_PKTINFO, IPV6_PKTINFO); a dual-stack socket gets
/// both for IPv4 datagrams. With UDP_GRO a slot may receive a train, and its segment size comes as
/// a control message; a datagram that came alone has none, so that nothing is paid for trains that do not come. The
/// header array is made once per batch and mended slot by slot.
/// </remarks>
internal sealed unsafe class LinuxDatagramSocket : DatagramSocket
{
    private const int ControlBytes = 96;       // in6_pktinfo 40, in_pktinfo 32, segment size 24

    private const int DiscardsMax = 65_536;

    private readonly LinuxCalls _calls;
    private readonly LinuxDatagramSender _sender;
    private readonly bool _wantsControl;
    private DatagramBatch? _batch;             // the one the headers below point into
    private MessageHeader* _headers;
    private IoVector* _vectors;
    private byte* _control;
    private uint _dropsSeen;

    /// <param name="wantsLocal">IP_PKTINFO or IPV6_PKTINFO is set.</param>
    /// <param name="receivesTrains">UDP_GRO is set.</param>
    /// <param name="coalesce">Whether replies leave by UDP_SEGMENT.</param>
    public LinuxDatagramSocket(LinuxCalls calls, int fd, bool wantsLocal, bool receivesTrains, bool coalesce)
        : base(fd)
    {
        _calls = calls;
        _wantsControl = wantsLocal || receivesTrains;
        ReceivesTrains = receivesTrains;
        LocalAddress = calls.LocalAddress(fd);
        BufferSizes = (
            Math.Max(0, calls.GetOption(fd, Libc.SolSocket, Libc.SoReceiveBuffer)),
            Math.Max(0, calls.GetOption(fd, Libc.SolSocket, Libc.SoSendBuffer)));
        _sender = new LinuxDatagramSender(calls, LocalAddress.Family, coalesce);
    }

    public override SocketAddr LocalAddress { get; }

    public override (int Receive, int Send) BufferSizes { get; }

    public override bool ReceivesTrains { get; }

    public override long TakeKernelDrops() => _calls.NewDropsAt(Descriptor, ref _dropsSeen);

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
            return Failed((Errno)(-count));
        }

        Take(batch, count);
        batch.Count = count;
        return count;
    }

    /// <remarks>So many at most: more come meanwhile.</remarks>
    internal override void Discard()
    {
        byte none;
        for (var i = 0; i < DiscardsMax && _calls.ReceiveNow(Descriptor, &none, 0, flags: 0) >= 0; i++)
        {
        }
    }

    public override void Send(DatagramQueue queue) => _sender.Send(Descriptor, queue);

    protected override void Close()
    {
        _calls.Close(Descriptor);
        _sender.Dispose();
        Release();
    }

    /// <summary>Nothing to read, or an ICMP error that reading it has consumed: neither ends a listener.</summary>
    private static int Failed(Errno errno) =>
        errno == Errno.EAGAIN || SocketErrors.Classify(errno) == SocketErrorClass.Peer ? 0 : -(int)errno;

    /// <summary>Sorts the facts of each datagram and mends what the kernel wrote into its header, for the next
    /// call.</summary>
    private void Take(DatagramBatch batch, int count)
    {
        var controlLength = _wantsControl ? (nuint)ControlBytes : 0;
        for (var i = 0; i < count; i++)
        {
            var header = _headers + i;
            var length = (int)header->Moved;
            batch.Length(i) = (header->Flags & Libc.MsgTruncated) != 0 ? -length : length;
            batch.Peer(i).Normalize();
            header->NameLength = (uint)sizeof(SocketAddr);
            batch.Local(i) = default;
            batch.Segment(i) = 0;
            if (header->ControlLength != 0)
            {
                ReadControl(header->Control, header->ControlLength, ref batch.Local(i), ref batch.Segment(i));
            }

            header->ControlLength = controlLength;
        }
    }

    internal static void ReadControl(byte* control, nuint length, ref LocalAddr local, ref int segment)
    {
        // Invariant: the kernel wrote whole cmsghdrs, each 8-aligned, within the length it returned.
        for (nuint at = 0; at + (nuint)sizeof(ControlHeader) <= length;)
        {
            var header = (ControlHeader*)(control + at);
            var data = (byte*)(header + 1);
            if (header->Level == Libc.SolIp && header->Type == Libc.IpPacketInfo)
            {
                // ipi_spec_dst, not ipi_addr: of a broadcast it is the address to answer from. It comes behind what
                // IPv6 tells of the same datagram (udpv6_recvmsg).
                local = default;
                local.SetIPv4(*(uint*)(data + 4));
            }
            else if (header->Level == Libc.SolIpv6 && header->Type == Libc.Ipv6PacketInfo)
            {
                local.SetIPv6(*(ulong*)data, *(ulong*)(data + 8), *(uint*)(data + 16));
            }
            else if (header->Level == Libc.SolUdp && header->Type == Libc.UdpGro)
            {
                segment = *(int*)data;
            }

            at += Math.Max((header->Length + 7) & ~(nuint)7, (nuint)sizeof(ControlHeader));
        }
    }

    private void Prepare(DatagramBatch batch)
    {
        Check.That(Descriptor >= 0);
        Release();
        _batch = batch;
        var capacity = (nuint)batch.Capacity;
        _headers = (MessageHeader*)NativeMemory.AllocZeroed(capacity, (nuint)sizeof(MessageHeader));
        _vectors = (IoVector*)NativeMemory.AllocZeroed(capacity, (nuint)sizeof(IoVector));
        _control = _wantsControl ? (byte*)NativeMemory.AllocZeroed(capacity, ControlBytes) : null;
        for (var i = 0; i < batch.Capacity; i++)
        {
            _vectors[i] = new IoVector { Base = batch.Payload(i), Length = DatagramBatch.SlotBytes };
            _headers[i] = new MessageHeader
            {
                Name = (SocketAddr*)Unsafe.AsPointer(ref batch.Peer(i)),   // native memory: it does not move
                NameLength = (uint)sizeof(SocketAddr),
                Vectors = _vectors + i,
                VectorCount = 1,
                Control = _wantsControl ? _control + (i * ControlBytes) : null,
                ControlLength = _wantsControl ? (nuint)ControlBytes : 0,
            };
        }
    }

    private void Release()
    {
        NativeMemory.Free(_headers);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_control);
        _headers = null;
        _vectors = null;
        _control = null;
        _batch = null;
    }
}
