using System.Net;
using System.Net.Sockets;

namespace Router.Net;

/// <summary>A TCP connection of the base library.</summary>
internal sealed unsafe class PortableStreamSocket(Socket socket, SocketAddr peer)
    : StreamSocket(PortableNetwork.DescriptorOf(socket)), IPortableSocket
{
    private SocketAddr _local;

    public Socket Inner => socket;

    public override SocketAddr LocalAddress
    {
        get
        {
            if (_local.IsEmpty && !IsClosed && socket.LocalEndPoint is IPEndPoint local)
            {
                _local = PortableNetwork.FromEndPoint(local);
            }

            return _local;
        }
    }

    public override SocketAddr PeerAddress => peer;

    public override void SetKeepAlive(KeepAliveOptions options)
    {
        if (!IsClosed)
        {
            PortableNetwork.SetKeepAlive(socket, options);
        }
    }

    public override int Receive(byte* buffer, int capacity)
    {
        if (IsClosed)
        {
            return -(int)Errno.EBADF;
        }

        var read = socket.Receive(new Span<byte>(buffer, capacity), SocketFlags.None, out var error);
        return error == SocketError.Success ? read : PortableErrors.Negative(error);
    }

    public override int Send(byte* payload, int length)
    {
        if (IsClosed)
        {
            return -(int)Errno.EBADF;
        }

        var sent = socket.Send(new ReadOnlySpan<byte>(payload, length), SocketFlags.None, out var error);
        return error == SocketError.Success ? sent : PortableErrors.Negative(error);
    }

    public override void ShutdownWrite()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Reset meanwhile: the next read tells.
        }
        catch (ObjectDisposedException)
        {
            // Closed: nothing to end.
        }
    }

    public override int ConnectResult()
    {
        if (IsClosed)
        {
            return -(int)Errno.EBADF;
        }

        var error = (SocketError)(int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        return PortableErrors.Negative(error);
    }

    public override void Abort()
    {
        if (IsClosed)
        {
            return;
        }

        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (SocketException)
        {
            // Reset by the peer already.
        }

        Dispose();
    }

    protected override void Close() => socket.Dispose();
}

/// <summary>
/// A listening TCP socket of the base library; it cannot ask for the backlog granted, only for the limit.
/// </summary>
internal sealed class PortableStreamListener : StreamListener, IPortableSocket
{
    private readonly DescriptorReserve? _reserve;
    private bool _isNearLimit;

    public PortableStreamListener(Socket socket, DescriptorReserve? reserve, int askedBacklog)
        : base(PortableNetwork.DescriptorOf(socket))
    {
        Inner = socket;
        _reserve = reserve;
        LocalAddress = PortableNetwork.FromEndPoint((IPEndPoint)socket.LocalEndPoint!);
        GrantedBacklog = Granted(askedBacklog);
    }

    public Socket Inner { get; }

    public override SocketAddr LocalAddress { get; }

    public override int GrantedBacklog { get; }

    public override int Accept(out StreamSocket? connection)
    {
        connection = null;
        Socket? socket = null;
        try
        {
            if (!Inner.Poll(0, SelectMode.SelectRead))
            {
                return -(int)Errno.EAGAIN;
            }

            if (_isNearLimit && _reserve?.HasSpare(Descriptor) == false)
            {
                return -(int)Errno.EMFILE;   // the connection waits in the backlog
            }

            socket = Inner.Accept();
            _isNearLimit = _reserve?.Includes(PortableNetwork.DescriptorOf(socket) + 1) == true;
            socket.Blocking = false;
            socket.NoDelay = true;
            var peer = PortableNetwork.FromEndPoint((IPEndPoint)socket.RemoteEndPoint!);
            connection = new PortableStreamSocket(socket, peer);
            return 0;
        }
        catch (SocketException refused)
        {
            socket?.Dispose();   // gone between accept and its first option
            return PortableErrors.Negative(refused.SocketErrorCode);
        }
        catch (ObjectDisposedException)
        {
            return -(int)Errno.EBADF;
        }
    }

    protected override void Close() => Inner.Dispose();
}
