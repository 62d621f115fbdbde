using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Router.Net;

namespace Router.Configuration.Hocon;

/// <summary>Reads a file that somebody has named, and never waits: a pipe's writer may not come, and some files of the
/// kernel, such as /proc/kmsg, go on with the next event only.</summary>
internal static unsafe class RegularFile
{
    private const int ReadOnlyNonBlocking = 0x800;   // O_RDONLY | O_NONBLOCK, open(2)
    private const int ModeRegular = 0x8000;          // S_IFREG, inode(7)
    private const int WouldWait = 11;                // EAGAIN

    /// <returns>Null if it has more bytes than that.</returns>
    /// <exception cref="IOException">It cannot be read, or is no regular file.</exception>
    public static byte[]? Read(string path, long bytesMax)
    {
        if (IsSpecial(path))
        {
            throw NotRegular();
        }

        using var file = Open(path);
        return ReadAll(file, bytesMax);
    }

    internal static SafeFileHandle Open(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        }

        var fd = LibcUnix.Open(path, ReadOnlyNonBlocking | LibcUnix.OpenCloseOnExec, mode: 0);
        return fd >= 0
            ? new SafeFileHandle(fd, ownsHandle: true)
            : throw new IOException(Marshal.GetLastPInvokeErrorMessage());
    }

    internal static byte[]? ReadAll(SafeFileHandle file, long bytesMax)
    {
        using var content = new MemoryStream();
        var buffer = new byte[64 << 10];
        try
        {
            for (var n = RandomAccess.Read(file, buffer, 0); n > 0; n = RandomAccess.Read(file, buffer, content.Length))
            {
                content.Write(buffer, 0, n);
                if (content.Length > bytesMax)
                {
                    return null;
                }
            }
        }
        catch (Exception e) when (e is NotSupportedException || e.HResult == WouldWait)
        {
            // It has no places to read from, or holds nothing yet.
            throw NotRegular();
        }

        return content.ToArray();
    }

    private static IOException NotRegular() => new("it is no regular file");

    /// <summary>Told before it is opened: to open a device may do something.</summary>
    /// <returns>False also when the system cannot tell.</returns>
    private static bool IsSpecial(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            FileFacts facts;
            return LibcUnix.Stat(LibcUnix.AtCurrentDirectory, path, 0, LibcUnix.StatBasic, &facts) == 0
                && (facts.Mode & LibcUnix.ModeKind) != ModeRegular;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }
}
