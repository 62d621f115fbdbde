using System.Globalization;

namespace Router.Net;

/// <summary>A listening unix socket on one loop: a descriptor of its own for the accept queue that all loops share.
/// </summary>
/// <remarks>
/// The kernel has no figures of that queue but by sock_diag(7): its length is not known. Nothing is dropped at it: who
/// connects to a full one waits, or is told EAGAIN.
/// </remarks>
internal sealed unsafe class LinuxUnixListener : StreamListener
{
    private readonly LinuxCalls _calls;
    private readonly DescriptorReserve _reserve;
    private readonly UnixListenSocket _shared;
    private int _fd;
    private bool _isNearLimit;

    /// <param name="calls">The kernel.</param>
    /// <param name="reserve">Descriptors kept back.</param>
    /// <param name="fd">Of its own.</param>
    /// <param name="shared">The queue.</param>
    /// <param name="hasJoined">Another loop has it already, and counts it.</param>
    public LinuxUnixListener(
        LinuxCalls calls, DescriptorReserve reserve, int fd, UnixListenSocket shared, bool hasJoined = false)
    {
        _calls = calls;
        _reserve = reserve;
        _fd = fd;
        _shared = shared;
        GrantedBacklog = hasJoined ? 0 : Granted(shared.AskedBacklog);
    }

    public override SocketAddr LocalAddress => _shared.Address;

    /// <summary>min(asked, net.core.somaxconn); 0 on all loops but the first, which have the same queue.</summary>
    public override int GrantedBacklog { get; }

    public override bool IsClosed => _fd < 0;

    internal override int Descriptor => _fd;

    internal override bool WakesOne => true;

    /// <summary>Who connects is known by SO_PEERCRED: as of when it did.</summary>
    public override int Accept(out StreamSocket? connection)
    {
        connection = null;
        if (_isNearLimit && !_reserve.HasSpare(_fd))
        {
            return -(int)Errno.EMFILE;   // the connection waits in the backlog
        }

        var raw = stackalloc byte[UnixSocketName.Bytes + 1];
        uint length;
        int fd;
        do
        {
            length = UnixSocketName.Bytes;
            fd = _calls.Accept(_fd, raw, &length);
        }
        while (fd == -(int)Errno.EINTR);
        if (fd < 0)
        {
            return fd;
        }

        _isNearLimit = _reserve.IsTouchedBy(fd + 1);
        var type = LocalAddress.UnixType;
        var number = UnixNames.NumberOf(UnixSocketName.Read(raw, length), Credentials(fd));
        var peer = SocketAddr.Unix(type, number);
        connection = type == UnixSocketType.Packet
            ? new LinuxPacketConnection(_calls, fd, peer, LocalAddress)
            : new LinuxStreamSocket(_calls, fd, peer, LocalAddress);
        return 0;
    }

    public override void Dispose()
    {
        if (_fd >= 0)
        {
            Loop?.Unregister(this);
            _shared.Leave();
            _calls.Close(_fd);
            _fd = -1;
        }
    }

    private PeerCredentials? Credentials(int fd)
    {
        PeerCredentials credentials;
        var length = (uint)sizeof(PeerCredentials);
        var result = _calls.GetOption(fd, Libc.SolSocket, LibcUnix.SoPeerCredentials, &credentials, &length);
        return result < 0 ? null : credentials;
    }

    private static int Granted(int asked)
    {
        try
        {
            var limit = int.Parse(
                File.ReadAllText("/proc/sys/net/core/somaxconn"), NumberStyles.AllowTrailingWhite | NumberStyles.None,
                CultureInfo.InvariantCulture);
            return Math.Min(asked, limit);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return asked;
        }
    }
}

/// <summary>An accepted SOCK_SEQPACKET connection, with SO_PASSCRED from its listener.</summary>
internal sealed unsafe class LinuxPacketConnection(LinuxCalls calls, int fd, SocketAddr peer, SocketAddr local)
    : PacketSocket
{
    private int _fd = fd;

    public override SocketAddr LocalAddress => local;

    public override SocketAddr PeerAddress => peer;

    public override bool IsClosed => _fd < 0;

    internal override int Descriptor => _fd;

    public override int Receive(byte* buffer, int capacity) =>
        LinuxPacketSocket.ReceiveOne(calls, _fd, buffer, capacity);

    public override int Send(byte* payload, int length) => calls.SendNow(_fd, payload, length);

    public override void ShutdownWrite() => _ = Libc.Shutdown(_fd, Libc.ShutWrite);

    public override int ConnectResult()
    {
        var result = calls.GetOption(_fd, Libc.SolSocket, Libc.SoError);
        return result > 0 ? -result : result;
    }

    /// <summary>A unix socket knows no reset: the other end learns it only if it has unread messages.</summary>
    public override void Abort() => Dispose();

    public override void Dispose()
    {
        if (_fd >= 0)
        {
            Loop?.Unregister(this);
            calls.Close(_fd);
            _fd = -1;
        }
    }
}
