using System.Net;
using System.Text;
using Router.Net;
using Router.TestKit.Simulation;

namespace Router.TestKit;

/// <summary>
/// The other side of a TCP session, in a test's hands: a client of a listener, or one connection of a
/// <see cref="TcpServer"/>.
/// </summary>
/// <remarks>
/// It reads at once what comes, unless <see cref="IsReading"/> is off; what it sends waits here while the router does
/// not read.
/// </remarks>
public sealed class TcpPeer : IStreamEvents
{
    private readonly SimulatedNetwork _network;
    private readonly StreamEnd? _end;
    private readonly MemoryStream _received = new();
    private readonly Queue<byte[]> _unsent = new();
    private int _headUsed;
    private bool _finish;
    private bool _isReading = true;
    private bool _isPumping;

    internal TcpPeer(SimulatedNetwork network, IPEndPoint endPoint, StreamEnd? end)
    {
        _network = network;
        _end = end;
        EndPoint = endPoint;
        if (end is not null)
        {
            end.Events = this;
        }
    }

    /// <summary>Its own address.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Nobody listened where it wanted to connect.</summary>
    public bool IsRefused => _end is null;

    /// <summary>All bytes that have come.</summary>
    public ReadOnlyMemory<byte> Received => _received.GetBuffer().AsMemory(0, (int)_received.Length);

    /// <summary>The same as UTF-8 text.</summary>
    public string ReceivedText => Encoding.UTF8.GetString(Received.Span);

    /// <summary>The router has ended its side, and everything before that has been read.</summary>
    public bool HasFinished { get; private set; }

    /// <summary>The connection was reset by the router.</summary>
    public bool IsReset { get; private set; }

    /// <summary>Nothing more can be sent from here: finished, closed, reset by either side, or refused.</summary>
    public bool HasEnded => _finish || IsReset || _end is null || _end.IsClosed;

    /// <summary>Bytes of <see cref="Send"/> that wait because the buffer towards the router is full.</summary>
    public long UnsentBytes { get; private set; }

    /// <summary>Runs on every arrival, after the bytes were added to <see cref="Received"/>; may send.</summary>
    public Action<TcpPeer, ReadOnlyMemory<byte>>? OnReceived { get; set; }

    /// <summary>Off: what comes stays in the buffer between, and the sender is stopped when that is full.</summary>
    public bool IsReading
    {
        get => _isReading;
        set
        {
            _isReading = value;
            Drain();
        }
    }

    /// <summary>Sends bytes: at once as far as there is room, the rest as the router reads.</summary>
    /// <exception cref="InvalidOperationException">The peer has finished, or was refused.</exception>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (_finish || IsRefused)
        {
            throw new InvalidOperationException(
                IsRefused ? "the connection was refused" : "the peer has ended its side");
        }

        if (!bytes.IsEmpty)
        {
            _unsent.Enqueue(bytes.ToArray());
            UnsentBytes += bytes.Length;
            Pump();
        }
    }

    /// <summary>Ends this side after what is unsent; the router may go on sending.</summary>
    public void Finish()
    {
        _finish = true;
        Pump();
    }

    /// <summary>Breaks the connection: the router meets ECONNRESET.</summary>
    public void Reset()
    {
        _network.Trace("peer-reset", EndPoint.Port, 0);
        _unsent.Clear();
        UnsentBytes = 0;
        _end?.Abort();
    }

    /// <summary>
    /// Closes both ways, as a process that exits does: unread bytes turn it into a reset, and so does what is sent to
    /// it later.
    /// </summary>
    public void Close()
    {
        _network.Trace("peer-close", EndPoint.Port, 0);
        _end?.Close();
    }

    void IStreamEvents.OnArrived() => Drain();

    void IStreamEvents.OnRoom() => Pump();

    private void Pump()
    {
        if (_end is null || _isPumping)
        {
            return;
        }

        _isPumping = true;   // the other side may answer within the call
        while (_unsent.TryPeek(out var head))
        {
            var sent = _end.Send(head.AsSpan(_headUsed));
            if (sent <= 0)
            {
                break;
            }

            _network.Trace("peer-write", EndPoint.Port, sent, head.AsSpan(_headUsed, sent));
            UnsentBytes -= sent;
            _headUsed += sent;
            if (_headUsed == head.Length)
            {
                _headUsed = 0;
                _unsent.Dequeue();
            }
        }

        _isPumping = false;
        if (_finish && _unsent.Count == 0)
        {
            _end.ShutdownWrite();
        }
    }

    private void Drain()
    {
        if (_end is null || !_isReading)
        {
            return;
        }

        var buffer = new byte[Math.Max(1, _end.ReadableBytes)];
        int read;
        while ((read = _end.Receive(buffer)) > 0)
        {
            _received.Write(buffer, 0, read);
            OnReceived?.Invoke(this, buffer.AsMemory(0, read));
        }

        HasFinished |= read == 0 && !_end.IsBroken;
        IsReset |= read < 0 && (Errno)(-read) == Errno.ECONNRESET;
    }
}

/// <summary>A server of a test that a router connects to: an upstream.</summary>
public sealed class TcpServer : IStreamAcceptor
{
    private readonly SimulatedNetwork _network;
    private readonly List<TcpPeer> _accepted = [];

    internal TcpServer(SimulatedNetwork network, IPEndPoint endPoint)
    {
        _network = network;
        EndPoint = endPoint;
        network.AddAcceptor(SocketAddr.From(endPoint), this);
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Connections so far, oldest first, ended ones too.</summary>
    public IReadOnlyList<TcpPeer> Accepted => _accepted;

    /// <summary>
    /// Runs on every new connection: sets its <see cref="TcpPeer.OnReceived"/>, or turns its reading off.
    /// </summary>
    public Action<TcpPeer>? OnAccepted { get; set; }

    /// <summary>Stops listening: later connects are refused. Connections live on.</summary>
    public void Close() => _network.RemoveAcceptor(SocketAddr.From(EndPoint), this);

    void IStreamAcceptor.OnConnection(StreamEnd end)
    {
        var peer = new TcpPeer(_network, end.Remote.ToIPEndPoint(), end);
        _accepted.Add(peer);
        OnAccepted?.Invoke(peer);
    }
}
