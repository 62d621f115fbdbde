using Router.Net;

namespace Router.TestKit.Simulation;

/// <summary>The router's end of a simulated connection, accepted or connecting.</summary>
internal sealed class SimulatedStreamSocket : StreamSocket, IReadiness
{
    private readonly SimulatedNetwork _network;
    private readonly SocketAddr _local;
    private readonly SocketAddr _remote;
    private readonly int _id;
    private StreamEnd? _end;      // null while connecting, and after a connect that failed
    private Errno _connectError;
    private bool _decided;

    /// <summary>A connect that has begun.</summary>
    public SimulatedStreamSocket(SimulatedNetwork network, in SocketAddr local, in SocketAddr remote)
    {
        _network = network;
        _local = local;
        _remote = remote;
        _id = network.OnOpened(this);
    }

    /// <summary>
    /// An accepted connection; on an IPv6 listener IPv4 addresses are spelled as the kernel does, ::ffff:a.b.c.d.
    /// </summary>
    public SimulatedStreamSocket(SimulatedNetwork network, StreamEnd end, bool mapped)
        : this(network, mapped ? end.Local.MapToIPv6() : end.Local, mapped ? end.Remote.MapToIPv6() : end.Remote)
    {
        _end = end;
        _decided = true;
    }

    public override SocketAddr LocalAddress => _local;

    public override SocketAddr PeerAddress => _remote;

    /// <summary>As set last.</summary>
    public KeepAliveOptions? KeepAlive { get; private set; }

    IoReadiness IReadiness.Ready
    {
        get
        {
            if (!_decided)
            {
                return IoReadiness.None;
            }

            return _end?.Ready ?? IoReadiness.Readable | IoReadiness.Writable | IoReadiness.Failed;
        }
    }

    public override void SetKeepAlive(KeepAliveOptions options) => KeepAlive = options;

    /// <summary>The connect has come to its end: refused without one.</summary>
    public void Decide(StreamEnd? end)
    {
        if (IsClosed)
        {
            end?.Abort();
            return;
        }

        var error = _network.Faults.Next(NetworkOperation.ConnectResult);
        _decided = true;
        if (error != Errno.Success)
        {
            end?.Abort();
            _connectError = error;
            return;
        }

        _end = end;
        _connectError = end is null ? Errno.ECONNREFUSED : Errno.Success;
    }

    public override int ConnectResult()
    {
        Check.That(!IsClosed);
        if (!_decided)
        {
            return -(int)Errno.EINPROGRESS;
        }

        var error = _connectError;
        _connectError = Errno.Success;
        if (error == Errno.Success && _end is { } end)
        {
            error = end.TakeError();
        }

        _network.Trace("connected", _id, -(int)error);
        return -(int)error;
    }

    public override unsafe int Receive(byte* buffer, int capacity)
    {
        Check.That(!IsClosed);
        var result = Failing(NetworkOperation.StreamReceive);
        if (result == 0)
        {
            var room = _network.Faults.Cut(capacity, _network.Faults.ShortReads);
            result = _end!.Receive(new Span<byte>(buffer, room));
        }

        _network.Trace("read", _id, result);
        return result;
    }

    public override unsafe int Send(byte* payload, int length)
    {
        Check.That(!IsClosed);
        var result = Failing(NetworkOperation.StreamSend);
        if (result == 0)
        {
            var part = _network.Faults.Cut(length, _network.Faults.ShortWrites);
            result = _end!.Send(new ReadOnlySpan<byte>(payload, part));
        }

        _network.Trace("write", _id, result, result > 0 ? new ReadOnlySpan<byte>(payload, result) : default);
        return result;
    }

    public override void ShutdownWrite()
    {
        Check.That(!IsClosed);
        _network.Trace("shutdown", _id, 0);
        _end?.ShutdownWrite();
    }

    public override void Abort()
    {
        if (!IsClosed)
        {
            _network.Trace("abort", _id, 0);
            _end?.Abort();
            Dispose();
        }
    }

    protected override void Close()
    {
        _end?.Close();
        _network.OnClosed(this, _id);
    }

    private int Failing(NetworkOperation operation)
    {
        if (!_decided)
        {
            return -(int)Errno.EAGAIN;
        }

        if (_end is null)
        {
            var error = _connectError == Errno.Success ? Errno.EPIPE : _connectError;
            _connectError = Errno.Success;
            return -(int)error;
        }

        return -(int)_network.Faults.Next(operation);
    }
}

/// <summary>A listening socket of the router on the simulated network.</summary>
internal sealed class SimulatedStreamListener : StreamListener, IStreamAcceptor, IReadiness
{
    private readonly SimulatedNetwork _network;
    private readonly SocketAddr _local;
    private readonly StreamListenOptions _options;
    private readonly int _id;
    private readonly Queue<StreamEnd> _waiting = new();
    private long _dropped;

    public SimulatedStreamListener(SimulatedNetwork network, in SocketAddr local, StreamListenOptions options)
    {
        _network = network;
        _local = local;
        _options = options;
        _id = network.OnOpened(this);
    }

    public override SocketAddr LocalAddress => _local;

    public override int GrantedBacklog => _options.Backlog;

    IoReadiness IReadiness.Ready => _waiting.Count > 0 ? IoReadiness.Readable : IoReadiness.None;

    public override int QueueLength => _waiting.Count;

    public override long DroppedAttempts => _dropped;

    /// <summary>An attempt ends before it is a connection: the client resets it, as a port scan does.</summary>
    public void DropAttempt() => _dropped++;

    /// <summary>As Linux does, one more than the backlog waits; beyond it the connection is reset, where Linux drops
    /// the attempt and the client tries again.</summary>
    void IStreamAcceptor.OnConnection(StreamEnd end)
    {
        if (_waiting.Count > _options.Backlog)
        {
            _dropped++;
            _network.CountAcceptOverflow();
            end.Abort();
            return;
        }

        _waiting.Enqueue(end);
    }

    public override int Accept(out StreamSocket? connection)
    {
        Check.That(!IsClosed);
        connection = null;
        var error = _network.Faults.Next(NetworkOperation.Accept);
        if (error == Errno.Success && _waiting.Count == 0)
        {
            error = Errno.EAGAIN;
        }

        _network.Trace("accept", _id, -(int)error);
        if (error == Errno.Success)
        {
            connection = new SimulatedStreamSocket(
                _network, _waiting.Dequeue(), _local.Family == SocketAddr.FamilyIPv6);
        }

        return -(int)error;
    }

    protected override void Close()
    {
        _network.RemoveAcceptor(_local, this);
        _network.OnClosed(this, _id);
        while (_waiting.TryDequeue(out var end))
        {
            end.Abort();
        }
    }
}
