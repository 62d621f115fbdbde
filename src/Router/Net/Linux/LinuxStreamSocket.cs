namespace Router.Net;

/// <summary>A TCP connection by recv(2) and send(2).</summary>
/// <param name="calls">The kernel.</param>
/// <param name="fd">Non-blocking; the socket owns it.</param>
/// <param name="peer">The other end.</param>
/// <param name="local">This end, where it is known; asked for when first wanted where not.</param>
internal sealed unsafe class LinuxStreamSocket(LinuxCalls calls, int fd, SocketAddr peer, SocketAddr local)
    : StreamSocket
{
    private int _fd = fd;
    private SocketAddr _local = local;

    public override SocketAddr LocalAddress
    {
        get
        {
            if (_local.IsEmpty && _fd >= 0)
            {
                _local = calls.LocalAddress(_fd);
            }

            return _local;
        }
    }

    public override SocketAddr PeerAddress => peer;

    public override bool IsClosed => _fd < 0;

    internal override int Descriptor => _fd;

    public override int Receive(byte* buffer, int capacity) => calls.ReceiveNow(_fd, buffer, capacity, flags: 0);

    public override int Send(byte* payload, int length) => calls.SendNow(_fd, payload, length);

    public override void ShutdownWrite() => _ = Libc.Shutdown(_fd, Libc.ShutWrite);

    public override int ConnectResult()
    {
        var result = calls.GetOption(_fd, Libc.SolSocket, Libc.SoError);
        return result > 0 ? -result : result;
    }

    public override void Abort()
    {
        if (_fd >= 0)
        {
            var linger = stackalloc int[] { 1, 0 };
            calls.SetOption(_fd, Libc.SolSocket, Libc.SoLinger, linger, 2 * sizeof(int));
            Dispose();
        }
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
