namespace Router.Net;

/// <summary>A connected SOCK_SEQPACKET unix socket: messages with boundaries, reliable and in order. See
/// unix(7).</summary>
internal sealed unsafe class LinuxPacketSocket : ConnectedDatagramSocket
{
    /// <summary>Room for a cmsghdr and a struct ucred, aligned.</summary>
    private const int ControlBytes = 32;

    private readonly LinuxCalls _calls;

    public LinuxPacketSocket(LinuxCalls calls, int fd)
        : base(fd)
    {
        _calls = calls;

        // Every message then brings its sender's credentials, and the end of the stream brings none: nothing else
        // tells an empty message from the end.
        calls.SetOption(fd, Libc.SolSocket, LibcUnix.SoPassCredentials, 1);
    }

    public override SocketAddr LocalAddress => default;

    public override bool IsConnection => true;

    /// <returns>As the base says; -EPIPE once nobody holds the other end.</returns>
    public override int Receive(byte* buffer, int capacity) => ReceiveOne(_calls, Descriptor, buffer, capacity);

    public override void ShutdownWrite() => _ = Libc.Shutdown(Descriptor, Libc.ShutWrite);

    /// <summary>One message of a socket with SO_PASSCRED. There is no room for descriptors that somebody may send along
    /// (SCM_RIGHTS): the kernel closes them.</summary>
    internal static int ReceiveOne(LinuxCalls calls, int fd, byte* buffer, int capacity)
    {
        var control = stackalloc byte[ControlBytes];
        var vector = new IoVector { Base = buffer, Length = (nuint)capacity };
        var header = new MessageHeader
        {
            Vectors = &vector,
            VectorCount = 1,
            Control = control,
            ControlLength = ControlBytes,
        };
        var result = calls.ReceiveManyNow(fd, &header, 1, flags: 0);
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

    public override int Send(byte* payload, int length) => _calls.SendNow(Descriptor, payload, length);

    protected override void Close() => _calls.Close(Descriptor);
}
