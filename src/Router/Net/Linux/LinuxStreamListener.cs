namespace Router.Net;

/// <summary>A listening TCP socket by accept4(2).</summary>
internal sealed unsafe class LinuxStreamListener : StreamListener
{
    // struct tcp_info: for a socket in LISTEN the kernel puts the accept queue's length into tcpi_unacked and its
    // limit into tcpi_sacked (tcp_get_info).
    private const int TcpInfoUnacked = 24, TcpInfoSacked = 28, TcpInfoBytes = 256;

    private readonly LinuxCalls _calls;
    private readonly DescriptorReserve _reserve;
    private readonly bool _isWildcard;
    private bool _isNearLimit;

    public LinuxStreamListener(LinuxCalls calls, DescriptorReserve reserve, int fd, int askedBacklog)
        : base(fd)
    {
        _calls = calls;
        _reserve = reserve;
        LocalAddress = calls.LocalAddress(fd);
        _isWildcard = LocalAddress.IsWildcard;
        GrantedBacklog = ReadTcpInfo(TcpInfoSacked) is > 0 and var granted ? granted : Granted(askedBacklog);
    }

    public override SocketAddr LocalAddress { get; }

    public override int GrantedBacklog { get; }

    public override int QueueLength => ReadTcpInfo(TcpInfoUnacked);

    public override long DroppedAttempts => _calls.DropsAt(Descriptor);

    public override int Accept(out StreamSocket? connection)
    {
        connection = null;
        if (_isNearLimit && !_reserve.HasSpare(Descriptor))
        {
            return -(int)Errno.EMFILE;   // the connection waits in the backlog
        }

        var peer = default(SocketAddr);
        int fd;
        do
        {
            fd = _calls.Accept(Descriptor, &peer);
        }
        while (fd == -(int)Errno.EINTR);
        if (fd < 0)
        {
            return fd;
        }

        _isNearLimit = _reserve.Includes(fd + 1);
        peer.Normalize();
        connection = new LinuxStreamSocket(_calls, fd, peer, _isWildcard ? default : LocalAddress);
        return 0;
    }

    protected override void Close() => _calls.Close(Descriptor);

    /// <summary>One 32-bit figure of struct tcp_info; -1 if the kernel does not tell it.</summary>
    private int ReadTcpInfo(int offset)
    {
        var info = stackalloc byte[TcpInfoBytes];
        var length = (uint)TcpInfoBytes;
        var result = _calls.GetOption(Descriptor, Libc.SolTcp, Libc.TcpInfo, info, &length);
        return result == 0 && length >= offset + sizeof(uint) ? *(int*)(info + offset) : -1;
    }
}
