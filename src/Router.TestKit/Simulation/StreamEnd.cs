using Router.Net;

namespace Router.TestKit.Simulation;

/// <summary>Told by one end of a simulated connection what has happened to it.</summary>
internal interface IStreamEvents
{
    /// <summary>Bytes, the peer's end of stream or a reset have arrived.</summary>
    void OnArrived();

    /// <summary>The other side has read: there is room again.</summary>
    void OnRoom();
}

/// <summary>
/// One end of a simulated connection: a bounded buffer of what has come, and the state of both directions. See tcp(7).
/// </summary>
internal sealed class StreamEnd
{
    private readonly SimulatedNetwork _network;
    private readonly Queue<byte[]> _arrived = new();
    private readonly int _capacity;
    private int _headUsed;
    private int _held;          // bytes arrived or on their way: what bounds the sender
    private int _readable;
    private TimeSpan _lastArrival;
    private bool _finSent;
    private bool _finArrived;
    private Errno _error;       // told once, by the next call
    private bool _broken;

    private StreamEnd(SimulatedNetwork network, in SocketAddr local, in SocketAddr remote)
    {
        _network = network;
        _capacity = network.StreamBufferBytes;
        Local = local;
        Remote = remote;
        Other = this;
        Id = network.NextConnectionId();
    }

    public static (StreamEnd Client, StreamEnd Server) Pair(
        SimulatedNetwork network, in SocketAddr client, in SocketAddr server)
    {
        var one = new StreamEnd(network, client, server);
        var two = new StreamEnd(network, server, client) { Other = one };
        one.Other = two;
        return (one, two);
    }

    public int Id { get; }

    public SocketAddr Local { get; }

    public SocketAddr Remote { get; }

    public StreamEnd Other { get; private set; }

    public IStreamEvents? Events { get; set; }

    public bool IsClosed { get; private set; }

    /// <summary>A reset has come, or was sent.</summary>
    public bool IsBroken => _broken;

    public bool IsFinished => _finArrived;

    /// <summary>Bytes that have arrived and wait to be read.</summary>
    public int ReadableBytes => _readable;

    public IoReadiness Ready
    {
        get
        {
            if (_broken)
            {
                return IoReadiness.Readable | IoReadiness.Writable | IoReadiness.Failed;
            }

            var ready = _readable > 0 || _finArrived ? IoReadiness.Readable : IoReadiness.None;
            if (_finSent || (Other._capacity - Other._held) * 2 >= Other._held)
            {
                ready |= IoReadiness.Writable;   // the kernel waits until a third is free
            }

            // Both ways shut is EPOLLHUP; of a unix socket a peer that has closed is.
            var isOver = _finArrived && (_finSent || (Local.IsUnix && Other.IsClosed));
            return isOver ? ready | IoReadiness.Failed : ready;
        }
    }

    /// <returns>Bytes taken, or a negative errno.</returns>
    public int Send(ReadOnlySpan<byte> bytes)
    {
        if (_broken || _finSent)
        {
            return -(int)(TakeError() is var error && error != Errno.Success ? error : Errno.EPIPE);
        }

        if (Other.IsClosed)
        {
            After(this, () => Break(Errno.ECONNRESET));   // nobody is there: the answer is a reset
            return bytes.Length;
        }

        var taken = Math.Min(bytes.Length, Other._capacity - Other._held);
        if (taken == 0)
        {
            return bytes.IsEmpty ? 0 : -(int)Errno.EAGAIN;
        }

        var segment = bytes[..taken].ToArray();
        Other._held += taken;
        After(Other, () => Other.Arrive(segment));
        return taken;
    }

    /// <returns>Bytes read, 0 at the end of the stream, or a negative errno.</returns>
    public int Receive(Span<byte> buffer)
    {
        if (_readable == 0)
        {
            var error = TakeError();
            return error != Errno.Success ? -(int)error : _finArrived || _broken ? 0 : -(int)Errno.EAGAIN;
        }

        var read = 0;
        while (read < buffer.Length && _arrived.TryPeek(out var head))
        {
            var part = Math.Min(head.Length - _headUsed, buffer.Length - read);
            head.AsSpan(_headUsed, part).CopyTo(buffer[read..]);
            read += part;
            _headUsed += part;
            if (_headUsed == head.Length)
            {
                _headUsed = 0;
                _arrived.Dequeue();
            }
        }

        _readable -= read;
        _held -= read;
        Other.Events?.OnRoom();
        return read;
    }

    public void ShutdownWrite()
    {
        if (_finSent || _broken)
        {
            return;
        }

        _finSent = true;
        After(Other, () =>
        {
            Other._finArrived = true;
            Other.Events?.OnArrived();
        });
    }

    /// <summary>Closes both ways. Unread bytes turn the end of stream into a reset, as the kernel does.</summary>
    public void Close()
    {
        if (IsClosed)
        {
            return;
        }

        if (_readable > 0)
        {
            Abort();
            return;
        }

        ShutdownWrite();
        IsClosed = true;
        Events = null;
    }

    public void Abort()
    {
        if (IsClosed)
        {
            return;
        }

        IsClosed = true;
        Events = null;
        if (!_broken)
        {
            _broken = true;
            After(Other, () => Other.Break(Errno.ECONNRESET));
        }
    }

    /// <summary>The pending error, once: what getsockopt(SO_ERROR) gives.</summary>
    public Errno TakeError()
    {
        var error = _error;
        _error = Errno.Success;
        return error;
    }

    private void Arrive(byte[] segment)
    {
        if (IsClosed)
        {
            After(Other, () => Other.Break(Errno.ECONNRESET));
            return;
        }

        _readable += segment.Length;
        _arrived.Enqueue(segment);
        Events?.OnArrived();
    }

    private void Break(Errno error)
    {
        if (_broken || IsClosed)
        {
            return;
        }

        _broken = true;
        _error = error;
        Events?.OnArrived();
    }

    /// <summary>Has something arrive at an end: at once, or later and behind what is under way to it.</summary>
    private void After(StreamEnd end, Action arrival)
    {
        var now = _network.Time.Elapsed;
        var due = now + _network.Faults.StreamDelay();
        end._lastArrival = due > end._lastArrival ? due : end._lastArrival;
        if (end._lastArrival <= now)
        {
            arrival();
        }
        else
        {
            _network.At(end._lastArrival, arrival);
        }
    }
}
