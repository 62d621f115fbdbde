namespace Router.Net;

/// <summary>A UDP socket that serves one peer, by recvmmsg(2), which tells the sender, and send(2).</summary>
internal sealed unsafe class LinuxPeerSocket(LinuxCalls calls, int fd) : PeerSocket
{
    private int _fd = fd;

    public override SocketAddr LocalAddress { get; } = calls.LocalAddress(fd);

    public override bool IsClosed => _fd < 0;

    internal override int Descriptor => _fd;

    public override int Receive(byte* buffer, int capacity, out SocketAddr from) =>
        OneDatagram.Receive(calls, _fd, buffer, capacity, out from);

    public override int Send(byte* payload, int length) => calls.SendNow(_fd, payload, length);

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

/// <summary>One datagram by the calls for many, which name the other side.</summary>
internal static unsafe class OneDatagram
{
    /// <returns>Bytes, or a negative errno; -EMSGSIZE for a datagram that did not fit.</returns>
    public static int Receive(LinuxCalls calls, int fd, byte* buffer, int capacity, out SocketAddr from)
    {
        var peer = default(SocketAddr);
        var vector = new IoVector { Base = buffer, Length = (nuint)capacity };
        var header = new MessageHeader { Name = &peer, Vectors = &vector, VectorCount = 1 };
        int result;
        do
        {
            header.NameLength = (uint)sizeof(SocketAddr);
            result = calls.ReceiveMany(fd, &header, 1, Libc.MsgDontWait);
        }
        while (result == -(int)Errno.EINTR);
        peer.Normalize();
        from = peer;
        if (result < 0)
        {
            return result;
        }

        return (header.Flags & Libc.MsgTruncated) != 0 ? -(int)Errno.EMSGSIZE : (int)header.Moved;
    }

    /// <returns>Bytes, or a negative errno.</returns>
    public static int Send(LinuxCalls calls, int fd, byte* payload, int length, in SocketAddr to)
    {
        var peer = to;
        var vector = new IoVector { Base = payload, Length = (nuint)length };
        var header = new MessageHeader
        {
            Name = &peer,
            NameLength = (uint)peer.Length,
            Vectors = &vector,
            VectorCount = 1,
        };
        var result = calls.SendManyNow(fd, &header, 1);
        return result < 0 ? result : (int)header.Moved;
    }
}
