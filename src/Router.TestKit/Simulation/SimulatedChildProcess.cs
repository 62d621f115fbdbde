using Router.Net;
using Router.Processes;

namespace Router.TestKit.Simulation;

/// <summary>The router's side of a simulated child.</summary>
internal sealed class SimulatedChildProcess : ChildProcess
{
    private readonly SimulatedNetwork _network;
    private ProcessExit? _exit;
    private int _id;

    public SimulatedChildProcess(SimulatedNetwork network, ProcessStart start)
    {
        _network = network;
        if (start.KeepsBoundaries)
        {
            PacketChannel = new SimulatedPacketSocket(network);
            Packets = PacketChannel;
            Child = new SimulatedChild(this, start);
            PacketChannel.OnMessage = Child.Read;
        }
        else
        {
            var (ours, theirs) = StreamEnd.Pair(network, default, default);
            Stream = new SimulatedStreamSocket(network, ours, mapped: false);
            Child = new SimulatedChild(this, start) { Stream = new TcpPeer(network, new(0, 0), theirs) };
        }
    }

    public SimulatedChild Child { get; }

    public SimulatedPacketSocket? PacketChannel { get; }

    public SimulatedErrorOutput? ErrorPipe { get; private set; }

    public bool IsDisposed { get; private set; }

    public override int Id => _id;

    public override StreamSocket? Stream { get; }

    public override ConnectedDatagramSocket? Packets { get; }

    public override IoSocket? Ending => EndingSocket;

    public override ErrorOutput? Errors => ErrorPipe;

    public override ProcessExit? Exit => _exit;

    private SimulatedEnding? EndingSocket { get; set; }

    public void Begin(int id)
    {
        _id = id;
        EndingSocket = new SimulatedEnding(_network);
        ErrorPipe = new SimulatedErrorOutput(_network);
    }

    public void SetExit(ProcessExit exit)
    {
        _exit = exit;
        _network.Trace("process-exit", _id, exit.Status);
        EndingSocket!.HasEnded = true;
    }

    public override void Signal(ProcessSignal signal)
    {
        Check.That(!IsDisposed);   // its number may be a stranger's by now
        _network.Trace("process-signal", _id, (int)signal);
        Child.OnSignal(signal);
    }

    public override void Dispose()
    {
        if (!IsDisposed)
        {
            Check.That(_id == 0 || _exit is not null);   // or it would never be waited for
            IsDisposed = true;
            EndingSocket?.Dispose();
            ErrorPipe?.Dispose();
            _network.Processes.Running--;
        }
    }
}

/// <summary>Stands for a pidfd: readable for good once the child has ended.</summary>
internal sealed class SimulatedEnding : IoSocket, IReadiness
{
    private readonly SimulatedNetwork _network;
    private readonly int _id;

    public SimulatedEnding(SimulatedNetwork network)
    {
        _network = network;
        _id = network.OnOpened(this);
    }

    public bool HasEnded { get; set; }

    public override SocketAddr LocalAddress => default;

    IoReadiness IReadiness.Ready => HasEnded ? IoReadiness.Readable : IoReadiness.None;

    protected override void Close() => _network.OnClosed(this, _id);
}

/// <summary>A child's standard error: a pipe that holds as much as one direction of a stream.</summary>
internal sealed class SimulatedErrorOutput : ErrorOutput, IReadiness
{
    private readonly SimulatedNetwork _network;
    private readonly int _id;
    private readonly Queue<byte[]> _arrived = new();
    private int _bytes;
    private bool _hasEnded;

    public SimulatedErrorOutput(SimulatedNetwork network)
    {
        _network = network;
        _id = network.OnOpened(this);
    }

    IoReadiness IReadiness.Ready =>
        (_bytes > 0 ? IoReadiness.Readable : IoReadiness.None)
        | (_hasEnded ? IoReadiness.Readable | IoReadiness.Failed : IoReadiness.None);

    public bool Arrive(byte[] bytes)
    {
        if (IsClosed || _bytes + bytes.Length > _network.StreamBufferBytes)
        {
            return false;
        }

        _arrived.Enqueue(bytes);
        _bytes += bytes.Length;
        return true;
    }

    public void End() => _hasEnded = true;

    public override unsafe int Receive(byte* buffer, int capacity)
    {
        Check.That(!IsClosed);
        if (!_arrived.TryDequeue(out var bytes))
        {
            return _hasEnded ? 0 : -(int)Errno.EAGAIN;
        }

        Check.That(bytes.Length <= capacity);
        bytes.CopyTo(new Span<byte>(buffer, capacity));
        _bytes -= bytes.Length;
        return bytes.Length;
    }

    protected override void Close() => _network.OnClosed(this, _id);
}

/// <summary>Our end of a channel that keeps boundaries. See unix(7), SOCK_SEQPACKET.</summary>
internal sealed class SimulatedPacketSocket : ConnectedDatagramSocket, IReadiness
{
    private readonly SimulatedNetwork _network;
    private readonly int _id;
    private readonly Queue<byte[]> _arrived = new();
    private readonly Queue<byte[]> _unread = new();   // by the child, while it does not read
    private int _arrivedBytes;
    private int _unreadBytes;
    private bool _hasEnded;

    public SimulatedPacketSocket(SimulatedNetwork network)
    {
        _network = network;
        _id = network.OnOpened(this);
    }

    public Func<byte[], bool>? OnMessage { get; set; }

    public override SocketAddr LocalAddress => default;

    IoReadiness IReadiness.Ready =>
        IoReadiness.Writable
        | (_arrived.Count > 0 ? IoReadiness.Readable : IoReadiness.None)
        | (_hasEnded ? IoReadiness.Readable | IoReadiness.Failed : IoReadiness.None);

    /// <summary>The child writes.</summary>
    public bool Arrive(byte[] message)
    {
        if (IsClosed || _hasEnded || _arrivedBytes + message.Length > _network.StreamBufferBytes)
        {
            return false;
        }

        _arrived.Enqueue(message);
        _arrivedBytes += message.Length;
        return true;
    }

    public void End() => _hasEnded = true;

    public override unsafe int Receive(byte* buffer, int capacity)
    {
        Check.That(!IsClosed);
        if (!_arrived.TryDequeue(out var message))
        {
            return -(int)(_hasEnded ? Errno.EPIPE : Errno.EAGAIN);
        }

        _arrivedBytes -= message.Length;
        var fits = Math.Min(message.Length, capacity);
        message.AsSpan(0, fits).CopyTo(new Span<byte>(buffer, fits));
        _network.Trace("receive", _id, message.Length);
        return fits == message.Length ? fits : -(int)Errno.EMSGSIZE;
    }

    public override unsafe int Send(byte* payload, int length)
    {
        Check.That(!IsClosed);
        if (_hasEnded)
        {
            return -(int)Errno.EPIPE;
        }

        var message = new ReadOnlySpan<byte>(payload, length).ToArray();
        if (_unread.Count == 0 && OnMessage!(message))
        {
            return length;
        }

        if (_unreadBytes + length > _network.StreamBufferBytes)
        {
            return -(int)Errno.EAGAIN;
        }

        _unread.Enqueue(message);
        _unreadBytes += length;
        return length;
    }

    /// <summary>The child reads what waits for it.</summary>
    public void ReadOn()
    {
        while (_unread.TryPeek(out var message) && OnMessage!(message))
        {
            _unreadBytes -= _unread.Dequeue().Length;
        }
    }

    protected override void Close() => _network.OnClosed(this, _id);
}
