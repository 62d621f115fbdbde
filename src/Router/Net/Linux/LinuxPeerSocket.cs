namespace Router.Net;

/// <summary>A UDP socket that serves one peer, by recvmmsg(2), which tells the sender, and send(2).</summary>
internal sealed unsafe class LinuxPeerSocket(LinuxCalls calls, int fd) : PeerSocket(fd)
{
    private uint _dropsSeen;

    public override SocketAddr LocalAddress { get; } = calls.LocalAddress(fd);

    public override int Receive(byte* buffer, int capacity, out SocketAddr from) =>
        OneDatagram.Receive(calls, Descriptor, buffer, capacity, out from);

    public override long TakeKernelDrops() => calls.NewDropsAt(Descriptor, ref _dropsSeen);

    public override int Send(byte* payload, int length) => calls.SendNow(Descriptor, payload, length);

    protected override void Close() => calls.Close(Descriptor);
}

/// <summary>One datagram by the calls for many, which name the other side.</summary>
internal static unsafe class OneDatagram
{
    /// <returns>Bytes, or a negative errno; -EMSGSIZE for a datagram that did not fit.</returns>
    public static int Receive(LinuxCalls calls, int fd, byte* buffer, int capacity, out SocketAddr from)
    {
        var peer = default(SocketAddr);
        var vector = new IoVector { Base = buffer, Length = (nuint)capacity };
        var header = new MessageHeader
        {
            Name = &peer,
            NameLength = (uint)sizeof(SocketAddr),
            Vectors = &vector,
            VectorCount = 1,
        };
        var result = calls.ReceiveManyNow(fd, &header, 1, flags: 0);
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
