namespace Router.Net;

/// <summary>
/// The last descriptors below the limit are not for sockets: the runtime opens files of its own (assemblies, name
/// resolution, /proc), and what fails there fails far from any socket.
/// </summary>
/// <remarks>Descriptors are given out lowest first (open(2)), so one that is high says how many are taken.</remarks>
internal static class DescriptorReserve
{
    /// <summary>Descriptors kept back.</summary>
    public const int Count = 24;

    /// <summary>Whether a new socket's descriptor is one of those kept back.</summary>
    /// <param name="fd">The descriptor, or a negative errno.</param>
    /// <param name="calls">Tells the limit, which may change while the process runs.</param>
    public static bool IsTouchedBy(int fd, LinuxCalls calls) => fd >= 0 && fd >= calls.DescriptorLimit() - Count;
}
