using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>The sending half of a UDP socket: a queue leaves by as few sendmmsg(2) calls as it can.</summary>
/// <remarks>
/// Equal-sized consecutive datagrams with the same peer and local address leave as one UDP_SEGMENT message, the
/// last of them may be shorter. A segmented message that the path or the device refuses goes again one by one, so
/// nothing is lost by trying. Made on first use: a socket that never answers costs nothing.
/// </remarks>
internal sealed unsafe class LinuxDatagramSender : IDisposable
{
    /// <summary>Datagrams looked at for one call; UIO_MAXIOV would allow 1,024.</summary>
    private const int EntriesPerCall = 128;

    /// <summary>UDP_MAX_SEGMENTS of the oldest kernels that have it.</summary>
    internal const int SegmentsMax = 64;

    /// <summary>Below the 65,507 that one IPv4 datagram can hold, headers and all.</summary>
    internal const int CoalescedBytesMax = 65_000;

    /// <summary>Fits every IPv6 path (1,280 - 40 - 8) and nearly all IPv4 ones; a larger segment might be refused
    /// each time.</summary>
    internal const int SegmentBytesMax = 1232;

    /// <summary>Room for in6_pktinfo (40) and a segment size (24), each with its header.</summary>
    internal const int ControlBytes = 64;

    private readonly LinuxCalls _calls;
    private readonly int _family;
    private readonly bool _coalesce;
    private bool _coalesceAbroad;          // to peers that are not on this host
    private MessageHeader* _headers;       // the last one is for single sends
    private IoVector* _vectors;
    private byte* _control;
    private int* _firstEntries;            // per header: its first entry in the queue
    private int* _counts;                  // and how many entries leave with it
    private int _built;

    public LinuxDatagramSender(LinuxCalls calls, int family, bool coalesce)
    {
        _calls = calls;
        _family = family;
        _coalesce = coalesce;
        _coalesceAbroad = coalesce;
    }

    /// <summary>Sends and empties the queue; what did not leave is counted in it.</summary>
    public void Send(int fd, DatagramQueue queue)
    {
        if (_headers is null && queue.Count > 0)
        {
            Allocate();
        }

        for (var start = 0; start < queue.Count;)
        {
            start += Build(queue, start);
            if (!SendBuilt(fd, queue))
            {
                queue.DroppedFull += queue.Count - start;
                break;
            }
        }

        queue.Clear();
    }

    public void Dispose()
    {
        NativeMemory.Free(_headers);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_control);
        NativeMemory.Free(_firstEntries);
        NativeMemory.Free(_counts);
        _headers = null;
        _vectors = null;
        _control = null;
        _firstEntries = null;
        _counts = null;
    }

    private int Build(DatagramQueue queue, int start)
    {
        var limit = Math.Min(queue.Count - start, EntriesPerCall);
        var taken = 0;
        _built = 0;
        while (taken < limit)
        {
            var run = CountRun(queue.At(start + taken), limit - taken);
            Fill(_built, queue, start + taken, run, _vectors + taken);
            _built++;
            taken += run;
        }

        return taken;
    }

    /// <summary>How many entries from <paramref name="first"/> on may leave as one message.</summary>
    private int CountRun(DatagramQueue.Entry* first, int limit)
    {
        var size = first->Length;
        if (!_coalesce || limit < 2 || size == 0 || !MayFollow(first, first + 1) || !MayCoalesce(first))
        {
            return 1;
        }

        limit = Math.Min(limit, SegmentsMax);
        var run = 1;
        var total = size;
        while (run < limit && MayFollow(first, first + run))
        {
            var length = first[run].Length;
            total += length;
            if (total > CoalescedBytesMax)
            {
                break;
            }

            run++;
            if (length < size)
            {
                break;
            }
        }

        return run;
    }

    private bool MayCoalesce(DatagramQueue.Entry* first) =>
        first->Peer.IsLoopback || (_coalesceAbroad && first->Length <= SegmentBytesMax);

    private static bool MayFollow(DatagramQueue.Entry* first, DatagramQueue.Entry* next) =>
        (uint)(next->Length - 1) < (uint)first->Length && next->Peer == first->Peer && next->Local == first->Local;

    private void Fill(int index, DatagramQueue queue, int entryIndex, int run, IoVector* vectors)
    {
        var first = queue.At(entryIndex);
        *vectors = new IoVector { Base = first->Payload, Length = (nuint)first->Length };
        var last = vectors;
        for (var i = 1; i < run; i++)
        {
            // The echo of a train lies in one piece: the kernel need not gather it.
            var next = first + i;
            if (next->Payload == last->Base + last->Length)
            {
                last->Length += (nuint)next->Length;
                continue;
            }

            *++last = new IoVector { Base = next->Payload, Length = (nuint)next->Length };
        }

        // Invariant: the entry stays in the queue's native memory until Clear, after the last use of the header.
        var header = _headers + index;
        header->Name = &first->Peer;
        header->NameLength = (uint)first->Peer.Length;
        header->Vectors = vectors;
        header->VectorCount = (nuint)(last - vectors + 1);
        var control = _control + (index * ControlBytes);
        var used = first->Local.IsEmpty ? 0 : WriteLocal(control, _family, first->Local);
        if (run > 1)
        {
            used += WriteSegmentSize(control + used, (ushort)first->Length);
        }

        header->Control = used == 0 ? null : control;
        header->ControlLength = (nuint)used;
        _firstEntries[index] = entryIndex;
        _counts[index] = run;
    }

    /// <summary>Writes the control message that has a datagram leave from a local address.</summary>
    /// <returns>Bytes written.</returns>
    internal static int WriteLocal(byte* control, int family, in LocalAddr local)
    {
        var header = (ControlHeader*)control;
        var data = (byte*)(header + 1);
        if (family == SocketAddr.FamilyIPv6)
        {
            *header = new ControlHeader { Length = 16 + 20, Level = Libc.SolIpv6, Type = Libc.Ipv6PacketInfo };
            *(ulong*)data = local.High;
            *(ulong*)(data + 8) = local.Low;
            *(ulong*)(data + 16) = local.Interface;
            return 40;
        }

        *header = new ControlHeader { Length = 16 + 12, Level = Libc.SolIp, Type = Libc.IpPacketInfo };
        *(uint*)data = 0;                          // ipi_ifindex: let the route say
        *(uint*)(data + 4) = local.IPv4;           // ipi_spec_dst: the source to send from
        *(ulong*)(data + 8) = 0;                   // ipi_addr and padding
        return 32;
    }

    /// <returns>Bytes written.</returns>
    internal static int WriteSegmentSize(byte* control, ushort bytes)
    {
        *(ControlHeader*)control = new ControlHeader { Length = 16 + 2, Level = Libc.SolUdp, Type = Libc.UdpSegment };
        *(ulong*)(control + sizeof(ControlHeader)) = bytes;
        return 24;
    }

    /// <summary>Sends the headers built; false once the socket's buffer is full, what is left of them counted as
    /// dropped.</summary>
    private bool SendBuilt(int fd, DatagramQueue queue)
    {
        var sent = 0;
        var retried = -1;
        while (sent < _built)
        {
            var result = _calls.SendMany(fd, _headers + sent, _built - sent, Libc.MsgDontWait | Libc.MsgNoSignal);
            if (result > 0)
            {
                sent += result;   // fewer than asked: the next call starts at the message that failed and tells why
                continue;
            }

            var errno = (Errno)(-result);
            if (errno == Errno.EINTR)
            {
                continue;
            }

            if (errno == Errno.EAGAIN)
            {
                // The socket's own buffer: the rest would meet the same, at a call each.
                for (; sent < _built; sent++)
                {
                    queue.DroppedFull += _counts[sent];
                }

                return false;
            }

            if (_counts[sent] > 1 && errno is Errno.EIO or Errno.EINVAL or Errno.EMSGSIZE)
            {
                // EIO: no checksum offload on the way out, and it will stay so. The others: a path narrower than a
                // segment.
                _coalesceAbroad &= errno != Errno.EIO;
                SendSingly(fd, queue, _firstEntries[sent], _counts[sent]);
                sent++;
                continue;
            }

            if (SocketErrors.Classify(errno) == SocketErrorClass.Peer && retried != sent)
            {
                retried = sent;   // may be the ICMP error of an earlier datagram, which this call has consumed
                continue;
            }

            CountDropped(queue, errno, _counts[sent]);
            sent++;
        }

        return true;
    }

    private void SendSingly(int fd, DatagramQueue queue, int entryIndex, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Fill(EntriesPerCall, queue, entryIndex + i, 1, _vectors + EntriesPerCall);
            var result = SendSingle(fd);
            if (result < 0 && SocketErrors.Classify((Errno)(-result)) == SocketErrorClass.Peer)
            {
                result = SendSingle(fd);
            }

            if (result < 0)
            {
                CountDropped(queue, (Errno)(-result), 1);
            }
        }
    }

    private int SendSingle(int fd) => _calls.SendManyNow(fd, _headers + EntriesPerCall, 1);

    private static void CountDropped(DatagramQueue queue, Errno errno, int count)
    {
        if (errno is Errno.EAGAIN or Errno.ENOBUFS or Errno.ENOMEM)
        {
            queue.DroppedFull += count;
            return;
        }

        queue.DroppedRefused += count;
        queue.LastRefusal = errno;
    }

    private void Allocate()
    {
        const int Count = EntriesPerCall + 1;
        _headers = (MessageHeader*)NativeMemory.AllocZeroed(Count, (nuint)sizeof(MessageHeader));
        _vectors = (IoVector*)NativeMemory.AllocZeroed(Count, (nuint)sizeof(IoVector));
        _control = (byte*)NativeMemory.AllocZeroed(Count, ControlBytes);
        _firstEntries = (int*)NativeMemory.AllocZeroed(Count, sizeof(int));
        _counts = (int*)NativeMemory.AllocZeroed(Count, sizeof(int));
    }
}
