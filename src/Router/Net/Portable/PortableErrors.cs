using System.Net.Sockets;

namespace Router.Net;

/// <summary>The base library's error words in Linux's numbers.</summary>
internal static class PortableErrors
{
    /// <summary>The negative errno of a failed call; what has no counterpart is -EIO.</summary>
    public static int Negative(SocketError error) => -(int)From(error);

    public static Errno From(SocketError error) => error switch
    {
        SocketError.Success => Errno.Success,
        SocketError.WouldBlock or SocketError.IOPending => Errno.EAGAIN,
        SocketError.Interrupted => Errno.EINTR,
        SocketError.AccessDenied => Errno.EACCES,
        SocketError.Fault or SocketError.InvalidArgument => Errno.EINVAL,
        SocketError.TooManyOpenSockets => Errno.EMFILE,
        SocketError.InProgress => Errno.EINPROGRESS,
        SocketError.AlreadyInProgress => Errno.EALREADY,
        SocketError.NotSocket or SocketError.OperationAborted => Errno.EBADF,
        SocketError.DestinationAddressRequired => Errno.EDESTADDRREQ,
        SocketError.MessageSize => Errno.EMSGSIZE,
        SocketError.ProtocolOption => Errno.ENOPROTOOPT,
        SocketError.ProtocolNotSupported => Errno.EPROTONOSUPPORT,
        SocketError.OperationNotSupported => Errno.EOPNOTSUPP,
        SocketError.AddressFamilyNotSupported or SocketError.ProtocolFamilyNotSupported => Errno.EAFNOSUPPORT,
        SocketError.AddressAlreadyInUse => Errno.EADDRINUSE,
        SocketError.AddressNotAvailable => Errno.EADDRNOTAVAIL,
        SocketError.NetworkDown => Errno.ENETDOWN,
        SocketError.NetworkUnreachable => Errno.ENETUNREACH,
        SocketError.NetworkReset or SocketError.ConnectionReset => Errno.ECONNRESET,
        SocketError.ConnectionAborted => Errno.ECONNABORTED,
        SocketError.NoBufferSpaceAvailable => Errno.ENOBUFS,
        SocketError.IsConnected => Errno.EISCONN,
        SocketError.NotConnected => Errno.ENOTCONN,
        SocketError.Shutdown => Errno.EPIPE,
        SocketError.TimedOut => Errno.ETIMEDOUT,
        SocketError.ConnectionRefused => Errno.ECONNREFUSED,
        SocketError.HostDown => Errno.EHOSTDOWN,
        SocketError.HostUnreachable or SocketError.HostNotFound => Errno.EHOSTUNREACH,
        _ => Errno.EIO,
    };
}
