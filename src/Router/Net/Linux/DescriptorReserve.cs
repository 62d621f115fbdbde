namespace Router.Net;

/// <summary>
/// The last descriptors below the limit are not for sockets: the runtime opens files of its own (assemblies, name
/// resolution, /proc), and what fails there fails far from any socket.
/// </summary>
/// <remarks>
/// Descriptors are given out lowest first (open(2)), so one that is high says how many are taken. The limit may change
/// while the process runs (prlimit(2)): it is asked for again after fewer descriptors than are kept back. Any thread:
/// two that race ask once more or once less.
/// </remarks>
/// <param name="calls">Tells the limit.</param>
internal sealed class DescriptorReserve(LinuxCalls calls)
{
    /// <summary>Descriptors kept back.</summary>
    public const int Count = 24;

    /// <summary>Descriptors looked at for one look at the limit.</summary>
    private const int LooksPerLimit = 8;

    private int _limit;
    private int _looksLeft;

    /// <summary>Whether a new descriptor is one of those kept back.</summary>
    /// <param name="fd">The descriptor, or a negative errno.</param>
    public bool IsTouchedBy(int fd)
    {
        if (--_looksLeft < 0)
        {
            _limit = calls.DescriptorLimit();
            _looksLeft = LooksPerLimit;
        }

        return fd >= 0 && fd >= _limit - Count;
    }

    /// <summary>Whether the lowest free descriptor, which the next socket would get, is none of those kept back.
    /// </summary>
    /// <param name="fd">Any open descriptor: it is duplicated for a moment.</param>
    public bool HasSpare(int fd)
    {
        var lowest = calls.Duplicate(fd);
        if (lowest < 0)
        {
            return false;
        }

        calls.Close(lowest);
        return !IsTouchedBy(lowest);
    }
}
