using System.Runtime.InteropServices;

namespace Router.Processes;

/// <summary>The C library's entry points for child processes, as they are. See posix_spawn(3).</summary>
/// <remarks>The posix_spawn functions return the error number itself, the others -1 and errno.</remarks>
internal static unsafe partial class LibcProcesses
{
    /// <summary>Room for posix_spawnattr_t (336 bytes) and posix_spawn_file_actions_t (80) of any libc.</summary>
    public const int SpawnObjectBytes = 512;

    /// <summary>sigset_t.</summary>
    public const int SignalSetBytes = 128;

    /// <summary>siginfo_t; si_code is at 8, si_status of a child at 24.</summary>
    public const int SignalInfoBytes = 128;

    /// <summary>POSIX_SPAWN_SETSIGDEF, SETSIGMASK and SETSID.</summary>
    public const short SpawnSignalDefaults = 0x04, SpawnSignalMask = 0x08, SpawnSession = 0x80;

    public const int StandardError = 2;

    public const int AfUnix = 1;

    public const int PipeCloseOnExec = 0x80000, PipeNonBlock = 0x800;
    public const int ControlSetFlags = 4;   // F_SETFL

    /// <summary>P_PID, WNOHANG, WEXITED and WNOWAIT; CLD_EXITED.</summary>
    public const int WaitForProcess = 1, WaitNoHang = 1, WaitExited = 4, WaitLeave = 0x0100_0000, CodeExited = 1;

    /// <summary>RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_NOFILE and RLIMIT_AS.</summary>
    public const int LimitCpu = 0, LimitFileSize = 1, LimitUserProcesses = 6, LimitOpenFiles = 7, LimitAddressSpace = 9;

    /// <summary>pidfd_open(2); the C library has had a name for it only since 2.36.</summary>
    public const long SystemCallPidfdOpen = 434;

    public const string Library = "libc";

    [LibraryImport(Library, EntryPoint = "posix_spawn")]
    public static partial int Spawn(
        int* pid, byte* path, void* actions, void* attributes, byte** arguments, byte** environment);

    /// <summary>Returns only if it fails.</summary>
    [LibraryImport(Library, EntryPoint = "execve")]
    public static partial int Execute(byte* path, byte** arguments, byte** environment);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_init")]
    public static partial int InitAttributes(void* attributes);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_destroy")]
    public static partial int DestroyAttributes(void* attributes);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setflags")]
    public static partial int SetFlags(void* attributes, short flags);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setsigdefault")]
    public static partial int SetSignalDefaults(void* attributes, void* signals);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setsigmask")]
    public static partial int SetSignalMask(void* attributes, void* signals);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_init")]
    public static partial int InitActions(void* actions);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_destroy")]
    public static partial int DestroyActions(void* actions);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_adddup2")]
    public static partial int AddDuplicate(void* actions, int fd, int target);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_addchdir_np")]
    public static partial int AddDirectory(void* actions, byte* path);

    /// <summary>Since glibc 2.34.</summary>
    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_addclosefrom_np")]
    public static partial int AddCloseFrom(void* actions, int from);

    [LibraryImport(Library, EntryPoint = "sigfillset")]
    public static partial int FillSignals(void* signals);

    [LibraryImport(Library, EntryPoint = "sigemptyset")]
    public static partial int EmptySignals(void* signals);

    [LibraryImport(Library, EntryPoint = "socketpair", SetLastError = true)]
    public static partial int SocketPair(int family, int type, int protocol, int* pair);

    [LibraryImport(Library, EntryPoint = "pipe2", SetLastError = true)]
    public static partial int Pipe(int* pair, int flags);

    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int fd, byte* buffer, nuint length);

    [LibraryImport(Library, EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    [LibraryImport(Library, EntryPoint = "waitid", SetLastError = true)]
    public static partial int Wait(int kind, int id, void* info, int options);

    [LibraryImport(Library, EntryPoint = "prlimit", SetLastError = true)]
    public static partial int SetLimit(int pid, int resource, ulong* currentAndMax, void* former);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    public static partial nint SystemCall(nint number, nint first, nint second);
}
