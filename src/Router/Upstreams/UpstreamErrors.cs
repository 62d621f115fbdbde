using Router.Net;

namespace Router.Upstreams;

/// <summary>What a route does about an errno that it meets on the way to an upstream.</summary>
internal enum UpstreamErrorClass
{
    /// <summary>The upstream, its address, or the way to it is at fault: others avoid it for a while, and the next one
    /// is tried.</summary>
    Upstream,

    /// <summary>This host, this process or this one datagram is at fault, so that no other upstream would do better: it
    /// is said, and no upstream is avoided for it.</summary>
    Own,

    /// <summary>Nothing is decided yet, or there is no room now: the same call is made again.</summary>
    Retry,
}

/// <summary>Sorts the errnos of connecting and sending to upstreams once, for all routes and networks.</summary>
internal static class UpstreamErrors
{
    /// <summary>Sorts an errno of connect(2), of a pending connect (SO_ERROR), or of watching the new socket.</summary>
    /// <remarks>What is not listed is the upstream's: whatever it is, another upstream may do better. EADDRNOTAVAIL is
    /// listed nowhere on purpose: this host has no address that reaches this upstream (IPv6 may be disabled), or no
    /// local port is left for it, and both may be otherwise for the next one.</remarks>
    /// <param name="errno">The error.</param>
    /// <param name="isUnix">Whether the upstream is a unix socket: then EAGAIN says that its queue is full, and else
    /// that the host has no local port left (inet_autobind).</param>
    public static UpstreamErrorClass OfConnect(Errno errno, bool isUnix) => errno switch
    {
        Errno.EINPROGRESS or Errno.EALREADY or Errno.EINTR => UpstreamErrorClass.Retry,
        Errno.EMFILE or Errno.ENFILE or Errno.ENOBUFS or Errno.ENOMEM or Errno.ENOSPC => UpstreamErrorClass.Own,
        Errno.EAGAIN when !isUnix => UpstreamErrorClass.Own,
        Errno.EBADF or Errno.ENOTSOCK or Errno.EISCONN => UpstreamErrorClass.Own,
        _ => UpstreamErrorClass.Upstream,
    };

    /// <summary>Sorts an errno of sending a datagram to an upstream, or of receiving one from it.</summary>
    /// <remarks>
    /// The kernel looks up the route of every datagram: EACCES, EINVAL and EADDRNOTAVAIL tell of routes of the types
    /// prohibit and blackhole, of ICMPv6 "administratively prohibited", and of an address that this host has lost.
    /// EPERM is what a full table of connections gives as well as a firewall's rule, so it is not the upstream's. What
    /// is not listed is ours.
    /// </remarks>
    public static UpstreamErrorClass OfSend(Errno errno) => errno switch
    {
        Errno.EAGAIN or Errno.EINTR or Errno.ENOBUFS or Errno.ENOMEM => UpstreamErrorClass.Retry,
        Errno.EMSGSIZE or Errno.EPERM => UpstreamErrorClass.Own,
        Errno.EACCES or Errno.EINVAL or Errno.EADDRNOTAVAIL or Errno.EAFNOSUPPORT => UpstreamErrorClass.Upstream,
        Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP or Errno.EPROTOTYPE => UpstreamErrorClass.Upstream,   // unix(7)
        _ => SocketErrors.Classify(errno) == SocketErrorClass.Peer
            ? UpstreamErrorClass.Upstream
            : UpstreamErrorClass.Own,
    };
}
