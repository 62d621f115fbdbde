using System.Globalization;

namespace Router.Net;

/// <summary>What a socket is watched for, and what it was found ready for.</summary>
[Flags]
internal enum IoReadiness
{
    None = 0,
    Readable = 1,
    Writable = 4,

    /// <summary>An error is pending or the other side is gone (EPOLLERR, EPOLLHUP); always watched for.</summary>
    Failed = 8,
}

/// <summary>Told on the loop's thread when a socket is ready. Must not throw and must not block.</summary>
internal interface IIoReceiver
{
    /// <summary>Called on every pass until the socket is drained or its interest is taken back
    /// (level-triggered).</summary>
    void OnReady(IoSocket socket, IoReadiness ready);

    /// <summary>Called when a socket that its receiver has queued on the loop gets its turn.</summary>
    void OnTurn(IoSocket socket)
    {
    }
}

/// <summary>What a socket needs of the loop that watches it. Called on the loop's thread only.</summary>
internal interface ISocketLoop
{
    void SetInterest(IoSocket socket, IoReadiness interest);

    /// <summary>Stops watching a socket that is closed next.</summary>
    void Unregister(IoSocket socket);

    /// <summary>Reports an exception that a receiver has thrown.</summary>
    void Contain(Exception fault);
}

/// <summary>A non-blocking socket that a loop can watch. Used by one loop's thread only, from registration to
/// disposal.</summary>
/// <param name="descriptor">The open descriptor, which the socket owns from now on; -1 where the network has
/// none.</param>
internal abstract class IoSocket(int descriptor = -1) : IDisposable, IRunnable
{
    /// <summary>The endpoint the socket is bound to, as getsockname(2) tells it.</summary>
    public abstract SocketAddr LocalAddress { get; }

    public virtual bool IsClosed { get; private set; }

    /// <summary>The loop the socket is registered with; null before it is registered and after
    /// disposal.</summary>
    public ISocketLoop? Loop { get; internal set; }

    internal IIoReceiver? Receiver { get; set; }

    /// <summary>What the loop watches for now; set through <see cref="ISocketLoop.SetInterest"/>.</summary>
    public IoReadiness Interest { get; internal set; }

    /// <summary>Readiness that the receiver has been told of and has not consumed. The receiver keeps it.</summary>
    public IoReadiness Pending { get; set; }

    /// <summary>The loop's slot of this socket, -1 while not registered.</summary>
    internal int Slot { get; set; } = -1;

    /// <summary>The descriptor, for the poller of the same network; -1 once closed, or where there is none.</summary>
    internal int Descriptor { get; private set; } = descriptor;

    /// <summary>Whether other sockets wait for the same connections by descriptors of their own, so that the kernel is
    /// to wake one of them and not all (EPOLLEXCLUSIVE).</summary>
    internal virtual bool WakesOne => false;

    /// <summary>Tells the receiver. The loop contains what it throws, so that the other sockets are told as
    /// well.</summary>
    internal void Tell(IoReadiness ready)
    {
        var loop = Loop;
        try
        {
            Receiver?.OnReady(this, ready);
        }
        catch (Exception fault) when (loop is not null)
        {
            loop.Contain(fault);
        }
    }

    public void Run()
    {
        if (Receiver is { } receiver)
        {
            receiver.OnTurn(this);
        }
        else
        {
            Pending = IoReadiness.None;   // taken off meanwhile; it may be watched again
        }
    }

    public void Execute() => Run();

    /// <summary>Takes the socket off its loop and closes it. Closing twice is allowed.</summary>
    public void Dispose()
    {
        if (!IsClosed)
        {
            IsClosed = true;
            Loop?.Unregister(this);
            Close();
            Descriptor = -1;
        }
    }

    /// <summary>Datagrams that the kernel has dropped because this socket's receive buffer was full, since this was
    /// asked last; 0 where the system does not tell. A system call.</summary>
    /// <remarks>Where a socket receives trains (UDP_GRO) the kernel counts a train once.</remarks>
    public virtual long TakeKernelDrops() => 0;

    /// <summary>Closes <see cref="Descriptor"/>, and gives back what else the socket holds. Called once.</summary>
    protected abstract void Close();
}

/// <summary>A bound datagram socket: receives and sends in batches. See udp(7), recvmmsg(2), sendmmsg(2).</summary>
internal abstract class DatagramSocket(int descriptor = -1) : IoSocket(descriptor)
{
    /// <summary>The buffer sizes that the kernel granted, in bytes of payload and bookkeeping, as getsockopt(2) tells
    /// them.</summary>
    public abstract (int Receive, int Send) BufferSizes { get; }

    /// <summary>Whether a slot may receive a train instead of one datagram, see <see cref="DatagramBatch"/>.</summary>
    public virtual bool ReceivesTrains => false;

    /// <summary>Fills up to <paramref name="batch"/>.Capacity slots without blocking, over the batch's former
    /// content.</summary>
    /// <returns>Slots written, 0..Capacity (0: it would block, or only an ICMP error was pending, which is
    /// consumed); or a negative errno.</returns>
    public abstract int Receive(DatagramBatch batch);

    /// <summary>Receives and drops what has come so far.</summary>
    internal virtual void Discard()
    {
    }

    /// <summary>Sends what is queued, in order, without blocking; datagrams the kernel refuses are counted in the
    /// queue and skipped.</summary>
    /// <remarks>
    /// Always leaves the queue empty. ECONNREFUSED and other pending ICMP errors are consumed and the datagram
    /// retried once; equal-sized consecutive datagrams to one peer leave as one UDP_SEGMENT send where the system
    /// has it (udp(7)).
    /// </remarks>
    public abstract void Send(DatagramQueue queue);
}

/// <summary>A datagram socket connected to one upstream: the kernel demultiplexes and reports its ICMP errors. See
/// udp(7).</summary>
internal abstract class ConnectedDatagramSocket(int descriptor = -1) : IoSocket(descriptor)
{
    /// <returns>Bytes received (0 is an empty datagram), or a negative errno; -EAGAIN when there is none. A
    /// datagram longer than <paramref name="capacity"/> is cut and reported as -EMSGSIZE.</returns>
    public abstract unsafe int Receive(byte* buffer, int capacity);

    /// <returns>Bytes sent, or a negative errno. -ECONNREFUSED tells of an earlier datagram: this one was not sent
    /// and may be tried again.</returns>
    public abstract unsafe int Send(byte* payload, int length);

    /// <summary>Sends the first of <paramref name="payloads"/>, and with it in one message (UDP_SEGMENT) those behind
    /// it that may go along, where the system has that.</summary>
    /// <returns>Payloads sent, at least 1, or a negative errno as <see cref="Send"/> gives it, for the first of
    /// them.</returns>
    internal virtual unsafe int SendRun(IoVector* payloads, int count) =>
        Send(payloads->Base, (int)payloads->Length) is < 0 and var error ? error : 1;

    /// <summary>Receives a datagram, or a train of them (UDP_GRO) where trains have been sent.</summary>
    /// <param name="segment">Bytes of each datagram of a train but the last; 0 for one datagram.</param>
    /// <returns>As <see cref="Receive"/>.</returns>
    internal virtual unsafe int ReceiveRun(byte* buffer, int capacity, out int segment)
    {
        segment = 0;
        return Receive(buffer, capacity);
    }

    /// <summary>Datagrams that came from another address than the upstream's and were discarded, so far.</summary>
    public virtual long ForeignDrops => 0;

    /// <summary>Whether this is a connection that keeps messages apart (SOCK_SEQPACKET): receiving then returns -EPIPE
    /// at its end, and a message that is not taken now (-EAGAIN) may be sent again when the socket is
    /// writable.</summary>
    public virtual bool IsConnection => false;

    /// <summary>Ends the sending direction of a connection; the other goes on.</summary>
    public virtual void ShutdownWrite()
    {
    }
}

/// <summary>A datagram socket that serves one peer of a listener: connected, so that the kernel gives it that peer's
/// datagrams and reports its ICMP errors.</summary>
/// <remarks>Before it was connected it received from anybody, like any socket on its port: the sender of each datagram
/// tells whose it is.</remarks>
internal abstract class PeerSocket(int descriptor = -1) : IoSocket(descriptor)
{
    /// <returns>Bytes received (0 is an empty datagram), or a negative errno; -EAGAIN when there is none. A
    /// datagram longer than <paramref name="capacity"/> is cut and reported as -EMSGSIZE.</returns>
    public abstract unsafe int Receive(byte* buffer, int capacity, out SocketAddr from);

    /// <returns>As <see cref="ConnectedDatagramSocket.Send"/>.</returns>
    public abstract unsafe int Send(byte* payload, int length);
}

/// <summary>A connected byte stream. See tcp(7).</summary>
internal abstract class StreamSocket(int descriptor = -1) : IoSocket(descriptor)
{
    public abstract SocketAddr PeerAddress { get; }

    /// <returns>Bytes read; 0 at the peer's end of stream; or a negative errno (-EAGAIN: nothing to read
    /// now).</returns>
    public abstract unsafe int Receive(byte* buffer, int capacity);

    /// <returns>Bytes taken by the kernel (may be fewer than asked), or a negative errno. Never raises
    /// SIGPIPE.</returns>
    public abstract unsafe int Send(byte* payload, int length);

    /// <summary>Sends FIN: the other direction goes on. See shutdown(2).</summary>
    public abstract void ShutdownWrite();

    /// <summary>Sets when the connection is given up because its other end is gone. What the system does not know is
    /// left out; for a unix socket, whose other end cannot vanish, that is all of it.</summary>
    public virtual void SetKeepAlive(KeepAliveOptions options)
    {
    }

    /// <summary>Tells, once a pending connect has turned writable, what became of it.</summary>
    /// <returns>0 if the connection stands, else the negative errno (SO_ERROR).</returns>
    public abstract int ConnectResult();

    /// <summary>Closes with a reset instead of FIN (SO_LINGER 0) and discards what is unsent.</summary>
    public abstract void Abort();
}

/// <summary>A connection that keeps messages apart (SOCK_SEQPACKET). See unix(7).</summary>
/// <remarks>Receive returns one message, 0 for an empty one and -EPIPE at the end; a message that is longer than the
/// room is cut and reported as -EMSGSIZE. Send takes the whole message, or returns -EAGAIN.</remarks>
internal abstract class PacketSocket(int descriptor = -1) : StreamSocket(descriptor);

/// <summary>A listening stream socket. See listen(2), accept(2).</summary>
internal abstract class StreamListener(int descriptor = -1) : IoSocket(descriptor)
{
    /// <summary>min(asked, somaxconn), as the kernel holds it (TCP_INFO of the listening socket); the asked value
    /// where unknown.</summary>
    public abstract int GrantedBacklog { get; }

    /// <summary>Connections that wait to be accepted now (TCP_INFO of the listening socket); at most one more than
    /// <see cref="GrantedBacklog"/>; -1 where unknown.</summary>
    public virtual int QueueLength => -1;

    /// <summary>Segments of connection attempts that the kernel dropped since the socket was made (SO_MEMINFO of the
    /// listening socket; 32 bits, around); -1 where unknown.</summary>
    /// <remarks>Not only because the accept queue was full: also where a client resets its attempt, as a port scan
    /// does, or sends a segment again. <see cref="INetwork.ReadAcceptOverflows"/> counts full queues alone.</remarks>
    public virtual long DroppedAttempts => -1;

    /// <summary>The backlog that the system grants: as asked, or its limit (net.core.somaxconn) where that is less and
    /// known.</summary>
    protected static int Granted(int asked)
    {
        try
        {
            return OperatingSystem.IsLinux()
                ? Math.Min(asked, int.Parse(
                    File.ReadAllText("/proc/sys/net/core/somaxconn"), CultureInfo.InvariantCulture))
                : asked;
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException or FormatException)
        {
            return asked;
        }
    }

    /// <summary>Accepts one connection without blocking; TCP_NODELAY is set on it.</summary>
    /// <returns>0 and a socket, or a negative errno (-EAGAIN: none waiting; -EMFILE, -ENFILE: no
    /// descriptors).</returns>
    public abstract int Accept(out StreamSocket? connection);
}
