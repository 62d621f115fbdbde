namespace Router.Net;

/// <summary>A connected UDP socket by recv(2) and send(2).</summary>
internal sealed unsafe class LinuxConnectedDatagramSocket(LinuxCalls calls, int fd) : ConnectedDatagramSocket
{
    private int _fd = fd;

    public override SocketAddr LocalAddress { get; } = calls.LocalAddress(fd);

    public override bool IsClosed => _fd < 0;

    internal override int Descriptor => _fd;

    public override int Receive(byte* buffer, int capacity)
    {
        int result;
        do
        {
            // MSG_TRUNC: the length that came, not the length that was kept.
            result = calls.Receive(_fd, buffer, capacity, Libc.MsgDontWait | Libc.MsgTruncated);
        }
        while (result == -(int)Errno.EINTR);
        return result > capacity ? -(int)Errno.EMSGSIZE : result;
    }

    public override int Send(byte* payload, int length)
    {
        int result;
        do
        {
            result = calls.Send(_fd, payload, length, Libc.MsgDontWait | Libc.MsgNoSignal);
        }
        while (result == -(int)Errno.EINTR);
        return result;
    }

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
