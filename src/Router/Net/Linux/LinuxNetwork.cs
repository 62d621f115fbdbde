using System.Globalization;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>Sockets by Linux system calls: epoll, recvmmsg, sendmmsg, segmentation offload where the kernel has
/// it.</summary>
internal sealed unsafe partial class LinuxNetwork : INetwork
{
    private readonly LinuxCalls _calls;
    private readonly DescriptorReserve _reserve;
    private readonly bool _coalesce;
    private readonly bool _receiveTrains;

    public LinuxNetwork()
        : this(LinuxCalls.Kernel)
    {
    }

    internal LinuxNetwork(LinuxCalls calls, bool? coalesce = null, bool? receiveTrains = null)
    {
        Check.That(IsSupported);
        _calls = calls;
        _reserve = new DescriptorReserve(calls);
        _coalesce = coalesce ?? ProbeOption(Libc.UdpSegment);
        _receiveTrains = receiveTrains ?? ProbeOption(Libc.UdpGro);
    }

    /// <summary>64-bit Linux on x64 or arm64, whose structures <see cref="Libc"/> spells out.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux()
        && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    public string Name => "linux";

    public bool SupportsUnix => true;

    /// <summary>The system calls it makes.</summary>
    internal LinuxCalls Calls => _calls;

    /// <summary>The descriptor it keeps for when there are no others.</summary>
    internal DescriptorReserve DescriptorReserve => _reserve;

    /// <summary>Whether equal-sized datagrams to one peer leave as one UDP_SEGMENT message; found out by asking the
    /// kernel at start.</summary>
    public bool CoalescesDatagrams => _coalesce;

    /// <summary>Whether datagrams that a sender or the way here coalesced are received as one (UDP_GRO); found out by
    /// asking the kernel at start.</summary>
    public bool ReceivesTrains => _receiveTrains;

    /// <summary>Tries the calls that a sandbox or an emulated kernel may lack.</summary>
    /// <returns>Null if all work; else a sentence for the log.</returns>
    internal static string? FindFault(LinuxCalls calls)
    {
        try
        {
            new EpollPoller(calls).Dispose();
        }
        catch (IOException refused)
        {
            return refused.Message;
        }

        var fd = calls.Socket(Libc.AfInet, Libc.SockDatagram | Libc.SockNonBlock | Libc.SockCloseOnExec, 0);
        if (fd < 0)
        {
            return $"socket: {ErrnoText.Describe(fd, SocketOperation.Bind)}";
        }

        var header = default(MessageHeader);
        var received = calls.ReceiveMany(fd, &header, 1, Libc.MsgDontWait);
        var sent = calls.SendMany(fd, &header, 0, Libc.MsgDontWait);
        calls.Close(fd);
        if (received != -(int)Errno.EAGAIN)
        {
            return $"recvmmsg: {ErrnoText.Describe(Math.Min(received, 0), SocketOperation.Receive)}";
        }

        return sent < 0 ? $"sendmmsg: {ErrnoText.Describe(sent, SocketOperation.Send)}" : null;
    }

    public long ReadAcceptOverflows() => NetworkStatistics.Read("TcpExt", "ListenOverflows");

    public IPoller CreatePoller() => new EpollPoller(_calls);

    public int BindDatagram(in SocketAddr local, DatagramOptions options, out DatagramSocket? socket)
    {
        socket = null;
        if (local.IsUnix)
        {
            return BindUnix(local, options, out socket);
        }

        var fd = Open(local.Family, Libc.SockDatagram);
        if (fd < 0)
        {
            return fd;
        }

        var result = PrepareDatagram(fd, local, options);
        result = result < 0 ? result : BindShard(fd, local, options);
        if (result < 0)
        {
            _calls.Close(fd);
            return result;
        }

        // Refused on one socket although the kernel knows it: then that one receives datagrams singly.
        var receivesTrains = _receiveTrains && _calls.SetOption(fd, Libc.SolUdp, Libc.UdpGro, 1) == 0;
        socket = new LinuxDatagramSocket(_calls, fd, local.IsWildcard, receivesTrains, _coalesce);
        return 0;
    }

    public int ConnectDatagram(in SocketAddr remote, out ConnectedDatagramSocket? socket)
    {
        socket = null;
        if (remote.IsUnix)
        {
            return ConnectUnixMessages(remote, out socket);
        }

        var fd = Open(remote.Family, Libc.SockDatagram);
        if (fd < 0)
        {
            return fd;
        }

        var address = remote;
        var result = _calls.Connect(fd, &address);
        if (result < 0)
        {
            _calls.Close(fd);
            return result;
        }

        socket = new LinuxConnectedDatagramSocket(_calls, fd, remote, _coalesce, _receiveTrains);
        return 0;
    }

    public int Listen(in SocketAddr local, StreamListenOptions options, out StreamListener? socket)
    {
        socket = null;
        if (local.IsUnix)
        {
            return ListenUnix(local, options, out socket);
        }

        var fd = Open(local.Family, Libc.SockStream);
        if (fd < 0)
        {
            return fd;
        }

        // Past connections in TIME_WAIT must not keep a restart from its port; a live listener still does, see
        // socket(7).
        var result = _calls.SetOption(fd, Libc.SolSocket, Libc.SoReuseAddress, 1);
        result = result < 0 ? result : SetFamily(fd, local, options.DualStack);
        result = result < 0 ? result : Bind(fd, local, options.MakeGroup, options.JoinGroup);

        // What is accepted inherits it.
        result = result < 0 ? result : _calls.SetOption(fd, Libc.SolTcp, Libc.TcpNoDelay, 1);
        result = result < 0 ? result : _calls.Listen(fd, options.Backlog);
        if (result < 0)
        {
            _calls.Close(fd);
            return result;
        }

        socket = new LinuxStreamListener(_calls, _reserve, fd, options.Backlog);
        return 0;
    }

    public int ConnectStream(in SocketAddr remote, out StreamSocket? socket)
    {
        socket = null;
        if (remote.IsUnix)
        {
            return ConnectUnixStream(remote, out socket);
        }

        var fd = Open(remote.Family, Libc.SockStream);
        if (fd < 0)
        {
            return fd;
        }

        var address = remote;
        _calls.SetOption(fd, Libc.SolTcp, Libc.TcpNoDelay, 1);
        var result = _calls.Connect(fd, &address);
        if (result == -(int)Errno.EINPROGRESS && remote.IsLoopback)
        {
            // Nothing travels: it is decided by now, and only the call did not see it. Asked again it tells, which
            // spares the caller a change of what is watched, a look at SO_ERROR and a pass.
            result = _calls.Connect(fd, &address);
        }

        // EINTR, EALREADY: the attempt goes on, see connect(2).
        if (result < 0 && (Errno)(-result) is not (Errno.EINPROGRESS or Errno.EINTR or Errno.EALREADY))
        {
            _calls.Close(fd);
            return result;
        }

        socket = new LinuxStreamSocket(_calls, fd, remote, local: default);
        return result < 0 ? -(int)Errno.EINPROGRESS : 0;
    }

    /// <summary>Three quarters of what a user without CAP_SYS_RESOURCE may have, /proc/sys/fs/pipe-user-pages-soft:
    /// past that the system makes pipes of two pages, for all programs of that user. See pipe(7).</summary>
    public long PipeBudget
    {
        get
        {
            try
            {
                var pages = long.Parse(
                    File.ReadAllText("/proc/sys/fs/pipe-user-pages-soft"), CultureInfo.InvariantCulture);
                return pages == 0 ? long.MaxValue : pages * Environment.SystemPageSize * 3 / 4;
            }
            catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException or FormatException)
            {
                return long.MaxValue;
            }
        }
    }

    public int CreatePipe(int bytes, out StreamPipe? pipe) =>
        LinuxStreamPipe.Create(_calls, _reserve, bytes, out pipe);

    /// <summary>
    /// A socket, unless it takes one of the descriptors kept in reserve: then EMFILE, as if there were none.
    /// </summary>
    private int Open(int family, int type)
    {
        var fd = _calls.Socket(family, type | Libc.SockNonBlock | Libc.SockCloseOnExec, 0);
        if (!_reserve.IsTouchedBy(fd))
        {
            return fd;
        }

        _calls.Close(fd);
        return -(int)Errno.EMFILE;
    }

    private int PrepareDatagram(int fd, in SocketAddr local, DatagramOptions options)
    {
        // The kernel caps both at rmem_max and wmem_max without an error; BufferSizes tells what was granted.
        if (options.ReceiveBuffer > 0)
        {
            _calls.SetOption(fd, Libc.SolSocket, Libc.SoReceiveBuffer, options.ReceiveBuffer);
        }

        if (options.SendBuffer > 0)
        {
            _calls.SetOption(fd, Libc.SolSocket, Libc.SoSendBuffer, options.SendBuffer);
        }

        var result = SetFamily(fd, local, options.DualStack);
        if (result < 0 || !local.IsWildcard)
        {
            return result;
        }

        return local.Family == SocketAddr.FamilyIPv6
            ? _calls.SetOption(fd, Libc.SolIpv6, Libc.Ipv6ReceivePacketInfo, 1)
            : _calls.SetOption(fd, Libc.SolIp, Libc.IpPacketInfo, 1);
    }

    private int SetFamily(int fd, in SocketAddr local, bool dualStack) => local.Family == SocketAddr.FamilyIPv6
        ? _calls.SetOption(fd, Libc.SolIpv6, Libc.Ipv6Only, dualStack && local.IsWildcard ? 0 : 1)
        : 0;

    /// <summary>Binds; the first of a group alone, so that another process on the port is refused, see
    /// socket(7).</summary>
    private int Bind(int fd, in SocketAddr local, bool makeGroup, bool joinGroup)
    {
        var address = local;
        var result = joinGroup ? _calls.SetOption(fd, Libc.SolSocket, Libc.SoReusePort, 1) : 0;
        result = result < 0 ? result : _calls.Bind(fd, &address);
        return result < 0 || !makeGroup ? result : _calls.SetOption(fd, Libc.SolSocket, Libc.SoReusePort, 1);
    }

    /// <summary>UDP_SEGMENT came with Linux 4.18, UDP_GRO with 5.0; setting either to 0 changes nothing and tells
    /// whether it is known.</summary>
    private bool ProbeOption(int option)
    {
        var fd = Open(Libc.AfInet, Libc.SockDatagram);
        if (fd < 0)
        {
            return false;
        }

        var known = _calls.SetOption(fd, Libc.SolUdp, option, 0) == 0
            && _calls.GetOption(fd, Libc.SolUdp, option) == 0;
        _calls.Close(fd);
        return known;
    }
}
