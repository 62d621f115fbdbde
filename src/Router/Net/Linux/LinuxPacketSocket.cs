namespace Router.Net;

/// <summary>A connected SOCK_SEQPACKET unix socket: messages with boundaries, reliable and in order. See
/// unix(7).</summary>
internal sealed unsafe class LinuxPacketSocket : ConnectedDatagramSocket
{
    /// <summary>Room for a cmsghdr and a struct ucred, aligned.</summary>
    private const int ControlBytes = 32;

    private readonly LinuxCalls _calls;
    private int _fd;

    public LinuxPacketSocket(LinuxCalls calls, int fd)
    {
        _calls = calls;
        _fd = fd;

        // Every message then brings its sender's credentials, and the end of the stream brings none: nothing else
        // tells an empty message from the end.
        calls.SetOption(fd, Libc.SolSocket, LibcUnix.SoPassCredentials, 1);
    }

    public override SocketAddr LocalAddress => default;

    public override bool IsClosed => _fd < 0;

    internal override int Descriptor => _fd;

    public override bool IsConnection => true;

    /// <returns>As the base says; -EPIPE once nobody holds the other end.</returns>
    public override int Receive(byte* buffer, int capacity) => ReceiveOne(_calls, _fd, buffer, capacity);

    public override void ShutdownWrite() => _ = Libc.Shutdown(_fd, Libc.ShutWrite);

    /// <summary>One message of a socket with SO_PASSCRED. There is no room for descriptors that somebody may send along
    /// (SCM_RIGHTS): the kernel closes them.</summary>
    internal static int ReceiveOne(LinuxCalls calls, int fd, byte* buffer, int capacity)
    {
        var control = stackalloc byte[ControlBytes];
        var vector = new IoVector { Base = buffer, Length = (nuint)capacity };
        MessageHeader header;
        int result;
        do
        {
            header = new MessageHeader
            {
                Vectors = &vector,
                VectorCount = 1,
                Control = control,
                ControlLength = ControlBytes,
            };
            result = calls.ReceiveMany(fd, &header, 1, Libc.MsgDontWait);
        }
        while (result == -(int)Errno.EINTR);
        if (result <= 0)
        {
            return result < 0 ? result : -(int)Errno.EAGAIN;
        }

        if (header.Moved == 0 && header.ControlLength == 0)
        {
            return -(int)Errno.EPIPE;
        }

        return (header.Flags & Libc.MsgTruncated) != 0 ? -(int)Errno.EMSGSIZE : (int)header.Moved;
    }

    public override int Send(byte* payload, int length) => _calls.SendNow(_fd, payload, length);

    public override void Dispose()
    {
        if (_fd >= 0)
        {
            Loop?.Unregister(this);
            _calls.Close(_fd);
            _fd = -1;
        }
    }
}
