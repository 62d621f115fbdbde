namespace Router.Net;

/// <summary>How to make a datagram listener's socket.</summary>
/// <param name="ReceiveBuffer">SO_RCVBUF to ask for, bytes; 0 keeps the system's default.</param>
/// <param name="SendBuffer">SO_SNDBUF to ask for, bytes; 0 keeps the system's default.</param>
/// <param name="DualStack">On an IPv6 wildcard: also receive IPv4 (IPV6_V6ONLY off).</param>
/// <param name="JoinGroup">False for the first socket of a group: bound alone, so that a second process on the port
/// is refused, then opened for the others (SO_REUSEPORT set after bind). True for the others: SO_REUSEPORT before
/// bind.</param>
/// <param name="MakeGroup">Whether other shards will join: SO_REUSEPORT is set after the bind.</param>
/// <param name="File">The mode and owner of a unix socket's file: who may send to it.</param>
internal sealed record DatagramOptions(
    int ReceiveBuffer,
    int SendBuffer,
    bool DualStack,
    bool MakeGroup = false,
    bool JoinGroup = false,
    UnixFileOptions? File = null);

/// <summary>When a TCP connection whose other end is gone, or cannot be reached, is given up. See tcp(7).</summary>
/// <param name="IdleSeconds">Silence after which the kernel probes the other end; 0 for no probes.</param>
/// <param name="IntervalSeconds">Between two probes.</param>
/// <param name="Count">Probes without an answer that end the connection.</param>
/// <param name="UserTimeoutMs">How long what was sent may stay without an acknowledgement, or without room at the other
/// end (TCP_USER_TIMEOUT); 0 for the system's own rule, about a quarter of an hour.</param>
internal sealed record KeepAliveOptions(int IdleSeconds, int IntervalSeconds, int Count, int UserTimeoutMs)
{
    /// <summary>As reference.conf has them.</summary>
    public static KeepAliveOptions Default { get; } = new(60, 15, 4, 120_000);
}

/// <summary>How to make a stream listener's socket.</summary>
/// <param name="Backlog">Connections that may wait to be accepted; the kernel caps it at somaxconn.</param>
/// <param name="DualStack">On an IPv6 wildcard: also accept IPv4 (IPV6_V6ONLY off).</param>
/// <param name="MakeGroup">Whether other shards will join, as in <see cref="DatagramOptions"/>.</param>
/// <param name="JoinGroup">Whether this shard joins. A unix socket that joins accepts from the queue of the
/// first.</param>
/// <param name="File">The mode and owner of a unix socket's file: who may connect.</param>
/// <param name="KeepAlive">For the connections that it accepts; null for the system's own rule.</param>
internal sealed record StreamListenOptions(
    int Backlog,
    bool DualStack,
    bool MakeGroup = false,
    bool JoinGroup = false,
    UnixFileOptions? File = null,
    KeepAliveOptions? KeepAlive = null);

/// <summary>
/// The seam to the operating system's sockets: Linux calls, the portable twin over System.Net.Sockets, or the test
/// kit's memory. Errors are values: every call returns 0 or a negative errno and leaves nothing open on failure.
/// </summary>
internal interface INetwork
{
    /// <summary>The network's name in the log: <c>linux</c>, <c>portable</c>, <c>simulated</c>.</summary>
    string Name { get; }

    /// <summary>Whether several sockets can share a port (MakeGroup, JoinGroup); without it a listener has one
    /// shard, and a bind that would join fails with -EOPNOTSUPP.</summary>
    bool SupportsGroups => true;

    /// <summary>Whether addresses may be those of unix sockets. Without that, calls that are given one return
    /// -EAFNOSUPPORT.</summary>
    bool SupportsUnix => false;

    /// <summary>Connections that the kernel has dropped since the boot because an accept queue was full, over all
    /// processes of this network namespace (ListenOverflows of /proc/net/netstat); -1 where unknown.</summary>
    /// <remarks>Reads a file, which may block: never called on a loop.</remarks>
    long ReadAcceptOverflows() => -1;

    /// <summary>The calling thread's number in the system, gettid(2); 0 where there is none.</summary>
    int CurrentThreadId() => 0;

    /// <summary>Makes the poller of one loop, which disposes of it.</summary>
    IPoller CreatePoller();

    /// <summary>Binds a datagram socket. One that is bound to a wildcard tells the local address of every datagram, and
    /// sends from the one that it is given; where the system cannot do that, the bind fails with
    /// -ENOPROTOOPT.</summary>
    int BindDatagram(in SocketAddr local, DatagramOptions options, out DatagramSocket? socket);

    /// <summary>Connects a datagram socket to <paramref name="remote"/>, from a port that the kernel picks. To a
    /// unixpacket socket this makes a connection, see <see cref="ConnectedDatagramSocket.IsConnection"/>.</summary>
    /// <param name="remote">The upstream.</param>
    /// <param name="socket">Null on failure.</param>
    /// <param name="receiveBuffer">SO_RCVBUF to ask for, bytes; 0 keeps the system's default.</param>
    int ConnectDatagram(in SocketAddr remote, out ConnectedDatagramSocket? socket, int receiveBuffer = 0);

    /// <summary>Whether sessions can have sockets of their own: <see cref="OpenPeer"/>, <see cref="FixShards"/>,
    /// <see cref="FollowDatagram"/>.</summary>
    bool SupportsPeerSockets => false;

    /// <summary>Binds a socket to <paramref name="local"/>, then connects it to the one peer that it serves.</summary>
    /// <param name="local">With port 0 the socket gets a port of its own. Else this is the listener's address: the
    /// socket joins the listener's group, and the kernel gives it what the peer sends.</param>
    /// <param name="peer">The peer that the socket serves.</param>
    /// <param name="socket">Null on failure.</param>
    /// <param name="receiveBuffer">SO_RCVBUF to ask for, bytes; 0 keeps the system's default.</param>
    /// <remarks>Between the bind and the connect the socket receives from anybody: see <see cref="PeerSocket"/>.
    /// </remarks>
    int OpenPeer(in SocketAddr local, in SocketAddr peer, out PeerSocket? socket, int receiveBuffer = 0)
    {
        socket = null;
        return -(int)Errno.EOPNOTSUPP;
    }

    /// <summary>Has the kernel give new peers to these sockets alone, each peer always to the same one, whatever joins
    /// their group later.</summary>
    /// <param name="shards">All sockets of the group, in the order in which they were bound.</param>
    int FixShards(IReadOnlyList<DatagramSocket> shards) => -(int)Errno.EOPNOTSUPP;

    /// <summary>Opens a datagram socket that sends to <paramref name="remote"/> at first, receives from any port of
    /// that address, and sends to the port that answered last, as TFTP needs it (RFC 1350, 4).</summary>
    /// <param name="remote">The upstream.</param>
    /// <param name="socket">Null on failure.</param>
    /// <param name="receiveBuffer">SO_RCVBUF to ask for, bytes; 0 keeps the system's default.</param>
    int FollowDatagram(in SocketAddr remote, out ConnectedDatagramSocket? socket, int receiveBuffer = 0)
    {
        socket = null;
        return -(int)Errno.EOPNOTSUPP;
    }

    /// <summary>Binds a stream socket and listens. At a unixpacket address it accepts
    /// <see cref="PacketSocket"/>s.</summary>
    int Listen(in SocketAddr local, StreamListenOptions options, out StreamListener? socket);

    /// <summary>Starts to connect.</summary>
    /// <returns>0 if the connection stands; -EINPROGRESS if the socket turns writable once it is decided; or another
    /// negative errno, without a socket.</returns>
    int ConnectStream(in SocketAddr remote, out StreamSocket? socket);

    /// <summary>Bytes that all pipes of this process should hold together.</summary>
    long PipeBudget => long.MaxValue;

    /// <summary>Makes an empty pipe of <paramref name="bytes"/> bytes for streams of this network; -EOPNOTSUPP where
    /// the network has no pipes.</summary>
    int CreatePipe(int bytes, out StreamPipe? pipe)
    {
        pipe = null;
        return -(int)Errno.EOPNOTSUPP;
    }
}

/// <summary>Waits for readiness of many sockets; one per loop, used by the loop's thread only, except
/// <see cref="Wake"/>.</summary>
internal interface IPoller : IDisposable
{
    /// <returns>0 or a negative errno (-ENOSPC, -ENOMEM).</returns>
    int Add(IoSocket socket, IoReadiness interest);

    void Modify(IoSocket socket, IoReadiness interest);

    /// <summary>Stops watching a socket that stays open.</summary>
    void Remove(IoSocket socket);

    /// <summary>Stops watching a socket that is closed next.</summary>
    void Forget(IoSocket socket) => Remove(socket);

    /// <summary>Waits up to <paramref name="timeoutMs"/> milliseconds (0 polls, -1 waits until woken) and tells the
    /// receiver of each ready socket.</summary>
    /// <returns>Sockets told.</returns>
    int Wait(int timeoutMs);

    /// <summary>Ends a running or the next <see cref="Wait"/>. Any thread; never blocks.</summary>
    void Wake();
}
