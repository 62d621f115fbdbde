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
    private bool _isNearLimit;

    /// <param name="calls">The system calls.</param>
    /// <param name="reserve">The descriptors that are kept back.</param>
    /// <param name="fd">This loop's own descriptor of the listening socket.</param>
    /// <param name="shared">The listening socket.</param>
    /// <param name="hasJoined">Whether another loop accepts from the queue already, and reports its backlog.</param>
    public LinuxUnixListener(
        LinuxCalls calls, DescriptorReserve reserve, int fd, UnixListenSocket shared, bool hasJoined = false)
        : base(fd)
    {
        _calls = calls;
        _reserve = reserve;
        _shared = shared;
        GrantedBacklog = hasJoined ? 0 : Granted(shared.AskedBacklog);
    }

    public override SocketAddr LocalAddress => _shared.Address;

    /// <summary>min(asked, net.core.somaxconn); 0 on all loops but the first, since they share its queue.</summary>
    public override int GrantedBacklog { get; }

    internal override bool WakesOne => true;

    /// <remarks>SO_PEERCRED tells the peer's credentials as of its connect.</remarks>
    public override int Accept(out StreamSocket? connection)
    {
        connection = null;
        if (_isNearLimit && !_reserve.HasSpare(Descriptor))
        {
            return -(int)Errno.EMFILE;   // the connection waits in the backlog
        }

        var raw = stackalloc byte[UnixSocketName.Bytes + 1];
        uint length;
        int fd;
        do
        {
            length = UnixSocketName.Bytes;
            fd = _calls.Accept(Descriptor, raw, &length);
        }
        while (fd == -(int)Errno.EINTR);
        if (fd < 0)
        {
            return fd;
        }

        _isNearLimit = _reserve.Includes(fd + 1);
        var type = LocalAddress.UnixType;
        var number = UnixNames.NumberOf(UnixSocketName.Read(raw, length), Credentials(fd));
        var peer = SocketAddr.Unix(type, number);
        connection = type == UnixSocketType.Packet
            ? new LinuxPacketConnection(_calls, fd, peer, LocalAddress)
            : new LinuxStreamSocket(_calls, fd, peer, LocalAddress);
        return 0;
    }

    protected override void Close()
    {
        _shared.Leave();
        _calls.Close(Descriptor);
    }

    private PeerCredentials? Credentials(int fd)
    {
        PeerCredentials credentials;
        var length = (uint)sizeof(PeerCredentials);
        var result = _calls.GetOption(fd, Libc.SolSocket, LibcUnix.SoPeerCredentials, &credentials, &length);
        return result < 0 ? null : credentials;
    }
}

/// <summary>An accepted SOCK_SEQPACKET connection, with SO_PASSCRED from its listener.</summary>
internal sealed unsafe class LinuxPacketConnection(LinuxCalls calls, int fd, SocketAddr peer, SocketAddr local)
    : PacketSocket(fd)
{

    public override SocketAddr LocalAddress => local;

    public override SocketAddr PeerAddress => peer;

    public override int Receive(byte* buffer, int capacity) =>
        LinuxPacketSocket.ReceiveOne(calls, Descriptor, buffer, capacity);

    public override int Send(byte* payload, int length) => calls.SendNow(Descriptor, payload, length);

    public override void ShutdownWrite() => _ = Libc.Shutdown(Descriptor, Libc.ShutWrite);

    public override int ConnectResult() => calls.TakeError(Descriptor);

    /// <summary>A unix socket knows no reset: the other end learns it only if it has unread messages.</summary>
    public override void Abort() => Dispose();

    protected override void Close() => calls.Close(Descriptor);
}
