namespace Router.Net;

/// <summary>A listening TCP socket by accept4(2).</summary>
internal sealed unsafe class LinuxStreamListener : StreamListener
{
    // struct tcp_info: for a socket in LISTEN the kernel puts the accept queue's length into tcpi_unacked and its
    // limit into tcpi_sacked (tcp_get_info).
    private const int TcpInfoUnacked = 24, TcpInfoSacked = 28, TcpInfoBytes = 256;
    private const int MemInfoWords = 9, MemInfoDrops = 8;

    private readonly LinuxCalls _calls;
    private readonly DescriptorReserve _reserve;
    private readonly bool _isWildcard;
    private int _fd;
    private bool _isNearLimit;

    public LinuxStreamListener(LinuxCalls calls, DescriptorReserve reserve, int fd, int askedBacklog)
    {
        _calls = calls;
        _reserve = reserve;
        _fd = fd;
        LocalAddress = calls.LocalAddress(fd);
        _isWildcard = LocalAddress.IsWildcard;
        GrantedBacklog = ReadBacklog(askedBacklog);
    }

    public override SocketAddr LocalAddress { get; }

    public override int GrantedBacklog { get; }

    public override bool IsClosed => _fd < 0;

    internal override int Descriptor => _fd;

    public override int QueueLength => ReadTcpInfo(TcpInfoUnacked);

    public override long OverflowDrops
    {
        get
        {
            var words = stackalloc uint[MemInfoWords];
            var length = (uint)(MemInfoWords * sizeof(uint));
            var result = _calls.GetOption(_fd, Libc.SolSocket, Libc.SoMemInfo, words, &length);
            return result < 0 || length < MemInfoWords * sizeof(uint) ? -1 : words[MemInfoDrops];
        }
    }

    public override int Accept(out StreamSocket? connection)
    {
        connection = null;
        if (_isNearLimit && !_reserve.HasSpare(_fd))
        {
            return -(int)Errno.EMFILE;   // the connection waits in the backlog
        }

        var peer = default(SocketAddr);
        int fd;
        do
        {
            fd = _calls.Accept(_fd, &peer);
        }
        while (fd == -(int)Errno.EINTR);
        if (fd < 0)
        {
            return fd;
        }

        _isNearLimit = _reserve.IsTouchedBy(fd + 1);
        peer.Normalize();
        connection = new LinuxStreamSocket(_calls, fd, peer, _isWildcard ? default : LocalAddress);
        return 0;
    }

    public override void Dispose()
    {
        if (_fd >= 0)
        {
            Loop?.Unregister(this);
            _calls.Close(_fd);
            _fd = -1;
        }
    }

    private int ReadBacklog(int asked)
    {
        if (ReadTcpInfo(TcpInfoSacked) is > 0 and var granted)
        {
            return granted;
        }

        return int.TryParse(ReadLimit(), out var limit) ? Math.Min(asked, limit) : asked;
    }

    /// <summary>One 32-bit figure of struct tcp_info; -1 if the kernel does not tell it.</summary>
    private int ReadTcpInfo(int offset)
    {
        var info = stackalloc byte[TcpInfoBytes];
        var length = (uint)TcpInfoBytes;
        var result = _calls.GetOption(_fd, Libc.SolTcp, Libc.TcpInfo, info, &length);
        return result == 0 && length >= offset + sizeof(uint) ? *(int*)(info + offset) : -1;
    }

    private static string ReadLimit()
    {
        try
        {
            return File.ReadAllText("/proc/sys/net/core/somaxconn");
        }
        catch (IOException)
        {
            return "";
        }
    }
}
