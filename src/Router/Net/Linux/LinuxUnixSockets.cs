namespace Router.Net;

/// <summary>Makes the unix sockets of <see cref="LinuxNetwork"/>. Any thread.</summary>
internal sealed unsafe class LinuxUnixSockets(LinuxCalls calls, DescriptorReserve reserve)
{
    private readonly UnixListenSockets _listening = new();

    public int Listen(in SocketAddr local, StreamListenOptions options, out StreamListener? socket)
    {
        socket = null;
        if (options.JoinGroup && _listening.Join(local) is { } shared)
        {
            var joined = LibcUnix.Control(shared.Descriptor, LibcUnix.ControlDuplicate, 0);
            if (joined >= 0 && reserve.Includes(joined))
            {
                calls.Close(joined);
                joined = -1;
            }

            if (joined < 0)
            {
                shared.Leave();
                return -(int)Errno.EMFILE;
            }

            socket = new LinuxUnixListener(calls, reserve, joined, shared, hasJoined: true);
            return 0;
        }

        var fd = reserve.OpenSocket(SocketAddr.FamilyUnix, (int)local.UnixType);
        if (fd < 0)
        {
            return fd;
        }

        // What is accepted inherits it: from the first message on, an empty one is told apart from the end.
        var result = local.UnixType == UnixSocketType.Packet
            ? calls.SetOption(fd, Libc.SolSocket, LibcUnix.SoPassCredentials, 1)
            : 0;
        UnixSocketFile? file = null;
        result = result < 0 ? result : UnixSocketFile.Bind(
            calls, fd, local, options.File ?? UnixFileOptions.Default, () => calls.Listen(fd, options.Backlog),
            out file);
        var own = result < 0 ? result : LibcUnix.Control(fd, LibcUnix.ControlDuplicate, 0);
        if (own < 0)
        {
            file?.Remove();
            calls.Close(fd);
            return result < 0 ? result : -(int)Errno.EMFILE;
        }

        shared = _listening.Add(new UnixListenSocket(calls, _listening, local, fd, file, options.Backlog));
        socket = new LinuxUnixListener(calls, reserve, own, shared);
        return 0;
    }

    public int Bind(in SocketAddr local, DatagramOptions options, out DatagramSocket? socket)
    {
        socket = null;
        var fd = reserve.OpenSocket(SocketAddr.FamilyUnix, Libc.SockDatagram);
        if (fd < 0)
        {
            return fd;
        }

        if (options.SendBuffer > 0)
        {
            calls.SetOption(fd, Libc.SolSocket, Libc.SoSendBuffer, options.SendBuffer);
        }

        var result = calls.SetOption(fd, Libc.SolSocket, LibcUnix.SoPassCredentials, 1);
        UnixSocketFile? file = null;
        result = result < 0 ? result : UnixSocketFile.Bind(
            calls, fd, local, options.File ?? UnixFileOptions.Default, static () => 0, out file);
        if (calls.CloseIfFailed(fd, result) < 0)
        {
            return result;
        }

        socket = new LinuxUnixDatagramSocket(calls, fd, local, file);
        return 0;
    }

    public int ConnectStream(in SocketAddr remote, out StreamSocket? socket)
    {
        socket = null;
        if (remote.UnixType != UnixSocketType.Stream)
        {
            return -(int)Errno.EPROTOTYPE;
        }

        var result = Connect(remote, isNamed: false, out var fd);
        if (result >= 0)
        {
            socket = new LinuxStreamSocket(calls, fd, remote, SocketAddr.Unix(UnixSocketType.Stream, number: 0));
        }

        return result;
    }

    public int ConnectMessages(in SocketAddr remote, out ConnectedDatagramSocket? socket)
    {
        socket = null;
        if (remote.UnixType is not (UnixSocketType.Packet or UnixSocketType.Datagram))
        {
            return -(int)Errno.EPROTOTYPE;
        }

        var isPacket = remote.UnixType == UnixSocketType.Packet;
        var result = Connect(remote, isNamed: !isPacket, out var fd);
        if (result >= 0)
        {
            socket = isPacket ? new LinuxPacketSocket(calls, fd) : new LinuxUnixPeerSocket(calls, fd, remote);
        }

        return result;
    }

    /// <param name="remote">The upstream.</param>
    /// <param name="isNamed">Whether the socket gets a name of its own (autobind), so that it can be answered.</param>
    /// <param name="fd">The connected socket.</param>
    /// <returns>0 or a negative errno. The kernel decides at once: -EAGAIN says that the accept queue is full, and
    /// nothing tells when it has room again.</returns>
    private int Connect(in SocketAddr remote, bool isNamed, out int fd)
    {
        fd = reserve.OpenSocket(SocketAddr.FamilyUnix, (int)remote.UnixType);
        if (fd < 0)
        {
            return fd;
        }

        var raw = stackalloc byte[UnixSocketName.Bytes + 1];
        *(ushort*)raw = SocketAddr.FamilyUnix;
        var result = isNamed ? calls.Bind(fd, raw, UnixSocketName.FamilyBytes) : 0;
        var length = UnixSocketName.Write(remote, raw);
        result = result < 0 ? result : length;
        result = result < 0 ? result : calls.Connect(fd, raw, length);
        return calls.CloseIfFailed(fd, result);
    }
}
