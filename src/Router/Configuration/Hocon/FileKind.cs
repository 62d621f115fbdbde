using System.Runtime.InteropServices;

namespace Router.Configuration.Hocon;

/// <summary>Tells a device, pipe or socket before it is opened: opening a pipe would wait for a writer.</summary>
internal static partial class FileKind
{
    private const int CurrentDirectory = -100;     // AT_FDCWD
    private const int WantType = 1;                // STATX_TYPE
    private const int ModeOffset = 28;             // struct statx: the same on every architecture, statx(2)
    private const int TypeMask = 0xF000;           // S_IFMT
    private const int RegularFile = 0x8000;        // S_IFREG

    /// <returns>False also when the system cannot tell; reading is bounded all the same.</returns>
    public static bool IsSpecial(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        Span<byte> status = stackalloc byte[256];
        try
        {
            return StatX(CurrentDirectory, path, 0, WantType, status) == 0
                && (BitConverter.ToUInt16(status[ModeOffset..]) & TypeMask) != RegularFile;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, Span<byte> status);
}
