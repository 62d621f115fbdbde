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
    /// <summary>Level-triggered: told again on every pass until the socket is drained or its interest taken
    /// back.</summary>
    void OnReady(IoSocket socket, IoReadiness ready);

    /// <summary>The turn of the socket that was queued on the loop: for receivers that do so.
    /// </summary>
    void OnTurn(IoSocket socket)
    {
    }
}

/// <summary>The loop that watches a socket, as the socket knows it. Its thread only.</summary>
internal interface ISocketLoop
{
    /// <summary>Watches a registered socket for other readiness.</summary>
    void SetInterest(IoSocket socket, IoReadiness interest);

    /// <summary>Takes a socket off that is closed next.</summary>
    void Unregister(IoSocket socket);

    /// <summary>Takes an exception that left a receiver.</summary>
    void Contain(Exception fault);
}

/// <summary>A non-blocking socket that a loop can watch. Used by one loop's thread only, from registration to
/// disposal.</summary>
internal abstract class IoSocket : IDisposable, IRunnable
{
    /// <summary>The endpoint the socket is bound to, as getsockname(2) tells it.</summary>
    public abstract SocketAddr LocalAddress { get; }

    /// <summary>Whether the descriptor has been closed.</summary>
    public abstract bool IsClosed { get; }

    /// <summary>The loop the socket is registered with; null before it is registered and after
    /// disposal.</summary>
    public ISocketLoop? Loop { get; internal set; }

    internal IIoReceiver? Receiver { get; set; }

    /// <summary>What the loop watches for now; set through <see cref="ISocketLoop.SetInterest"/>.</summary>
    public IoReadiness Interest { get; internal set; }

    /// <summary>Readiness that the receiver has been told of and has not consumed; for the receiver's use.</summary>
    public IoReadiness Pending { get; set; }

    /// <summary>The loop's slot of this socket, -1 while not registered.</summary>
    internal int Slot { get; set; } = -1;

    /// <summary>The descriptor, for the poller of the same network; -1 once closed, or where there is none.</summary>
    internal virtual int Descriptor => -1;

    /// <summary>Others wait for the same connections by descriptors of their own: one of them is to be woken, not all
    /// (EPOLLEXCLUSIVE).</summary>
    internal virtual bool WakesOne => false;

    /// <summary>Tells the receiver; what it throws is the loop's to contain, so that the other sockets are told as
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

    /// <summary>Its turn in the loop's run queue.</summary>
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
    public abstract void Dispose();
}

/// <summary>A bound datagram socket: receives and sends in batches. See udp(7), recvmmsg(2), sendmmsg(2).</summary>
internal abstract class DatagramSocket : IoSocket
{
    /// <summary>Socket buffer sizes the kernel granted, in bytes of payload and bookkeeping as getsockopt(2) tells
    /// them.</summary>
    public abstract (int Receive, int Send) BufferSizes { get; }

    /// <summary>Whether a slot may receive a train instead of one datagram, see <see cref="DatagramBatch"/>.</summary>
    public virtual bool ReceivesTrains => false;

    /// <summary>Fills up to <paramref name="batch"/>.Capacity slots without blocking, over the batch's former
    /// content.</summary>
    /// <returns>Slots written, 0..Capacity (0: it would block, or only an ICMP error was pending, which is
    /// consumed); or a negative errno.</returns>
    public abstract int Receive(DatagramBatch batch);

    /// <summary>Drops what has come so far.</summary>
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

    /// <summary>Datagrams the kernel dropped because this socket's receive buffer was full (SO_MEMINFO), or -1 if
    /// unknown.</summary>
    public abstract long KernelDrops { get; }
}

/// <summary>A datagram socket connected to one upstream: the kernel demultiplexes and reports its ICMP errors. See
/// udp(7).</summary>
internal abstract class ConnectedDatagramSocket : IoSocket
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

    /// <summary>It is a connection that keeps messages apart (SOCK_SEQPACKET): its end is told by -EPIPE, and a message
    /// that is not taken now (-EAGAIN) may be sent again when the socket is writable.</summary>
    public virtual bool IsConnection => false;

    /// <summary>On a connection: no more messages come from here; the other direction goes on.</summary>
    public virtual void ShutdownWrite()
    {
    }
}

/// <summary>A datagram socket that serves one peer of a listener: connected, so that the kernel gives it that peer's
/// datagrams and reports its ICMP errors.</summary>
/// <remarks>Until it was connected it was a socket like any other on its port: what came then may be anybody's, and is
/// told by its sender.</remarks>
internal abstract class PeerSocket : IoSocket
{
    /// <returns>Bytes received (0 is an empty datagram), or a negative errno; -EAGAIN when there is none. A
    /// datagram longer than <paramref name="capacity"/> is cut and reported as -EMSGSIZE.</returns>
    public abstract unsafe int Receive(byte* buffer, int capacity, out SocketAddr from);

    /// <returns>As <see cref="ConnectedDatagramSocket.Send"/>.</returns>
    public abstract unsafe int Send(byte* payload, int length);
}

/// <summary>A connected byte stream. See tcp(7).</summary>
internal abstract class StreamSocket : IoSocket
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

    /// <summary>After a pending connect turned writable: 0 if it stands, else the negative errno
    /// (SO_ERROR).</summary>
    public abstract int ConnectResult();

    /// <summary>Closes with a reset instead of FIN (SO_LINGER 0) and discards what is unsent.</summary>
    public abstract void Abort();
}

/// <summary>A connection that keeps messages apart (SOCK_SEQPACKET). See unix(7).</summary>
/// <remarks>Receive: one message, 0 for an empty one; the end is -EPIPE, and a message longer than there is room for is
/// cut and reported as -EMSGSIZE. Send: the whole message, or -EAGAIN.</remarks>
internal abstract class PacketSocket : StreamSocket;

/// <summary>A listening stream socket. See listen(2), accept(2).</summary>
internal abstract class StreamListener : IoSocket
{
    /// <summary>min(asked, somaxconn), as the kernel holds it (TCP_INFO of the listening socket); the asked value
    /// where unknown.</summary>
    public abstract int GrantedBacklog { get; }

    /// <summary>Connections that wait to be accepted now (TCP_INFO of the listening socket); at most one more than
    /// <see cref="GrantedBacklog"/>; -1 where unknown.</summary>
    public virtual int QueueLength => -1;

    /// <summary>Connections the kernel dropped because the accept queue was full, or otherwise before they were
    /// accepted, since the socket was made (SO_MEMINFO of the listening socket; 32 bits, around); -1 where
    /// unknown.</summary>
    /// <remarks>Attempts, not clients: one whose SYN was dropped sends it again a second later, and again.</remarks>
    public virtual long OverflowDrops => -1;

    /// <summary>Accepts one connection without blocking; TCP_NODELAY is set on it.</summary>
    /// <returns>0 and a socket, or a negative errno (-EAGAIN: none waiting; -EMFILE, -ENFILE: no
    /// descriptors).</returns>
    public abstract int Accept(out StreamSocket? connection);
}
