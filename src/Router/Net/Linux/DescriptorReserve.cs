namespace Router.Net;

/// <summary>
/// Keeps the last descriptors below the limit from sockets: the runtime opens files of its own (assemblies, name
/// resolution, /proc), and what fails there fails far from any socket.
/// </summary>
/// <remarks>
/// The kernel gives out the lowest free descriptor (open(2)), so a high one tells that those below are taken. The limit
/// may change while the process runs (prlimit(2)), so it is read again after fewer new descriptors than are kept back.
/// Any thread: two that race read it once more or once less.
/// </remarks>
internal sealed class DescriptorReserve(LinuxCalls calls)
{
    /// <summary>Descriptors kept back.</summary>
    public const int Count = 24;

    /// <summary>New descriptors that are compared with the limit before it is read again.</summary>
    private const int LooksPerLimit = 8;

    private int _limit;
    private int _looksLeft;

    /// <summary>A non-blocking socket that is closed on exec; -EMFILE if only descriptors that are kept back are
    /// left.</summary>
    public int OpenSocket(int family, int type)
    {
        var fd = calls.Socket(family, type | Libc.SockNonBlock | Libc.SockCloseOnExec, 0);
        if (!Includes(fd))
        {
            return fd;
        }

        calls.Close(fd);
        return -(int)Errno.EMFILE;
    }

    /// <summary>Whether a new descriptor is one of those kept back.</summary>
    /// <param name="fd">The descriptor, or a negative errno.</param>
    public bool Includes(int fd)
    {
        if (--_looksLeft < 0)
        {
            _limit = calls.DescriptorLimit();
            _looksLeft = LooksPerLimit;
        }

        return fd >= 0 && fd >= _limit - Count;
    }

    /// <summary>Whether the next socket would get a descriptor that is not kept back.</summary>
    /// <param name="fd">Any open descriptor, which is duplicated for a moment.</param>
    public bool HasSpare(int fd)
    {
        var lowest = calls.Duplicate(fd);
        if (lowest < 0)
        {
            return false;
        }

        calls.Close(lowest);
        return !Includes(lowest);
    }
}
