using System.Globalization;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>Sockets by Linux system calls: epoll, recvmmsg, sendmmsg, segmentation offload where the kernel has
/// it.</summary>
internal sealed unsafe class LinuxNetwork : INetwork
{
    private readonly LinuxCalls _calls;
    private readonly DescriptorReserve _reserve;
    private readonly bool _coalesce;
    private readonly bool _receiveTrains;
    private readonly LinuxUnixSockets _unix;
    private readonly LinuxSessionSockets _sessions;

    public LinuxNetwork()
        : this(LinuxCalls.Kernel)
    {
    }

    internal LinuxNetwork(LinuxCalls calls, bool? coalesce = null, bool? receiveTrains = null)
    {
        Check.That(IsSupported);
        _calls = calls;
        _reserve = new DescriptorReserve(calls);
        _unix = new LinuxUnixSockets(calls, _reserve);
        _sessions = new LinuxSessionSockets(calls, _reserve);
        _coalesce = coalesce ?? ProbeOption(Libc.UdpSegment);
        _receiveTrains = receiveTrains ?? ProbeOption(Libc.UdpGro);
    }

    /// <summary>64-bit Linux on x64 or arm64, whose structures <see cref="Libc"/> spells out.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux()
        && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    public string Name => "linux";

    public bool SupportsUnix => true;

    public bool SupportsPeerSockets => true;

    internal LinuxCalls Calls => _calls;

    internal DescriptorReserve DescriptorReserve => _reserve;

    /// <summary>Whether the kernel takes equal-sized datagrams to one peer as one message (UDP_SEGMENT).</summary>
    public bool CoalescesDatagrams => _coalesce;

    /// <summary>Whether the kernel hands over datagrams that it has joined as one message (UDP_GRO).</summary>
    public bool ReceivesTrains => _receiveTrains;

    /// <summary>Tries the calls that a sandbox or an emulated kernel may lack.</summary>
    /// <returns>Null if all work; else which one does not and why, for the log.</returns>
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

    public int CurrentThreadId() => Libc.GetThreadId();

    public long ReadAcceptOverflows() => NetworkStatistics.Read("TcpExt", "ListenOverflows");

    public IPoller CreatePoller() => new EpollPoller(_calls);

    public int OpenPeer(in SocketAddr local, in SocketAddr peer, out PeerSocket? socket, int receiveBuffer = 0) =>
        _sessions.Open(local, peer, receiveBuffer, out socket);

    public int FixShards(IReadOnlyList<DatagramSocket> shards) => _sessions.FixShards(shards);

    public int FollowDatagram(in SocketAddr remote, out ConnectedDatagramSocket? socket, int receiveBuffer = 0) =>
        _sessions.Follow(remote, receiveBuffer, out socket);

    public int BindDatagram(in SocketAddr local, DatagramOptions options, out DatagramSocket? socket)
    {
        socket = null;
        if (local.IsUnix)
        {
            return _unix.Bind(local, options, out socket);
        }

        var fd = _reserve.OpenSocket(local.Family, Libc.SockDatagram);
        if (fd < 0)
        {
            return fd;
        }

        var result = PrepareDatagram(fd, local, options);
        result = result < 0 ? result : _sessions.BindShard(fd, local, options);
        if (_calls.CloseIfFailed(fd, result) < 0)
        {
            return result;
        }

        // Refused on one socket although the kernel knows it: then that one receives datagrams singly.
        var receivesTrains = _receiveTrains && _calls.SetOption(fd, Libc.SolUdp, Libc.UdpGro, 1) == 0;
        socket = new LinuxDatagramSocket(_calls, fd, local.IsWildcard, receivesTrains, _coalesce);
        return 0;
    }

    public int ConnectDatagram(in SocketAddr remote, out ConnectedDatagramSocket? socket, int receiveBuffer = 0)
    {
        socket = null;
        if (remote.IsUnix)
        {
            return _unix.ConnectMessages(remote, out socket);
        }

        var fd = _reserve.OpenSocket(remote.Family, Libc.SockDatagram);
        if (fd < 0)
        {
            return fd;
        }

        _calls.SetReceiveBuffer(fd, receiveBuffer);
        var address = remote;
        var result = _calls.Connect(fd, &address);
        if (_calls.CloseIfFailed(fd, result) < 0)
        {
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
            return _unix.Listen(local, options, out socket);
        }

        var fd = _reserve.OpenSocket(local.Family, Libc.SockStream);
        if (fd < 0)
        {
            return fd;
        }

        // Past connections in TIME_WAIT must not keep a restart from its port; a live listener still does, see
        // socket(7).
        var result = _calls.SetOption(fd, Libc.SolSocket, Libc.SoReuseAddress, 1);
        result = result < 0 ? result : _calls.SetFamily(fd, local, options.DualStack);
        result = result < 0 ? result : _calls.BindInGroup(fd, local, options.MakeGroup, options.JoinGroup);

        // What is accepted inherits it, see tcp(7).
        result = result < 0 ? result : _calls.SetOption(fd, Libc.SolTcp, Libc.TcpNoDelay, 1);
        if (result >= 0 && options.KeepAlive is { } keepAlive)
        {
            _calls.SetKeepAlive(fd, keepAlive);
        }

        result = result < 0 ? result : _calls.Listen(fd, options.Backlog);
        if (_calls.CloseIfFailed(fd, result) < 0)
        {
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
            return _unix.ConnectStream(remote, out socket);
        }

        var fd = _reserve.OpenSocket(remote.Family, Libc.SockStream);
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

    private int PrepareDatagram(int fd, in SocketAddr local, DatagramOptions options)
    {
        // The kernel caps both at rmem_max and wmem_max without an error; BufferSizes tells what was granted.
        _calls.SetReceiveBuffer(fd, options.ReceiveBuffer);
        if (options.SendBuffer > 0)
        {
            _calls.SetOption(fd, Libc.SolSocket, Libc.SoSendBuffer, options.SendBuffer);
        }

        var result = _calls.SetFamily(fd, local, options.DualStack);
        if (result < 0 || !local.IsWildcard)
        {
            return result;
        }

        if (local.Family != SocketAddr.FamilyIPv6)
        {
            return _calls.SetOption(fd, Libc.SolIp, Libc.IpPacketInfo, 1);
        }

        if (options.DualStack)
        {
            // IPv6's own tells of an IPv4 broadcast or multicast only the address that was sent to, and nothing can be
            // sent from that. Where a kernel refuses it, those are answered from the address of the route.
            _calls.SetOption(fd, Libc.SolIp, Libc.IpPacketInfo, 1);
        }

        return _calls.SetOption(fd, Libc.SolIpv6, Libc.Ipv6ReceivePacketInfo, 1);
    }

    /// <summary>UDP_SEGMENT came with Linux 4.18, UDP_GRO with 5.0; setting either to 0 changes nothing and tells
    /// whether it is known.</summary>
    private bool ProbeOption(int option)
    {
        var fd = _reserve.OpenSocket(Libc.AfInet, Libc.SockDatagram);
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
