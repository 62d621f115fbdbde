using System.Runtime.InteropServices;

namespace Router.Tests.Functional;

/// <summary>System calls that the tests need and the base library does not offer.</summary>
internal static partial class TestLibc
{
    public const int CloneNewNet = 0x4000_0000;
    public const int SigHup = 1;
    public const int SigInt = 2;
    public const int SigKill = 9;
    public const int SigUsr1 = 10;
    public const int SigUsr2 = 12;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;
    public const int ResourceFileSize = 1;      // RLIMIT_FSIZE
    public const int ResourceDescriptors = 7;   // RLIMIT_NOFILE

    /// <summary>Moves the calling thread, and what it starts from then on, into new namespaces.</summary>
    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    public static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    /// <summary>Sets another process's limit; <paramref name="old"/> is what it was.</summary>
    [LibraryImport("libc", EntryPoint = "prlimit64", SetLastError = true)]
    public static partial int SetLimit(int pid, int resource, in Limit limit, out Limit old);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int SetInterface(nint socket, nuint request, ref InterfaceRequest interfaceRequest);

    [StructLayout(LayoutKind.Sequential)]
    public struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }

    /// <summary>struct ifreq, with the flags of the interface "lo".</summary>
    [StructLayout(LayoutKind.Explicit, Size = 40)]
    public struct InterfaceRequest
    {
        [FieldOffset(0)]
        public ulong Name;   // up to 16 bytes; "lo" needs two

        [FieldOffset(16)]
        public short Flags;
    }
}
