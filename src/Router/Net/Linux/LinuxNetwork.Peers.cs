namespace Router.Net;

/// <summary>Sockets that serve one session.</summary>
internal sealed unsafe partial class LinuxNetwork
{
    /// <summary>Tries for a port that is not the upstream's own.</summary>
    private const int FollowAttempts = 3;

    /// <summary>One loop at a time changes who is in a listener's group; when sessions open, not when they send.
    /// </summary>
    private readonly Lock _joining = new();

    public bool SupportsPeerSockets => true;

    public int OpenPeer(in SocketAddr local, in SocketAddr peer, out PeerSocket? socket)
    {
        socket = null;
        var fd = Open(local.Family, Libc.SockDatagram);
        if (fd < 0)
        {
            return fd;
        }

        // An IPv4 session of a dual-stack listener is at ::ffff:a.b.c.d, which a socket for IPv6 alone cannot bind.
        var result = local.IsMapped ? 0 : SetFamily(fd, local, dualStack: false);
        if (result >= 0)
        {
            result = local.Port == 0 ? ConnectApart(fd, local, peer) : ConnectInGroup(fd, local, peer);
        }

        if (result < 0)
        {
            _calls.Close(fd);
            return result;
        }

        socket = new LinuxPeerSocket(_calls, fd);
        return 0;
    }

    public int FixShards(IReadOnlyList<DatagramSocket> shards)
    {
        var first = shards[0];
        var local = first.LocalAddress;
        if (shards.Count > 1)
        {
            return ShardProgram.Attach(_calls, first.Descriptor, local.Family, shards.Count);
        }

        // The first socket was bound alone and is in no group until a second joins; the group then stays.
        var fd = Open(local.Family, Libc.SockDatagram);
        if (fd < 0)
        {
            return fd;
        }

        var result = SetFamily(fd, local, dualStack: false);
        result = result < 0 ? result : Bind(fd, local, makeGroup: false, joinGroup: true);
        result = result < 0 ? result : ShardProgram.Attach(_calls, fd, local.Family, shards.Count);
        _calls.Close(fd);
        return result;
    }

    public int FollowDatagram(in SocketAddr remote, out ConnectedDatagramSocket? socket)
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
            if (_calls.LocalAddress(fd).Port != remote.Port)
            {
                socket = new LinuxFollowingSocket(_calls, fd, remote);
                return 0;
            }

            _calls.Close(fd);
            if (attempt == FollowAttempts)
            {
                return -(int)Errno.ECONNREFUSED;
            }
        }
    }

    /// <summary>On a port of its own.</summary>
    private int ConnectApart(int fd, in SocketAddr local, in SocketAddr peer)
    {
        var remote = peer;
        var result = Bind(fd, local, makeGroup: false, joinGroup: false);
        return result < 0 ? result : _calls.Connect(fd, &remote);
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
        var result = _calls.SetOption(fd, Libc.SolSocket, Libc.SoReuseAddress, 1);
        lock (_joining)
        {
            result = result < 0 ? result : Bind(fd, local, makeGroup: false, joinGroup: true);
            result = result < 0 ? result : _calls.Connect(fd, &remote);
            return result < 0 ? result : _calls.SetOption(fd, Libc.SolSocket, Libc.SoReusePort, 0);
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
    private int BindShard(int fd, in SocketAddr local, DatagramOptions options)
    {
        var joins = options.JoinGroup;
        var result = joins ? _calls.SetOption(fd, Libc.SolSocket, Libc.SoReuseAddress, 1) : 0;
        lock (_joining)
        {
            result = result < 0 ? result : Bind(fd, local, options.MakeGroup, joins);
            return result < 0 || !joins ? result : _calls.SetOption(fd, Libc.SolSocket, Libc.SoReuseAddress, 0);
        }
    }

    private int OpenFollowing(in SocketAddr remote, out int fd)
    {
        fd = Open(remote.Family, Libc.SockDatagram);
        if (fd < 0)
        {
            return fd;
        }

        var any = default(SocketAddr);
        any.Word0 = remote.Family;
        var result = remote.Family == SocketAddr.FamilyIPv6
            ? _calls.SetOption(fd, Libc.SolIpv6, Libc.Ipv6ReceiveErrors, 1)
            : _calls.SetOption(fd, Libc.SolIp, Libc.IpReceiveErrors, 1);
        result = result < 0 ? result : Bind(fd, any, makeGroup: false, joinGroup: false);
        if (result < 0)
        {
            _calls.Close(fd);
        }

        return result;
    }
}
