namespace Router.Net;

/// <summary>A SOCK_DGRAM unix socket connected to an upstream, with a name of its own that it is answered at.</summary>
/// <remarks>
/// The kernel lets the upstream alone send to it. It forgets the connection once the upstream's socket is closed: then
/// it is made again by the next message, to whoever has the name by then.
/// </remarks>
internal sealed unsafe class LinuxUnixPeerSocket(LinuxCalls calls, int fd, SocketAddr remote)
    : ConnectedDatagramSocket(fd)
{

    public override SocketAddr LocalAddress => SocketAddr.Unix(UnixSocketType.Datagram, number: 0);

    public override int Receive(byte* buffer, int capacity)
    {
        var result = calls.ReceiveNow(Descriptor, buffer, capacity, Libc.MsgTruncated);
        return result > capacity ? -(int)Errno.EMSGSIZE : result;
    }

    /// <returns>As the base says; -ECONNREFUSED where nobody has the upstream's name.</returns>
    public override int Send(byte* payload, int length)
    {
        var result = SendOnce(payload, length);
        if ((Errno)(-result) is not (Errno.ECONNREFUSED or Errno.ENOTCONN or Errno.EPIPE))
        {
            return result;
        }

        var raw = stackalloc byte[UnixSocketName.Bytes + 1];
        var named = UnixSocketName.Write(remote, raw);
        result = named < 0 ? named : calls.Connect(Descriptor, raw, named);
        if (result < 0)
        {
            return result == -(int)Errno.EAGAIN ? result : -(int)Errno.ECONNREFUSED;
        }

        return SendOnce(payload, length);
    }

    protected override void Close() => calls.Close(Descriptor);

    private int SendOnce(byte* payload, int length) => calls.SendNow(Descriptor, payload, length);
}
