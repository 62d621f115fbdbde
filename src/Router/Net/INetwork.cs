namespace Router.Net;

/// <summary>How to make a datagram listener's socket.</summary>
/// <param name="ReceiveBuffer">SO_RCVBUF to ask for, bytes; 0 keeps the system's default.</param>
/// <param name="SendBuffer">SO_SNDBUF to ask for, bytes; 0 keeps the system's default.</param>
/// <param name="DualStack">On an IPv6 wildcard: also receive IPv4 (IPV6_V6ONLY off).</param>
/// <param name="JoinGroup">False for the first socket of a group: bound alone, so that a second process on the port
/// is refused, then opened for the others (SO_REUSEPORT set after bind). True for the others: SO_REUSEPORT before
/// bind.</param>
/// <param name="MakeGroup">Whether other shards will join: SO_REUSEPORT is set after the bind.</param>
/// <param name="File">Of a unix socket that is bound to a path: who may send to it.</param>
internal sealed record DatagramOptions(
    int ReceiveBuffer,
    int SendBuffer,
    bool DualStack,
    bool MakeGroup = false,
    bool JoinGroup = false,
    UnixFileOptions? File = null);

/// <summary>How to make a stream listener's socket.</summary>
/// <param name="Backlog">Connections that may wait to be accepted; the kernel caps it at somaxconn.</param>
/// <param name="DualStack">As in <see cref="DatagramOptions"/>; the next two likewise.</param>
/// <param name="MakeGroup">Other shards will join.</param>
/// <param name="JoinGroup">This shard joins; of a unix socket: accepts from the same queue as the first.</param>
/// <param name="File">Of a unix socket that is bound to a path: who may connect.</param>
internal sealed record StreamListenOptions(
    int Backlog, bool DualStack, bool MakeGroup = false, bool JoinGroup = false, UnixFileOptions? File = null);

/// <summary>
/// The seam to the operating system's sockets: Linux calls, the portable twin over System.Net.Sockets, or the test
/// kit's memory. Errors are values: every call returns 0 or a negative errno and leaves nothing open on failure.
/// </summary>
internal interface INetwork
{
    /// <summary>Word for the log: <c>linux</c>, <c>portable</c>, <c>simulated</c>.</summary>
    string Name { get; }

    /// <summary>Whether a datagram's reply leaves from the address it came to, on a socket bound to a
    /// wildcard.</summary>
    bool ChoosesReplySource => true;

    /// <summary>Whether several sockets can share a port (MakeGroup, JoinGroup); without it a listener has one
    /// shard, and a bind that would join fails with -EOPNOTSUPP.</summary>
    bool SupportsGroups => true;

    /// <summary>Whether addresses may be those of unix sockets; else what gets one answers -EAFNOSUPPORT.</summary>
    bool SupportsUnix => false;

    /// <summary>Connections dropped since the boot because some accept queue was full, over all processes of this
    /// network namespace (ListenOverflows of /proc/net/netstat); -1 where unknown. Reads a file: not for a
    /// loop.</summary>
    long ReadAcceptOverflows() => -1;

    /// <summary>One per loop; owned and disposed by it.</summary>
    IPoller CreatePoller();

    /// <summary>A bound, non-blocking datagram socket; wildcard binds report the local address of every
    /// datagram.</summary>
    int BindDatagram(in SocketAddr local, DatagramOptions options, out DatagramSocket? socket);

    /// <summary>A datagram socket connected to <paramref name="remote"/> on a port the kernel picks; to a unixpacket
    /// socket a connection, see <see cref="ConnectedDatagramSocket.IsConnection"/>.</summary>
    int ConnectDatagram(in SocketAddr remote, out ConnectedDatagramSocket? socket);

    /// <summary>Whether sessions can have sockets of their own: <see cref="OpenPeer"/>, <see cref="FixShards"/>,
    /// <see cref="FollowDatagram"/>.</summary>
    bool SupportsPeerSockets => false;

    /// <summary>A socket that serves one peer: bound to <paramref name="local"/>, then connected.</summary>
    /// <param name="local">Port 0: a port of its own. Else the listener's very address: the socket joins its group, and
    /// the kernel gives it what that peer sends.</param>
    /// <param name="peer">Who is served.</param>
    /// <param name="socket">Null on failure.</param>
    /// <remarks>What comes between the bind and the connect may be anybody's: see <see cref="PeerSocket"/>.</remarks>
    int OpenPeer(in SocketAddr local, in SocketAddr peer, out PeerSocket? socket)
    {
        socket = null;
        return -(int)Errno.EOPNOTSUPP;
    }

    /// <summary>
    /// Has the kernel give new peers to these sockets alone, each peer always to the same one, whatever joins their
    /// group later. They are all of their group, in the order they were bound.
    /// </summary>
    int FixShards(IReadOnlyList<DatagramSocket> shards) => -(int)Errno.EOPNOTSUPP;

    /// <summary>
    /// A datagram socket that sends to <paramref name="remote"/> at first, takes what any port of that address answers,
    /// and sends to the port that answered last: as TFTP has it (RFC 1350, 4).
    /// </summary>
    int FollowDatagram(in SocketAddr remote, out ConnectedDatagramSocket? socket)
    {
        socket = null;
        return -(int)Errno.EOPNOTSUPP;
    }

    /// <summary>A bound, listening, non-blocking stream socket; at a unixpacket address what it accepts is a
    /// <see cref="PacketSocket"/>.</summary>
    int Listen(in SocketAddr local, StreamListenOptions options, out StreamListener? socket);

    /// <summary>Starts to connect: 0 or -EINPROGRESS with a socket that turns writable when decided.</summary>
    int ConnectStream(in SocketAddr remote, out StreamSocket? socket);

    /// <summary>Bytes that all pipes of this process should hold together.</summary>
    long PipeBudget => long.MaxValue;

    /// <summary>An empty pipe of <paramref name="bytes"/> bytes for streams of this network; -EOPNOTSUPP where there
    /// is no such thing.</summary>
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

    /// <summary>Takes the socket off, whose descriptor stays open.</summary>
    void Remove(IoSocket socket);

    /// <summary>Takes the socket off, whose descriptor is closed next.</summary>
    void Forget(IoSocket socket) => Remove(socket);

    /// <summary>Waits up to <paramref name="timeoutMs"/> (0: polls, -1: until woken) and tells each ready socket's
    /// receiver. EINTR is not an end.</summary>
    /// <returns>Sockets told.</returns>
    int Wait(int timeoutMs);

    /// <summary>Ends a running or the next <see cref="Wait"/>. Any thread; never blocks.</summary>
    void Wake();
}
