using Router.Net;

namespace Router.TestKit.Simulation;

/// <summary>A session's own socket: on the listener's port or one of its own, connected to one peer.</summary>
internal sealed class SimulatedPeerSocket : PeerSocket, IDatagramPort, IReadiness
{
    private readonly SimulatedNetwork _network;
    private readonly SocketAddr _local;
    private readonly int _id;
    private readonly int _receiveBuffer;
    private readonly Queue<(SocketAddr From, byte[] Payload)> _received = new();
    private int _receivedBytes;
    private long _kernelDrops;
    private Errno _pending;

    public SimulatedPeerSocket(
        SimulatedNetwork network, in SocketAddr local, in SocketAddr remote, int receiveBuffer)
    {
        _receiveBuffer = receiveBuffer > 0 ? receiveBuffer : SimulatedNetwork.DefaultReceiveBuffer;
        _network = network;
        _local = local;
        Remote = remote;
        _id = network.OnOpened(this);
    }

    public SocketAddr Remote { get; }

    /// <summary>Until then it takes what anybody sends.</summary>
    public bool IsConnected { get; set; }

    public override SocketAddr LocalAddress => _local;

    IoReadiness IReadiness.Ready => IoReadiness.Writable
        | (_received.Count > 0 ? IoReadiness.Readable : IoReadiness.None)
        | (_pending != Errno.Success ? IoReadiness.Readable | IoReadiness.Failed : IoReadiness.None);

    bool IDatagramPort.Deliver(in SocketAddr from, in SocketAddr to, byte[] payload)
    {
        if (IsConnected && from != Remote)
        {
            return false;
        }

        if (_receivedBytes + payload.Length + SimulatedDatagramSocket.BookkeepingBytes > _receiveBuffer)
        {
            _kernelDrops++;
            return false;
        }

        _receivedBytes += payload.Length + SimulatedDatagramSocket.BookkeepingBytes;
        _received.Enqueue((from, payload));
        return true;
    }

    public override long TakeKernelDrops()
    {
        var drops = _kernelDrops;
        _kernelDrops = 0;
        return drops;
    }

    void IDatagramPort.OnRefused(in SocketAddr to) => _pending = Errno.ECONNREFUSED;

    public override unsafe int Receive(byte* buffer, int capacity, out SocketAddr from)
    {
        Check.That(!IsClosed);
        from = default;
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

        (from, var payload) = _received.Dequeue();
        from = _local.Family == SocketAddr.FamilyIPv6 ? from.MapToIPv6() : from;
        _receivedBytes -= payload.Length + SimulatedDatagramSocket.BookkeepingBytes;
        payload.CopyTo(new Span<byte>(buffer, capacity));
        _network.Trace("receive", _id, payload.Length);
        return payload.Length;
    }

    public override unsafe int Send(byte* payload, int length)
    {
        Check.That(!IsClosed);
        var error = TakeError(NetworkOperation.ConnectedSend);
        if (error != Errno.Success)
        {
            _network.Trace("send", _id, -(int)error);
            return -(int)error;
        }

        _network.SendDatagram(
            this, SimulatedNetwork.Canonical(_local), Remote, new ReadOnlySpan<byte>(payload, length));
        return length;
    }

    protected override void Close()
    {
        _network.RemovePort(SimulatedNetwork.Canonical(_local), this);
        _network.OnClosed(this, _id);
    }

    private Errno TakeError(NetworkOperation operation)
    {
        var error = _pending != Errno.Success ? _pending : _network.Faults.Next(operation);
        _pending = Errno.Success;
        return error;
    }
}
