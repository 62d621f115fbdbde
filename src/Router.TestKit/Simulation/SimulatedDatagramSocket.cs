using Router.Net;

namespace Router.TestKit.Simulation;

/// <summary>A bound datagram socket of the router on the simulated network.</summary>
internal sealed class SimulatedDatagramSocket : DatagramSocket, IDatagramPort, IReadiness
{
    internal const int BookkeepingBytes = 256;   // what the kernel adds to each datagram's share of the buffer, roughly
    private const int TrainMax = 64;            // datagrams, as in the kernel
    private const int TrainBytesMax = 65_507;

    private readonly SimulatedNetwork _network;
    private readonly SocketAddr _local;
    private readonly DatagramOptions _options;
    private readonly bool _isWildcard;
    private readonly int _id;
    private readonly int _receiveBuffer;
    private readonly Queue<(SocketAddr From, SocketAddr To, byte[] Payload)> _received = new();
    private int _receivedBytes;
    private long _kernelDrops;

    public SimulatedDatagramSocket(SimulatedNetwork network, in SocketAddr local, DatagramOptions options)
    {
        _network = network;
        _local = local;
        _options = options;
        _isWildcard = local.IsWildcard;
        _receiveBuffer = options.ReceiveBuffer > 0 ? options.ReceiveBuffer : SimulatedNetwork.DefaultReceiveBuffer;
        _id = network.OnOpened(this);
    }

    public override SocketAddr LocalAddress => _local;

    public override (int Receive, int Send) BufferSizes => (_receiveBuffer, _options.SendBuffer);

    public override bool ReceivesTrains => _network.DeliversTrains;

    IoReadiness IReadiness.Ready =>
        _received.Count > 0 ? IoReadiness.Readable | IoReadiness.Writable : IoReadiness.Writable;

    bool IDatagramPort.Deliver(in SocketAddr from, in SocketAddr to, byte[] payload)
    {
        var isForeign = _local.Family == SocketAddr.FamilyIPv6
            && to.Family != SocketAddr.FamilyIPv6
            && !_options.DualStack;
        if (isForeign || _receivedBytes + payload.Length + BookkeepingBytes > _receiveBuffer)
        {
            _kernelDrops += isForeign ? 0 : 1;
            return false;
        }

        _receivedBytes += payload.Length + BookkeepingBytes;
        _received.Enqueue((from, to, payload));
        return true;
    }

    public override long TakeKernelDrops()
    {
        var drops = _kernelDrops;
        _kernelDrops = 0;
        return drops;
    }

    void IDatagramPort.OnRefused(in SocketAddr to)
    {
        // An unconnected socket is not told of ICMP errors unless it asks (IP_RECVERR): see udp(7).
    }

    public override unsafe int Receive(DatagramBatch batch)
    {
        Check.That(!IsClosed);
        batch.Generation++;
        batch.Count = 0;
        var error = _network.Faults.Next(NetworkOperation.DatagramReceive);
        if (error != Errno.Success)
        {
            _network.Trace("receive", _id, -(int)error);
            return error is Errno.EINTR or Errno.EAGAIN or Errno.ECONNREFUSED ? 0 : -(int)error;
        }

        var count = 0;
        while (count < batch.Capacity && _received.Count > 0)
        {
            TakeInto(batch, count++);
        }

        batch.Count = count;
        _network.Trace("receive", _id, count);
        return count;
    }

    public override unsafe void Send(DatagramQueue queue)
    {
        Check.That(!IsClosed);
        for (var i = 0; i < queue.Count; i++)
        {
            var entry = queue.At(i);
            var error = entry->Length > entry->Peer.DatagramBytesMax
                ? Errno.EMSGSIZE
                : _network.Faults.Next(NetworkOperation.DatagramSend);
            switch (error)
            {
                case Errno.Success or Errno.EINTR or Errno.ECONNREFUSED:   // the last two: tried again
                    var payload = new ReadOnlySpan<byte>(entry->Payload, entry->Length);
                    _network.SendDatagram(this, SourceOf(*entry), SimulatedNetwork.Canonical(entry->Peer), payload);
                    break;
                case Errno.EAGAIN or Errno.ENOBUFS or Errno.ENOMEM:
                    queue.DroppedFull++;
                    break;
                default:
                    queue.DroppedRefused++;
                    queue.LastRefusal = error;
                    break;
            }
        }

        queue.Clear();
    }

    protected override void Close()
    {
        _network.RemovePort(SimulatedNetwork.Canonical(_local), this);
        _network.OnClosed(this, _id);
    }

    /// <summary>Moves the next datagram into a slot, or the next train.</summary>
    private unsafe void TakeInto(DatagramBatch batch, int slot)
    {
        var first = _received.Dequeue();
        var segment = first.Payload.Length;
        var fits = Math.Min(segment, DatagramBatch.SlotBytes);
        first.Payload.AsSpan(0, fits).CopyTo(new Span<byte>(batch.Payload(slot), fits));
        _receivedBytes -= segment + BookkeepingBytes;
        batch.Length(slot) = fits == segment ? fits : -segment;
        batch.Segment(slot) = 0;
        batch.Peer(slot) = _local.Family == SocketAddr.FamilyIPv6 ? first.From.MapToIPv6() : first.From;
        batch.Local(slot) = _isWildcard ? LocalAddr.From(first.To.Address) : default;
        for (var taken = 1; _network.DeliversTrains && taken < TrainMax && CanFollow(first, batch, slot); taken++)
        {
            var payload = _received.Dequeue().Payload;
            payload.CopyTo(new Span<byte>(batch.Payload(slot) + batch.Length(slot), payload.Length));
            _receivedBytes -= payload.Length + BookkeepingBytes;
            batch.Length(slot) += payload.Length;
            batch.Segment(slot) = segment;
        }
    }

    private bool CanFollow((SocketAddr From, SocketAddr To, byte[] Payload) first, DatagramBatch batch, int slot)
    {
        var (length, segment) = (batch.Length(slot), first.Payload.Length);
        return segment > 0
            && length % segment == 0   // a shorter one is the last
            && _received.TryPeek(out var next)
            && next.From == first.From
            && next.To == first.To
            && next.Payload.Length > 0
            && next.Payload.Length <= segment
            && length + next.Payload.Length <= TrainBytesMax;
    }

    private SocketAddr SourceOf(in DatagramQueue.Entry entry)
    {
        if (!_isWildcard)
        {
            return SimulatedNetwork.Canonical(_local);
        }

        var isIPv6 = SimulatedNetwork.Canonical(entry.Peer).Family == SocketAddr.FamilyIPv6;
        var host = isIPv6 ? _network.HostAddressIPv6 : _network.HostAddress;
        return SocketAddr.From(entry.Local.IsEmpty ? host : entry.Local.Address, _local.Port);
    }
}

/// <summary>A datagram socket of the router that is connected to one upstream.</summary>
internal sealed class SimulatedConnectedDatagramSocket : ConnectedDatagramSocket, IDatagramPort, IReadiness
{
    /// <summary>Datagrams of one train: the kernel's UDP_MAX_SEGMENTS of older versions.</summary>
    private const int TrainMax = 64;

    private readonly SimulatedNetwork _network;
    private readonly SocketAddr _local;
    private readonly int _id;
    private readonly int _receiveBuffer;
    private readonly Queue<byte[]> _received = new();
    private SocketAddr _remote;
    private int _receivedBytes;
    private long _foreignDrops;
    private long _kernelDrops;
    private Errno _pending;

    public SimulatedConnectedDatagramSocket(
        SimulatedNetwork network, in SocketAddr local, in SocketAddr remote, int receiveBuffer)
    {
        _receiveBuffer = receiveBuffer > 0 ? receiveBuffer : SimulatedNetwork.DefaultReceiveBuffer;
        _network = network;
        _local = local;
        _remote = remote;
        _id = network.OnOpened(this);
    }

    public override SocketAddr LocalAddress => _local;

    IoReadiness IReadiness.Ready =>
        IoReadiness.Writable
        | (_received.Count > 0 ? IoReadiness.Readable : IoReadiness.None)
        | (_pending != Errno.Success ? IoReadiness.Readable | IoReadiness.Failed : IoReadiness.None);

    bool IDatagramPort.Deliver(in SocketAddr from, in SocketAddr to, byte[] payload)
    {
        if (Follows && from.HasAddressOf(_remote))
        {
            _remote = from;
        }

        if (from != _remote)
        {
            _foreignDrops += Follows ? 1 : 0;
            return false;
        }

        if (_receivedBytes + payload.Length + SimulatedDatagramSocket.BookkeepingBytes > _receiveBuffer)
        {
            _kernelDrops++;
            return false;
        }

        _receivedBytes += payload.Length + SimulatedDatagramSocket.BookkeepingBytes;
        _received.Enqueue(payload);
        return true;
    }

    /// <summary>Takes what another port of the remote's address sends, and sends there next.</summary>
    public bool Follows { get; set; }

    public override long ForeignDrops => _foreignDrops;

    public override long TakeKernelDrops()
    {
        var drops = _kernelDrops;
        _kernelDrops = 0;
        return drops;
    }

    void IDatagramPort.OnRefused(in SocketAddr to) => _pending = Errno.ECONNREFUSED;

    public override unsafe int Receive(byte* buffer, int capacity)
    {
        Check.That(!IsClosed);
        var error = TakeError(NetworkOperation.ConnectedReceive);
        if (error == Errno.Success && _received.Count == 0)
        {
            error = Errno.EAGAIN;
        }

        if (error != Errno.Success)
        {
            _network.Trace("receive", _id, -(int)error);
            return -(int)error;
        }

        return Take(buffer, capacity);
    }

    private unsafe int Take(byte* buffer, int capacity)
    {
        var payload = _received.Dequeue();
        _receivedBytes -= payload.Length + SimulatedDatagramSocket.BookkeepingBytes;
        var fits = Math.Min(payload.Length, capacity);
        payload.AsSpan(0, fits).CopyTo(new Span<byte>(buffer, fits));
        _network.Trace("receive", _id, payload.Length);
        return fits == payload.Length ? fits : -(int)Errno.EMSGSIZE;
    }

    /// <summary>Datagrams of one length that wait, and a shorter one behind, are a train, as with UDP_GRO.</summary>
    internal override unsafe int ReceiveRun(byte* buffer, int capacity, out int segment)
    {
        segment = 0;
        var length = Receive(buffer, capacity);
        if (length <= 0 || Follows)
        {
            return length;
        }

        var (first, last) = (length, length);
        for (var count = 1; count < TrainMax && last == first && HasNext(first, capacity - length); count++)
        {
            last = Take(buffer + length, capacity - length);
            length += last;
            segment = first;
        }

        return length;
    }

    private bool HasNext(int longest, int room) =>
        _received.TryPeek(out var next) && next.Length > 0 && next.Length <= Math.Min(longest, room);

    public override unsafe int Send(byte* payload, int length)
    {
        Check.That(!IsClosed);
        var error = TakeError(NetworkOperation.ConnectedSend);
        if (error == Errno.Success && length > _remote.DatagramBytesMax)
        {
            error = Errno.EMSGSIZE;
        }

        if (error != Errno.Success)
        {
            _network.Trace("send", _id, -(int)error);
            return -(int)error;
        }

        _network.SendDatagram(this, _local, _remote, new ReadOnlySpan<byte>(payload, length));
        return length;
    }

    protected override void Close()
    {
        _network.RemovePort(_local, this);
        _network.OnClosed(this, _id);
    }

    private Errno TakeError(NetworkOperation operation)
    {
        var error = _pending != Errno.Success ? _pending : _network.Faults.Next(operation);
        _pending = Errno.Success;
        return error;
    }
}
