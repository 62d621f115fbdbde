namespace Router.Net;

/// <summary>Makes the UDP sockets that serve one session, and keeps them apart from the sockets of the listener whose
/// port they share. Any thread.</summary>
internal sealed unsafe class LinuxSessionSockets(LinuxCalls calls, DescriptorReserve reserve)
{
    private const int FollowAttempts = 3;

    /// <summary>Held while a socket joins or leaves a listener's group: when a session opens, not when it
    /// sends.</summary>
    private readonly Lock _joining = new();

    /// <summary>As <see cref="INetwork.OpenPeer"/>.</summary>
    public int Open(in SocketAddr local, in SocketAddr peer, int receiveBuffer, out PeerSocket? socket)
    {
        socket = null;
        var fd = reserve.OpenSocket(local.Family, Libc.SockDatagram);
        if (fd < 0)
        {
            return fd;
        }

        calls.SetReceiveBuffer(fd, receiveBuffer);

        // An IPv4 session of a dual-stack listener is at ::ffff:a.b.c.d, which a socket for IPv6 alone cannot bind.
        var result = local.IsMapped ? 0 : calls.SetFamily(fd, local, dualStack: false);
        if (result >= 0)
        {
            result = local.Port == 0 ? ConnectOnOwnPort(fd, local, peer) : ConnectInGroup(fd, local, peer);
        }

        if (calls.CloseIfFailed(fd, result) < 0)
        {
            return result;
        }

        socket = new LinuxPeerSocket(calls, fd);
        return 0;
    }

    /// <summary>As <see cref="INetwork.FixShards"/>.</summary>
    public int FixShards(IReadOnlyList<DatagramSocket> shards)
    {
        var first = shards[0];
        var local = first.LocalAddress;
        if (shards.Count > 1)
        {
            return ShardProgram.Attach(calls, first.Descriptor, local.Family, shards.Count);
        }

        // The first socket was bound alone and is in no group until a second joins; the group then stays.
        var fd = reserve.OpenSocket(local.Family, Libc.SockDatagram);
        if (fd < 0)
        {
            return fd;
        }

        var result = calls.SetFamily(fd, local, dualStack: false);
        result = result < 0 ? result : calls.BindInGroup(fd, local, makeGroup: false, joinGroup: true);
        result = result < 0 ? result : ShardProgram.Attach(calls, fd, local.Family, shards.Count);
        calls.Close(fd);
        return result;
    }

    /// <summary>As <see cref="INetwork.FollowDatagram"/>.</summary>
    public int Follow(in SocketAddr remote, int receiveBuffer, out ConnectedDatagramSocket? socket)
    {
        socket = null;
        for (var attempt = 1; ; attempt++)
        {
            var result = OpenFollowing(remote, out var fd);
            if (result < 0)
            {
                return result;
            }

            // On this host the kernel may give it the very port it is to send to: it would hear itself.
            if (calls.LocalAddress(fd).Port != remote.Port)
            {
                calls.SetReceiveBuffer(fd, receiveBuffer);
                socket = new LinuxFollowingSocket(calls, fd, remote);
                return 0;
            }

            calls.Close(fd);
            if (attempt == FollowAttempts)
            {
                return -(int)Errno.ECONNREFUSED;
            }
        }
    }

    /// <summary>Binds a listener's socket; one that joins does so past the connected sockets of other loops' sessions.
    /// </summary>
    /// <remarks>
    /// Those have no SO_REUSEPORT any more, and whichever socket on the port the kernel looks at first decides: over
    /// IPv4 the youngest, mostly a session's, by which it would be refused (udp_lib_lport_inuse). So it has
    /// SO_REUSEADDR as they have, but while it binds only: later another process could bind beside it. Meanwhile the
    /// group that it joins keeps others off; where all of that is lost at once, one that has SO_REUSEADDR itself and
    /// took the port is not noticed.
    /// </remarks>
    public int BindShard(int fd, in SocketAddr local, DatagramOptions options)
    {
        var joins = options.JoinGroup;
        var result = joins ? calls.SetOption(fd, Libc.SolSocket, Libc.SoReuseAddress, 1) : 0;
        lock (_joining)
        {
            result = result < 0 ? result : calls.BindInGroup(fd, local, options.MakeGroup, joins);
            return result < 0 || !joins ? result : calls.SetOption(fd, Libc.SolSocket, Libc.SoReuseAddress, 0);
        }
    }

    private int ConnectOnOwnPort(int fd, in SocketAddr local, in SocketAddr peer)
    {
        var remote = peer;
        var result = calls.BindInGroup(fd, local, makeGroup: false, joinGroup: false);
        return result < 0 ? result : calls.Connect(fd, &remote);
    }

    /// <summary>On the listener's port: binds into its group and leaves that by connecting.</summary>
    /// <remarks>
    /// A socket joins the group of the first one it meets on its port that has SO_REUSEPORT, the youngest first over
    /// IPv4 (udp_reuseport_add_sock); and one that is connected may have left its group by then (Linux 6.18: it has),
    /// so that the next would found a group of its own, without the program, and be given everything. So a connected
    /// one has the option taken back before another may bind, and SO_REUSEADDR, which the listener has not, lets the
    /// sessions' sockets pass each other. See socket(7).
    /// </remarks>
    private int ConnectInGroup(int fd, in SocketAddr local, in SocketAddr peer)
    {
        var remote = peer;
        var result = calls.SetOption(fd, Libc.SolSocket, Libc.SoReuseAddress, 1);
        lock (_joining)
        {
            result = result < 0 ? result : calls.BindInGroup(fd, local, makeGroup: false, joinGroup: true);
            result = result < 0 ? result : calls.Connect(fd, &remote);
            return result < 0 ? result : calls.SetOption(fd, Libc.SolSocket, Libc.SoReusePort, 0);
        }
    }

    private int OpenFollowing(in SocketAddr remote, out int fd)
    {
        fd = reserve.OpenSocket(remote.Family, Libc.SockDatagram);
        if (fd < 0)
        {
            return fd;
        }

        var any = default(SocketAddr);
        any.Word0 = remote.Family;
        var result = remote.Family == SocketAddr.FamilyIPv6
            ? calls.SetOption(fd, Libc.SolIpv6, Libc.Ipv6ReceiveErrors, 1)
            : calls.SetOption(fd, Libc.SolIp, Libc.IpReceiveErrors, 1);
        result = result < 0 ? result : calls.BindInGroup(fd, any, makeGroup: false, joinGroup: false);
        return calls.CloseIfFailed(fd, result);
    }
}
