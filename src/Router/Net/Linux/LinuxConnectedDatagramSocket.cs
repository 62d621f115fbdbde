namespace Router.Net;

/// <summary>A connected UDP socket by recv(2) and send(2).</summary>
/// <remarks>
/// Equal-sized payloads handed over together leave as one UDP_SEGMENT message, by the rules of
/// <see cref="LinuxDatagramSender"/>. The first such message asks for trains in return (UDP_GRO): an upstream that is
/// never sent one costs no option and no control messages.
/// </remarks>
internal sealed unsafe class LinuxConnectedDatagramSocket : ConnectedDatagramSocket
{
    private const int ControlBytes = 64;   // in6_pktinfo 40, should it come, and segment size 24

    private readonly LinuxCalls _calls;
    private readonly int _segmentBytesMax;
    private uint _dropsSeen;
    private bool _sendsTrains;
    private bool _mayAskForTrains;
    private bool _receivesTrains;

    public LinuxConnectedDatagramSocket(
        LinuxCalls calls, int fd, in SocketAddr remote, bool coalesce, bool receiveTrains)
        : base(fd)
    {
        _calls = calls;
        _sendsTrains = coalesce;
        _mayAskForTrains = receiveTrains;
        _segmentBytesMax = remote.IsLoopback
            ? LinuxDatagramSender.CoalescedBytesMax
            : LinuxDatagramSender.SegmentBytesMax;
        LocalAddress = calls.LocalAddress(fd);
    }

    public override SocketAddr LocalAddress { get; }

    public override int Receive(byte* buffer, int capacity)
    {
        // MSG_TRUNC: the length that came, not the length that was kept.
        var result = _calls.ReceiveNow(Descriptor, buffer, capacity, Libc.MsgTruncated);
        return result > capacity ? -(int)Errno.EMSGSIZE : result;
    }

    public override long TakeKernelDrops() => _calls.NewDropsAt(Descriptor, ref _dropsSeen);

    public override int Send(byte* payload, int length) => _calls.SendNow(Descriptor, payload, length);

    internal override int SendRun(IoVector* payloads, int count)
    {
        var run = _sendsTrains ? CountRun(payloads, count) : 1;
        if (run > 1)
        {
            var result = SendTrain(payloads, run);
            if (result >= 0)
            {
                AskForTrains();
                return run;
            }

            if ((Errno)(-result) is not (Errno.EIO or Errno.EINVAL or Errno.EMSGSIZE))
            {
                return result;
            }

            _sendsTrains = false;   // this way takes none (LinuxDatagramSender): nothing has left, one by one it may
        }

        return base.SendRun(payloads, count);
    }

    internal override int ReceiveRun(byte* buffer, int capacity, out int segment)
    {
        segment = 0;
        if (!_receivesTrains)
        {
            return Receive(buffer, capacity);
        }

        var control = stackalloc byte[ControlBytes];
        var vector = new IoVector { Base = buffer, Length = (nuint)capacity };
        var header = new MessageHeader
        {
            Vectors = &vector,
            VectorCount = 1,
            Control = control,
            ControlLength = ControlBytes,
        };
        var result = _calls.ReceiveManyNow(Descriptor, &header, 1, Libc.MsgTruncated);
        if (result < 0)
        {
            return result;
        }

        var local = default(LocalAddr);
        LinuxDatagramSocket.ReadControl(control, header.ControlLength, ref local, ref segment);
        return (int)header.Moved > capacity ? -(int)Errno.EMSGSIZE : (int)header.Moved;
    }

    protected override void Close() => _calls.Close(Descriptor);

    /// <summary>How many of the payloads may leave as one message.</summary>
    private int CountRun(IoVector* payloads, int count)
    {
        var size = payloads->Length;
        if (size == 0 || size > (nuint)_segmentBytesMax)
        {
            return 1;
        }

        var run = 1;
        var total = size;
        while (run < count && run < LinuxDatagramSender.SegmentsMax)
        {
            var length = payloads[run].Length;
            total += length;
            if (length == 0 || length > size || total > LinuxDatagramSender.CoalescedBytesMax)
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

    private int SendTrain(IoVector* payloads, int run)
    {
        var control = stackalloc byte[ControlBytes];
        var header = new MessageHeader { Vectors = payloads, VectorCount = (nuint)run, Control = control };
        header.ControlLength = (nuint)LinuxDatagramSender.WriteSegmentSize(control, (ushort)payloads->Length);
        return _calls.SendManyNow(Descriptor, &header, 1);
    }

    private void AskForTrains()
    {
        if (_mayAskForTrains)
        {
            _mayAskForTrains = false;
            _receivesTrains = _calls.SetOption(Descriptor, Libc.SolUdp, Libc.UdpGro, 1) == 0;
        }
    }
}
