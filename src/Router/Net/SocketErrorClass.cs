namespace Router.Net;

/// <summary>What the owner of a socket does about an errno.</summary>
internal enum SocketErrorClass
{
    /// <summary>The other side, the path or this one datagram: count it, close that session at most; a bound socket
    /// stands.</summary>
    Peer,

    /// <summary>Not now: come again when the socket is ready.</summary>
    Transient,

    /// <summary>Out of descriptors, memory or ports: suspend what needs them, back off, try again.</summary>
    Exhausted,

    /// <summary>The socket or the configuration is wrong: fail, and let supervision decide.</summary>
    Fatal,
}

/// <summary>Sorts errnos once, for everybody.</summary>
internal static class SocketErrors
{
    /// <summary>By the manual pages' words; what is not listed is <see cref="SocketErrorClass.Fatal"/>.</summary>
    public static SocketErrorClass Classify(Errno errno) => errno switch
    {
        // accept(2): "already-pending network errors on the new socket ... treat them like EAGAIN by retrying".
        Errno.ENETDOWN or Errno.EPROTO or Errno.ENOPROTOOPT or Errno.EHOSTDOWN or Errno.ENONET or Errno.EHOSTUNREACH
            or Errno.EOPNOTSUPP or Errno.ENETUNREACH => SocketErrorClass.Peer,

        // accept(2): "A connection has been aborted"; "Firewall rules forbid connection" (send(2): the same for one
        // datagram).
        Errno.ECONNABORTED or Errno.EPERM => SocketErrorClass.Peer,

        // udp(7): an ICMP error of an earlier datagram; connect(2): "no one listening on the remote address".
        Errno.ECONNREFUSED => SocketErrorClass.Peer,

        // tcp(7): "The other end didn't acknowledge retransmitted data after some time"; send(2): reset, shut down.
        Errno.ETIMEDOUT or Errno.ECONNRESET or Errno.EPIPE or Errno.ENOTCONN => SocketErrorClass.Peer,

        // send(2): "the size of the message to be sent made this impossible": that datagram, not the socket.
        Errno.EMSGSIZE => SocketErrorClass.Peer,

        // recv(2), send(2): non-blocking and nothing to do; signal(7): no data moved; connect(2): not decided yet.
        Errno.EAGAIN or Errno.EINTR or Errno.EINPROGRESS or Errno.EALREADY => SocketErrorClass.Transient,

        // accept(2): "per-process limit", "system-wide limit", "limited by the socket buffer limits"; epoll_ctl(2):
        // max_user_watches; connect(2): "all port numbers in the ephemeral port range are currently in use".
        Errno.EMFILE or Errno.ENFILE or Errno.ENOBUFS or Errno.ENOMEM or Errno.ENOSPC or Errno.EADDRNOTAVAIL
            => SocketErrorClass.Exhausted,
        _ => SocketErrorClass.Fatal,
    };
}
