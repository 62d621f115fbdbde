using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>struct pollfd, which all Unix systems have alike.</summary>
internal struct PollEntry
{
    /// <summary>Negative: passed over.</summary>
    public int Descriptor;

    /// <summary>POLLIN and POLLOUT, as asked for.</summary>
    public short Events;

    /// <summary>Those that were found, POLLERR, POLLHUP and POLLNVAL.</summary>
    public short Found;
}

/// <summary>Entry points of the C library that the portable network uses where the base library has nothing like
/// them.</summary>
internal static unsafe partial class LibcPortable
{
    public const short PollIn = 1, PollOut = 4;

    private const string Library = "libc";

    /// <summary>Whether <see cref="SendMessage"/> and what it is given are as declared here: on 64-bit Linux, whatever
    /// the processor.</summary>
    public static bool HasSendMessage =>
        OperatingSystem.IsLinux() && Environment.Is64BitProcess && BitConverter.IsLittleEndian;

    /// <summary>On any Unix system: nfds_t is as wide as a pointer, or narrower, in which case the rest is not looked
    /// at.</summary>
    [LibraryImport(Library, EntryPoint = "poll")]
    public static partial int Poll(PollEntry* entries, nuint count, int timeoutMs);

    /// <summary>The header begins with struct msghdr.</summary>
    [LibraryImport(Library, EntryPoint = "sendmsg")]
    public static partial nint SendMessage(int fd, MessageHeader* message, int flags);
}
