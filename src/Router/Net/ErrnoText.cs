using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>What was being done when a call failed; decides what advice is given.</summary>
internal enum SocketOperation
{
    Bind,
    Listen,
    Accept,
    Connect,
    Send,
    Receive,
    Poll,

    /// <summary>Starting a child process.</summary>
    Start,

    /// <summary>Binding a unix socket.</summary>
    BindUnix,

    /// <summary>Connecting, or sending, to a unix socket.</summary>
    ConnectUnix,

    /// <summary>Connecting to an IPv6 address.</summary>
    ConnectIPv6,
}

/// <summary>Errnos for people: the name, the text, and what to do.</summary>
internal static class ErrnoText
{
    /// <summary>The symbolic name, <c>EADDRINUSE</c>; <c>errno 123</c> for one that has none here.</summary>
    public static string Name(Errno errno) => Enum.IsDefined(errno) ? errno.ToString() : $"errno {(int)errno}";

    /// <summary>The sentence of strerror(3), the same on every system.</summary>
    public static string Text(Errno errno) => errno switch
    {
        Errno.Success => "Success",
        Errno.EPERM => "Operation not permitted",
        Errno.ENOENT => "No such file or directory",
        Errno.EINTR => "Interrupted system call",
        Errno.EIO => "Input/output error",
        Errno.E2BIG => "Argument list too long",
        Errno.ENOEXEC => "Exec format error",
        Errno.EBADF => "Bad file descriptor",
        Errno.EAGAIN => "Resource temporarily unavailable",
        Errno.ENOMEM => "Cannot allocate memory",
        Errno.EACCES => "Permission denied",
        Errno.ENOTDIR => "Not a directory",
        Errno.EINVAL => "Invalid argument",
        Errno.ENFILE => "Too many open files in system",
        Errno.EMFILE => "Too many open files",
        Errno.ENOSPC => "No space left on device",
        Errno.EROFS => "Read-only file system",
        Errno.EPIPE => "Broken pipe",
        Errno.ENOSYS => "Function not implemented",
        Errno.ELOOP => "Too many levels of symbolic links",
        Errno.ENONET => "Machine is not on the network",
        Errno.EPROTO => "Protocol error",
        Errno.ENOTSOCK => "Socket operation on non-socket",
        Errno.EDESTADDRREQ => "Destination address required",
        Errno.EMSGSIZE => "Message too long",
        Errno.EPROTOTYPE => "Protocol wrong type for socket",
        Errno.ENOPROTOOPT => "Protocol not available",
        Errno.EPROTONOSUPPORT => "Protocol not supported",
        Errno.EOPNOTSUPP => "Operation not supported",
        Errno.EAFNOSUPPORT => "Address family not supported by protocol",
        Errno.EADDRINUSE => "Address already in use",
        Errno.EADDRNOTAVAIL => "Cannot assign requested address",
        Errno.ENETDOWN => "Network is down",
        Errno.ENETUNREACH => "Network is unreachable",
        Errno.ECONNABORTED => "Software caused connection abort",
        Errno.ECONNRESET => "Connection reset by peer",
        Errno.ENOBUFS => "No buffer space available",
        Errno.EISCONN => "Transport endpoint is already connected",
        Errno.ENOTCONN => "Transport endpoint is not connected",
        Errno.ETIMEDOUT => "Connection timed out",
        Errno.ECONNREFUSED => "Connection refused",
        Errno.EHOSTDOWN => "Host is down",
        Errno.EHOSTUNREACH => "No route to host",
        Errno.EALREADY => "Operation already in progress",
        Errno.EINPROGRESS => "Operation now in progress",
        _ => Marshal.GetPInvokeErrorMessage((int)errno),
    };

    /// <summary>What the operator can do; empty where there is nothing to be done at this side.</summary>
    public static string Advice(Errno errno, SocketOperation operation) => operation switch
    {
        SocketOperation.BindUnix => UnixErrnoText.BindAdvice(errno) ?? IpAdvice(errno, operation),
        SocketOperation.ConnectUnix => UnixErrnoText.ConnectAdvice(errno) ?? IpAdvice(errno, operation),
        SocketOperation.ConnectIPv6 when errno == Errno.EADDRNOTAVAIL =>
            "this host has no IPv6 address to connect from (is IPv6 disabled?), or no local port is left for the "
                + "destination; see 'ip -6 address' and net.ipv4.ip_local_port_range",
        SocketOperation.ConnectIPv6 => IpAdvice(errno, SocketOperation.Connect),
        _ => IpAdvice(errno, operation),
    };

    /// <summary>The operation as it is towards an address: what can be done about an errno may depend on its
    /// family.</summary>
    public static SocketOperation At(in SocketAddr address, SocketOperation operation) =>
        address.IsUnix ? SocketOperation.ConnectUnix
        : operation == SocketOperation.Connect && address is { Family: SocketAddr.FamilyIPv6, IsMapped: false }
            ? SocketOperation.ConnectIPv6
        : operation;

    private static string IpAdvice(Errno errno, SocketOperation operation) => (errno, operation) switch
    {
        (Errno.EACCES, SocketOperation.Bind) =>
            "ports below 1024 need CAP_NET_BIND_SERVICE (or a lower net.ipv4.ip_unprivileged_port_start)",
        (Errno.ENOENT or Errno.ENOTDIR, SocketOperation.Start) =>
            "the program, the interpreter that its first line names, or its directory is not there",
        (Errno.EACCES, SocketOperation.Start) => "the router's user may not execute it, or not enter its directory",
        (Errno.ENOEXEC, SocketOperation.Start) => "it is no program of this machine, and no shell is asked to try",
        (Errno.EAGAIN, SocketOperation.Start) =>
            "no process may be added; see RLIMIT_NPROC (ulimit -u), TasksMax= and kernel.pid_max",
        (Errno.EACCES, SocketOperation.Send or SocketOperation.Connect) =>
            "the destination is a broadcast address, which is not sent to, or a firewall on the way or a route of the "
                + "type prohibit forbids it; see 'ip route get'",
        (Errno.EPERM, _) => "a local firewall rule forbids it",
        (Errno.EADDRINUSE, SocketOperation.Bind or SocketOperation.Listen) =>
            "another socket holds this port; find it with 'ss -lnptu', or choose another port",
        (Errno.EADDRNOTAVAIL, SocketOperation.Bind or SocketOperation.Listen) =>
            "no interface of this host has the address; see 'ip address', or bind to 0.0.0.0 or [::]",
        (Errno.EADDRNOTAVAIL, SocketOperation.Connect) =>
            "no local port is left for this destination; widen net.ipv4.ip_local_port_range or hold fewer sessions",
        (Errno.EAGAIN, SocketOperation.Connect) =>
            "no local port is left; widen net.ipv4.ip_local_port_range or hold fewer sessions",
        (Errno.EAFNOSUPPORT, _) =>
            "the kernel has no such address family (is IPv6 disabled?), or the process may not use it "
                + "(RestrictAddressFamilies=)",
        (Errno.EINVAL, SocketOperation.Connect) =>
            "a link-local IPv6 address needs its interface ([fe80::1%eth0]), or the route to the destination is of the "
                + "type blackhole; see 'ip route get'",
        (Errno.ENOPROTOOPT, SocketOperation.Bind) =>
            "the portable sockets of this system cannot answer from the address that a datagram came to; bind each "
                + "address by itself instead of a wildcard",
        (Errno.EMFILE, _) => "the process has no descriptors left; raise RLIMIT_NOFILE (ulimit -n, LimitNOFILE=)",
        (Errno.ENFILE, _) => "the system has no descriptors left; raise fs.file-max",
        (Errno.ENOMEM, SocketOperation.Start) => "the system has no memory left for a process",
        (Errno.ENOSPC, _) => "raise fs.epoll.max_user_watches",
        (Errno.ENOBUFS or Errno.ENOMEM, _) =>
            "the kernel is short of memory for sockets; see net.ipv4.udp_mem and tcp_mem",
        (Errno.ENETUNREACH or Errno.EHOSTUNREACH, _) => "there is no route to the destination; see 'ip route get'",
        (Errno.ETIMEDOUT, SocketOperation.Connect) =>
            "the destination does not answer in time: is it up, and does nothing on the way drop packets?",
        (Errno.ECONNREFUSED, SocketOperation.Connect) => "nothing listens at the destination",
        (Errno.EMSGSIZE, SocketOperation.Send) => "a datagram holds at most 65,507 bytes over IPv4, 65,527 over IPv6",
        (Errno.EOPNOTSUPP, SocketOperation.Bind or SocketOperation.Listen) =>
            "this network cannot share a port among loops; set loops = 1",
        _ => "",
    };

    /// <summary><c>EACCES, Permission denied: ports below 1024 need ...</c>; the advice only where there is
    /// one.</summary>
    public static string Describe(Errno errno, SocketOperation operation)
    {
        var advice = Advice(errno, operation);
        return advice.Length == 0 ? $"{Name(errno)}, {Text(errno)}" : $"{Name(errno)}, {Text(errno)}: {advice}";
    }

    /// <summary>The same of a call's negative result.</summary>
    public static string Describe(int result, SocketOperation operation) => Describe((Errno)(-result), operation);
}
