using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>The C library's entry points for the files of unix sockets, as they are.</summary>
internal static unsafe partial class LibcUnix
{
    public const int SoPassCredentials = 16, SoPeerCredentials = 17, ScmCredentials = 2;

    public const int SockSequentialPacket = 5;

    /// <summary>F_DUPFD_CLOEXEC.</summary>
    public const int ControlDuplicate = 1030;

    public const int OpenCreate = 0x40, OpenReadWrite = 2, OpenCloseOnExec = 0x80000, OpenPath = 0x200000;

    public const int LockExclusive = 2, LockNonBlock = 4;

    public const int AtCurrentDirectory = -100, AtSymlinkNoFollow = 0x100, AtEmptyPath = 0x1000;

    /// <summary>STATX_BASIC_STATS.</summary>
    public const uint StatBasic = 0x7ff;

    /// <summary>S_IFMT and S_IFSOCK.</summary>
    public const int ModeKind = 0xF000, ModeSocket = 0xC000;

    private const string Library = "libc";

    /// <summary>O_NOFOLLOW is one of the few numbers that differ.</summary>
    public static int OpenNoFollow =>
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(int fd, int command, nint argument);

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport(Library, EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(int fd, int operation);

    [LibraryImport(Library, EntryPoint = "fchmod", SetLastError = true)]
    public static partial int ChangeMode(int fd, uint mode);

    [LibraryImport(Library, EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeMode(string path, uint mode);

    [LibraryImport(Library, EntryPoint = "fchownat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeOwner(int directory, string path, int owner, int group, int flags);

    [LibraryImport(Library, EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Stat(int directory, string path, int flags, uint mask, FileFacts* facts);

    [LibraryImport(Library, EntryPoint = "getpwnam_r", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int FindUser(string name, byte* entry, byte* buffer, nuint length, void** found);

    [LibraryImport(Library, EntryPoint = "getgrnam_r", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int FindGroup(string name, byte* entry, byte* buffer, nuint length, void** found);
}

/// <summary>struct statx, as far as it is looked at.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct FileFacts
{
    [FieldOffset(28)] public ushort Mode;
    [FieldOffset(32)] public ulong Inode;
    [FieldOffset(136)] public ulong Device;   // major and minor

    public readonly bool IsSocket => (Mode & LibcUnix.ModeKind) == LibcUnix.ModeSocket;

    public readonly bool IsSameFile(in FileFacts other) => Inode == other.Inode && Device == other.Device;
}
