namespace Router.Net;

/// <summary>What the operator can do about a unix socket that cannot be bound, connected or sent to: the part of
/// <see cref="ErrnoText"/> that is about files. See unix(7), path_resolution(7).</summary>
internal static class UnixErrnoText
{
    /// <summary>Null where it is as with any other socket.</summary>
    public static string? BindAdvice(Errno errno) => errno switch
    {
        Errno.EADDRINUSE => "another process listens there, or is just about to; find it with 'ss -lxp', or choose "
            + "another name",
        Errno.ENOTSOCK => "what is there is no socket and is not replaced; remove it, or choose another path",
        Errno.ENOENT => "a directory of the path is not there; make it, or have it made (RuntimeDirectory=)",
        Errno.EACCES => "the router's user may not make files in that directory, or not pass one of the path",
        Errno.ENOTDIR => "a part of the path is no directory",
        Errno.ELOOP => "a directory of the path is a symbolic link that leads to itself",
        Errno.EROFS => "the file system is read-only; choose a path below /run",
        Errno.EPERM => "the file system holds no sockets, or the router's user may not give files to that owner or "
            + "group",
        Errno.ENOSPC => "the file system is full",
        Errno.EAFNOSUPPORT => "unix sockets are served by the Linux sockets only (network = linux)",
        Errno.EINVAL => "",
        _ => null,
    };

    /// <summary>Null where it is as with any other socket.</summary>
    public static string? ConnectAdvice(Errno errno) => errno switch
    {
        Errno.ECONNREFUSED => "nobody listens at that name any more",
        Errno.ENOENT => "there is no socket at that path; is its server up?",
        Errno.EACCES => "the router's user may not write to that socket, or not pass a directory of its path",
        Errno.EPROTOTYPE => "the socket there is of another kind: unix:// is a stream, unixpacket:// keeps messages, "
            + "unixgram:// has no connection",
        Errno.EAGAIN => "it takes no more for now: its accept queue, or its queue of messages, is full",
        Errno.EPERM => "the socket there hears another peer only",
        Errno.EMSGSIZE => "a message is at most as long as the sender's buffer (send-buffer, net.core.wmem_max)",
        Errno.EAFNOSUPPORT => "unix sockets are served by the Linux sockets only (network = linux)",
        _ => null,
    };
}
