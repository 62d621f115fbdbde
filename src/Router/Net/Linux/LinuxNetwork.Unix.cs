namespace Router.Net;

/// <summary>Unix sockets.</summary>
internal sealed unsafe partial class LinuxNetwork
{
    private readonly UnixListenSockets _unixListeners = new();

    private int ListenUnix(in SocketAddr local, StreamListenOptions options, out StreamListener? socket)
    {
        socket = null;
        if (options.JoinGroup && _unixListeners.Join(local) is { } shared)
        {
            var joined = LibcUnix.Control(shared.Descriptor, LibcUnix.ControlDuplicate, 0);
            if (joined < 0 || _reserve.IsTouchedBy(joined))
            {
                CloseIfOpen(joined);
                shared.Leave();
                return -(int)Errno.EMFILE;
            }

            socket = new LinuxUnixListener(_calls, _reserve, joined, shared, hasJoined: true);
            return 0;
        }

        var fd = Open(SocketAddr.FamilyUnix, (int)local.UnixType);
        if (fd < 0)
        {
            return fd;
        }

        // What is accepted inherits it: from the first message on, an empty one is told apart from the end.
        var result = local.UnixType == UnixSocketType.Packet
            ? _calls.SetOption(fd, Libc.SolSocket, LibcUnix.SoPassCredentials, 1)
            : 0;
        UnixSocketFile? file = null;
        result = result < 0 ? result : UnixSocketFile.Bind(
            _calls, fd, local, options.File ?? UnixFileOptions.Default, () => _calls.Listen(fd, options.Backlog),
            out file);
        var own = result < 0 ? result : LibcUnix.Control(fd, LibcUnix.ControlDuplicate, 0);
        if (own < 0)
        {
            file?.Remove();
            _calls.Close(fd);
            return result < 0 ? result : -(int)Errno.EMFILE;
        }

        shared = _unixListeners.Add(new UnixListenSocket(_calls, _unixListeners, local, fd, file, options.Backlog));
        socket = new LinuxUnixListener(_calls, _reserve, own, shared);
        return 0;
    }

    private int BindUnix(in SocketAddr local, DatagramOptions options, out DatagramSocket? socket)
    {
        socket = null;
        var fd = Open(SocketAddr.FamilyUnix, Libc.SockDatagram);
        if (fd < 0)
        {
            return fd;
        }

        if (options.SendBuffer > 0)
        {
            _calls.SetOption(fd, Libc.SolSocket, Libc.SoSendBuffer, options.SendBuffer);
        }

        var result = _calls.SetOption(fd, Libc.SolSocket, LibcUnix.SoPassCredentials, 1);
        UnixSocketFile? file = null;
        result = result < 0 ? result : UnixSocketFile.Bind(
            _calls, fd, local, options.File ?? UnixFileOptions.Default, static () => 0, out file);
        if (result < 0)
        {
            _calls.Close(fd);
            return result;
        }

        socket = new LinuxUnixDatagramSocket(_calls, fd, local, file);
        return 0;
    }

    private int ConnectUnixStream(in SocketAddr remote, out StreamSocket? socket)
    {
        socket = null;
        if (remote.UnixType != UnixSocketType.Stream)
        {
            return -(int)Errno.EPROTOTYPE;
        }

        var result = ConnectUnix(remote, isNamed: false, out var fd);
        if (result >= 0)
        {
            socket = new LinuxStreamSocket(_calls, fd, remote, SocketAddr.Unix(UnixSocketType.Stream, number: 0));
        }

        return result;
    }

    private int ConnectUnixMessages(in SocketAddr remote, out ConnectedDatagramSocket? socket)
    {
        socket = null;
        if (remote.UnixType is not (UnixSocketType.Packet or UnixSocketType.Datagram))
        {
            return -(int)Errno.EPROTOTYPE;
        }

        var isPacket = remote.UnixType == UnixSocketType.Packet;
        var result = ConnectUnix(remote, isNamed: !isPacket, out var fd);
        if (result >= 0)
        {
            socket = isPacket ? new LinuxPacketSocket(_calls, fd) : new LinuxUnixPeerSocket(_calls, fd, remote);
        }

        return result;
    }

    /// <param name="remote">Where to.</param>
    /// <param name="isNamed">Whether it is given a name of its own (autobind), so that it can be answered.</param>
    /// <param name="fd">Connected.</param>
    /// <returns>0 or a negative errno. It is decided at once: -EAGAIN says that the accept queue is full, and nothing
    /// tells when it is not any more.</returns>
    private int ConnectUnix(in SocketAddr remote, bool isNamed, out int fd)
    {
        fd = Open(SocketAddr.FamilyUnix, (int)remote.UnixType);
        if (fd < 0)
        {
            return fd;
        }

        var raw = stackalloc byte[UnixSocketName.Bytes + 1];
        *(ushort*)raw = SocketAddr.FamilyUnix;
        var result = isNamed ? _calls.Bind(fd, raw, UnixSocketName.FamilyBytes) : 0;
        var length = UnixSocketName.Write(remote, raw);
        result = result < 0 ? result : length;
        result = result < 0 ? result : _calls.Connect(fd, raw, length);
        if (result < 0)
        {
            _calls.Close(fd);
        }

        return result;
    }

    private void CloseIfOpen(int fd)
    {
        if (fd >= 0)
        {
            _calls.Close(fd);
        }
    }
}

/// <summary>The unix sockets that listen, which several loops accept from. Any thread.</summary>
internal sealed class UnixListenSockets
{
    private readonly Lock _lock = new();
    private readonly Dictionary<SocketAddr, UnixListenSocket> _open = [];

    public UnixListenSocket Add(UnixListenSocket socket)
    {
        lock (_lock)
        {
            _open[socket.Address] = socket;
            return socket;
        }
    }

    /// <summary>One that listens at the address, with one user more; null if there is none.</summary>
    public UnixListenSocket? Join(in SocketAddr address)
    {
        lock (_lock)
        {
            if (_open.TryGetValue(address, out var socket))
            {
                socket.Users++;
            }

            return socket;
        }
    }

    /// <returns>Whether that was the last user.</returns>
    public bool Leave(UnixListenSocket socket)
    {
        lock (_lock)
        {
            return --socket.Users == 0 && _open.Remove(socket.Address);
        }
    }
}

/// <summary>One that listens, and its file; both go with the last of its users.</summary>
internal sealed class UnixListenSocket(
    LinuxCalls calls, UnixListenSockets all, in SocketAddr address, int fd, UnixSocketFile? file, int backlog)
{
    public SocketAddr Address { get; } = address;

    public int Descriptor => fd;

    public int AskedBacklog => backlog;

    /// <summary>Under the table's lock.</summary>
    public int Users { get; set; } = 1;

    public void Leave()
    {
        if (all.Leave(this))
        {
            file?.Remove();
            calls.Close(fd);
        }
    }
}
