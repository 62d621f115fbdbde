using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>A socket of the portable network, for its poller.</summary>
internal interface IPortableSocket
{
    Socket Inner { get; }
}

/// <summary>Sockets by System.Net.Sockets, for systems that <see cref="LinuxNetwork"/> does not know: plain, and for
/// some hundreds of sessions, since each wait looks at every socket.</summary>
/// <remarks>
/// It has no unix sockets, child processes or sockets of sessions, does not batch, and does not count what the kernel
/// drops. Sharing a port among loops works on Linux only. The base library cannot send from a chosen local address, so
/// on a wildcard a reply might leave from another one than the datagram came to: on 64-bit Linux sendmsg(2) does it,
/// elsewhere datagram sockets are not bound to a wildcard (-ENOPROTOOPT).
/// </remarks>
/// <param name="selects">Whether it waits by select, as on Windows.</param>
/// <param name="sendsFromChosen">Whether it can send from a chosen local address.</param>
internal sealed class PortableNetwork(bool selects, bool sendsFromChosen) : INetwork
{
    private const int SolSocket = 1, SoReusePort = 15;          // Linux, as the next ones
    private const int SolTcp = 6, TcpUserTimeout = 18;
    private const int SioUdpConnectionReset = -1744830452;      // Windows: SIO_UDP_CONNRESET

    /// <summary>Keeps some descriptors for the runtime, as <see cref="LinuxNetwork"/> does.</summary>
    private readonly DescriptorReserve? _reserve =
        OperatingSystem.IsLinux() ? new DescriptorReserve(LinuxCalls.Kernel) : null;

    public PortableNetwork()
        : this(OperatingSystem.IsWindows(), LibcPortable.HasSendMessage)
    {
    }

    public string Name => "portable";

    public bool SupportsGroups => OperatingSystem.IsLinux();

    public IPoller CreatePoller() => selects ? new SelectPoller() : new PollPoller();

    public int BindDatagram(in SocketAddr local, DatagramOptions options, out DatagramSocket? socket)
    {
        var address = local;
        if (address.IsWildcard && !address.IsUnix && !sendsFromChosen)
        {
            socket = null;
            return -(int)Errno.ENOPROTOOPT;
        }

        return Make(address.Family, SocketType.Dgram, out socket, inner =>
        {
            if (options.ReceiveBuffer > 0)
            {
                inner.ReceiveBufferSize = options.ReceiveBuffer;
            }

            if (options.SendBuffer > 0)
            {
                inner.SendBufferSize = options.SendBuffer;
            }

            if (OperatingSystem.IsWindows())
            {
                // Else an ICMP error of one peer makes the next receive fail, for everybody.
                inner.IOControl(SioUdpConnectionReset, [0, 0, 0, 0], null);
            }

            if (address.IsWildcard)
            {
                var level = address.Family == SocketAddr.FamilyIPv6 ? SocketOptionLevel.IPv6 : SocketOptionLevel.IP;
                inner.SetSocketOption(level, SocketOptionName.PacketInformation, true);
            }

            SetFamily(inner, address, options.DualStack);
            Bind(inner, address, options.MakeGroup, options.JoinGroup);
            return new PortableDatagramSocket(inner, address.IsWildcard);
        });
    }

    public int ConnectDatagram(in SocketAddr remote, out ConnectedDatagramSocket? socket, int receiveBuffer = 0)
    {
        var address = remote;
        return Make(address.Family, SocketType.Dgram, out socket, inner =>
        {
            if (receiveBuffer > 0)
            {
                inner.ReceiveBufferSize = receiveBuffer;
            }

            inner.Connect(ToEndPoint(address));
            return new PortableConnectedDatagramSocket(inner);
        });
    }

    public int Listen(in SocketAddr local, StreamListenOptions options, out StreamListener? socket)
    {
        var address = local;
        return Make(address.Family, SocketType.Stream, out socket, inner =>
        {
            SetFamily(inner, address, options.DualStack);
            Bind(inner, address, options.MakeGroup, options.JoinGroup);
            if (options.KeepAlive is { } keepAlive)
            {
                SetKeepAlive(inner, keepAlive);   // what is accepted inherits it
            }

            inner.Listen(options.Backlog);
            return new PortableStreamListener(inner, _reserve, options.Backlog);
        });
    }

    public int ConnectStream(in SocketAddr remote, out StreamSocket? socket)
    {
        var address = remote;
        var pending = false;
        var result = Make(address.Family, SocketType.Stream, out socket, inner =>
        {
            inner.NoDelay = true;
            try
            {
                inner.Connect(ToEndPoint(address));
            }
            catch (SocketException later)
                when (later.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                pending = true;
            }

            return new PortableStreamSocket(inner, address);
        });
        return result == 0 && pending ? -(int)Errno.EINPROGRESS : result;
    }

    internal static void SetKeepAlive(Socket inner, KeepAliveOptions options)
    {
        try
        {
            inner.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, options.IdleSeconds > 0);
            if (options.IdleSeconds > 0)
            {
                var level = SocketOptionLevel.Tcp;
                inner.SetSocketOption(level, SocketOptionName.TcpKeepAliveTime, options.IdleSeconds);
                inner.SetSocketOption(level, SocketOptionName.TcpKeepAliveInterval, options.IntervalSeconds);
                inner.SetSocketOption(level, SocketOptionName.TcpKeepAliveRetryCount, options.Count);
            }

            if (OperatingSystem.IsLinux())
            {
                var timeoutMs = options.UserTimeoutMs;
                inner.SetRawSocketOption(
                    SolTcp, TcpUserTimeout, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in timeoutMs)));
            }
        }
        catch (SocketException)
        {
            // The system does not know it, or the connection is gone.
        }
    }

    /// <summary>As the base library tells it, mapped addresses kept: the peers of a dual-stack socket are written
    /// alike everywhere.</summary>
    internal static SocketAddr FromEndPoint(IPEndPoint endPoint) => SocketAddr.From(endPoint);

    /// <summary>The descriptor of a socket; -1 on Windows, which has none.</summary>
    internal static int DescriptorOf(Socket socket) => OperatingSystem.IsWindows() ? -1 : (int)socket.Handle;

    /// <summary>Not <see cref="SocketAddr.ToIPEndPoint"/>, which shows mapped addresses as IPv4.</summary>
    private static IPEndPoint ToEndPoint(in SocketAddr address)
    {
        var endPoint = address.ToIPEndPoint();
        return address.Family == SocketAddr.FamilyIPv6
            ? new IPEndPoint(endPoint.Address.MapToIPv6(), endPoint.Port)
            : endPoint;
    }

    private int Make<T>(int family, SocketType type, out T? socket, Func<Socket, T> prepare)
        where T : IoSocket
    {
        socket = null;
        if (family == SocketAddr.FamilyUnix)
        {
            return -(int)Errno.EAFNOSUPPORT;   // its addresses hold no names, and there are no credentials
        }

        Socket? inner = null;
        try
        {
            inner = new Socket(
                family == SocketAddr.FamilyIPv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork,
                type,
                type == SocketType.Dgram ? ProtocolType.Udp : ProtocolType.Tcp)
            { Blocking = false };
            if (_reserve?.Includes(DescriptorOf(inner)) == true)
            {
                inner.Dispose();
                return -(int)Errno.EMFILE;
            }

            socket = prepare(inner);
            return 0;
        }
        catch (SocketException refused)
        {
            inner?.Dispose();
            return PortableErrors.Negative(refused.SocketErrorCode);
        }
    }

    private static void SetFamily(Socket inner, in SocketAddr local, bool dualStack)
    {
        if (local.Family == SocketAddr.FamilyIPv6)
        {
            inner.DualMode = dualStack && local.IsWildcard;
        }
    }

    /// <summary>As <see cref="LinuxNetwork"/>: the first of a group is bound alone, so that another process on the
    /// port is refused.</summary>
    private void Bind(Socket inner, in SocketAddr local, bool makeGroup, bool joinGroup)
    {
        if (joinGroup)
        {
            OpenToGroup(inner);
        }

        if (OperatingSystem.IsWindows())
        {
            inner.ExclusiveAddressUse = true;
        }

        inner.Bind(ToEndPoint(local));
        if (makeGroup && SupportsGroups)
        {
            OpenToGroup(inner);
        }
    }

    private void OpenToGroup(Socket inner)
    {
        if (!SupportsGroups)
        {
            throw new SocketException((int)SocketError.OperationNotSupported);
        }

        var one = 1;
        inner.SetRawSocketOption(SolSocket, SoReusePort, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in one)));
    }
}
