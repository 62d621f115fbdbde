namespace Router.Net;

/// <summary>A TCP connection by recv(2) and send(2).</summary>
/// <param name="calls">The kernel.</param>
/// <param name="fd">Non-blocking; the socket owns it.</param>
/// <param name="peer">The other end.</param>
/// <param name="local">This end, where it is known; asked for when first wanted where not.</param>
internal sealed unsafe class LinuxStreamSocket(LinuxCalls calls, int fd, SocketAddr peer, SocketAddr local)
    : StreamSocket(fd)
{
    private SocketAddr _local = local;

    public override SocketAddr LocalAddress
    {
        get
        {
            if (_local.IsEmpty && Descriptor >= 0)
            {
                _local = calls.LocalAddress(Descriptor);
            }

            return _local;
        }
    }

    public override SocketAddr PeerAddress => peer;

    public override int Receive(byte* buffer, int capacity) => calls.ReceiveNow(Descriptor, buffer, capacity, flags: 0);

    public override int Send(byte* payload, int length) => calls.SendNow(Descriptor, payload, length);

    public override void ShutdownWrite() => _ = Libc.Shutdown(Descriptor, Libc.ShutWrite);

    public override void SetKeepAlive(KeepAliveOptions options)
    {
        if (Descriptor >= 0 && !peer.IsUnix)
        {
            calls.SetKeepAlive(Descriptor, options);
        }
    }

    public override int ConnectResult() => calls.TakeError(Descriptor);

    public override void Abort()
    {
        if (Descriptor >= 0)
        {
            var linger = stackalloc int[] { 1, 0 };
            calls.SetOption(Descriptor, Libc.SolSocket, Libc.SoLinger, linger, 2 * sizeof(int));
            Dispose();
        }
    }

    protected override void Close() => calls.Close(Descriptor);
}
