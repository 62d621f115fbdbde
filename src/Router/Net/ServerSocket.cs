using System.Net.Sockets;

namespace Router.Net;

/// <summary>A listening stream socket of the base library, for a server of the base library: bound and listening before
/// that server starts, so that a port in use is known at once and nobody is refused meanwhile.</summary>
internal sealed class ServerSocket : IDisposable
{
    private readonly UnixSocketFile? _file;

    private ServerSocket(Socket socket, in SocketAddr address, UnixSocketFile? file) =>
        (Socket, Address, _file) = (socket, address, file);

    public Socket Socket { get; }

    /// <summary>The port decided.</summary>
    public SocketAddr Address { get; }

    /// <summary>Binds and listens.</summary>
    /// <param name="address">An IP endpoint, or the path of a unix socket: the file of a dead process is taken over.
    /// </param>
    /// <param name="backlog">Connections that may wait.</param>
    /// <param name="options">Of a unix socket's file.</param>
    /// <param name="made">Null on failure.</param>
    /// <returns>0 or a negative errno.</returns>
    public static int Listen(in SocketAddr address, int backlog, UnixFileOptions options, out ServerSocket? made)
    {
        made = null;
        if (address.IsUnix)
        {
            return LinuxNetwork.IsSupported
                ? ListenUnix(address, backlog, options, out made)
                : -(int)Errno.EAFNOSUPPORT;
        }

        var endPoint = address.ToIPEndPoint();
        try
        {
            var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(endPoint);
                socket.Listen(backlog);
                made = new ServerSocket(
                    socket, SocketAddr.From((System.Net.IPEndPoint)socket.LocalEndPoint!), file: null);
                return 0;
            }
            finally
            {
                if (made is null)
                {
                    socket.Dispose();
                }
            }
        }
        catch (SocketException refused)
        {
            return PortableErrors.Negative(refused.SocketErrorCode);
        }
    }

    /// <summary>Removes the file first: until the socket is closed nobody takes it for stale.</summary>
    public void Dispose()
    {
        _file?.Remove();
        Socket.Dispose();
    }

    private static int ListenUnix(
        in SocketAddr address, int backlog, UnixFileOptions options, out ServerSocket? made)
    {
        made = null;
        var calls = LinuxCalls.Kernel;
        var fd = calls.Socket(
            SocketAddr.FamilyUnix, (int)UnixSocketType.Stream | Libc.SockNonBlock | Libc.SockCloseOnExec, 0);
        if (fd < 0)
        {
            return fd;
        }

        var result = UnixSocketFile.Bind(calls, fd, address, options, () => calls.Listen(fd, backlog), out var file);
        if (calls.CloseIfFailed(fd, result) < 0)
        {
            return result;
        }

        made = new ServerSocket(new Socket(new SafeSocketHandle(fd, ownsHandle: true)), address, file);
        return 0;
    }
}
