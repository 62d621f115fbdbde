using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>struct iovec.</summary>
internal unsafe struct IoVector
{
    public byte* Base;
    public nuint Length;
}

/// <summary>struct mmsghdr of 64-bit Linux: a msghdr (56 bytes) and the bytes moved.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal unsafe struct MessageHeader
{
    [FieldOffset(0)] public SocketAddr* Name;
    [FieldOffset(8)] public uint NameLength;
    [FieldOffset(16)] public IoVector* Vectors;
    [FieldOffset(24)] public nuint VectorCount;
    [FieldOffset(32)] public byte* Control;
    [FieldOffset(40)] public nuint ControlLength;
    [FieldOffset(48)] public int Flags;
    [FieldOffset(56)] public uint Moved;
}

/// <summary>struct cmsghdr of 64-bit Linux; its data follow at once.</summary>
internal struct ControlHeader
{
    public nuint Length;
    public int Level;
    public int Type;
}

/// <summary>The C library's entry points, as they are. Nothing here may block: every socket is
/// non-blocking.</summary>
/// <remarks>
/// No SetLastError, which writes errno before each call and reads it after: whoever wants it reads it at once after
/// a call that failed. That holds for calls without strings only, whose marshalling ends with free(3).
/// No SuppressGCTransition: it gained nothing and made collections wait for the slowest call. Constants are those
/// of the generic Linux ABI, which x64 and arm64 share; <see cref="LinuxNetwork.IsSupported"/> lets no other in.
/// </remarks>
internal static unsafe partial class Libc
{
    public const int AfInet = 2, AfInet6 = 10;
    public const int SockStream = 1, SockDatagram = 2, SockNonBlock = 0x800, SockCloseOnExec = 0x80000;

    public const int SolSocket = 1, SolIp = 0, SolIpv6 = 41, SolTcp = 6, SolUdp = 17;
    public const int SoReuseAddress = 2, SoError = 4, SoSendBuffer = 7, SoReceiveBuffer = 8, SoKeepAlive = 9;
    public const int SoLinger = 13, SoReusePort = 15, SoMemInfo = 55, SoAttachReusePortFilter = 51;
    public const int IpPacketInfo = 8, IpReceiveErrors = 11, Ipv6ReceiveErrors = 25;
    public const int Ipv6Only = 26, Ipv6ReceivePacketInfo = 49, Ipv6PacketInfo = 50;
    public const int TcpNoDelay = 1, TcpKeepIdle = 4, TcpKeepInterval = 5, TcpKeepCount = 6;
    public const int TcpInfo = 11, TcpUserTimeout = 18;
    public const int UdpSegment = 103, UdpGro = 104;

    public const int MsgTruncated = 0x20, MsgDontWait = 0x40, MsgErrorQueue = 0x2000, MsgNoSignal = 0x4000;
    public const int ShutWrite = 1;

    public const int EpollCloseOnExec = 0x80000, EpollAdd = 1, EpollDelete = 2, EpollModify = 3;
    public const uint EpollIn = 1, EpollOut = 4, EpollErr = 8, EpollHup = 0x10, EpollEdge = 1u << 31;
    public const uint EpollExclusive = 1u << 28;

    public const int OpenNonBlock = 0x800, OpenCloseOnExec = 0x80000, SetPipeSize = 1031;
    public const uint SpliceMove = 1, SpliceNonBlock = 2;

    public const int EventFdNonBlock = 0x800, EventFdCloseOnExec = 0x80000;

    private const string Library = "libc";

    /// <summary>Numbers of system calls, which the two differ in.</summary>
    private static readonly nint SendTo = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 206 : 44;

    private static readonly nint ReceiveFrom = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 207 : 45;

    /// <summary>RLIMIT_NOFILE, see getrlimit(2).</summary>
    public const int LimitDescriptors = 7;

    [LibraryImport(Library, EntryPoint = "gettid")]
    public static partial int GetThreadId();

    [LibraryImport(Library, EntryPoint = "socket")]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport(Library, EntryPoint = "bind")]
    public static partial int Bind(int fd, SocketAddr* address, uint length);

    [LibraryImport(Library, EntryPoint = "connect")]
    public static partial int Connect(int fd, SocketAddr* address, uint length);

    [LibraryImport(Library, EntryPoint = "listen")]
    public static partial int Listen(int fd, int backlog);

    [LibraryImport(Library, EntryPoint = "accept4")]
    public static partial int Accept(int fd, SocketAddr* address, uint* length, int flags);

    [LibraryImport(Library, EntryPoint = "getsockname")]
    public static partial int GetSocketName(int fd, SocketAddr* address, uint* length);

    [LibraryImport(Library, EntryPoint = "setsockopt")]
    public static partial int SetOption(int fd, int level, int name, void* value, uint length);

    [LibraryImport(Library, EntryPoint = "getsockopt")]
    public static partial int GetOption(int fd, int level, int name, void* value, uint* length);

    /// <summary>recv(2), as a bare system call: the library's function is a point where a thread can be cancelled,
    /// and pays for that.</summary>
    public static nint Receive(int fd, byte* buffer, nuint length, int flags) =>
        SystemCall(ReceiveFrom, fd, buffer, length, flags, null, 0);

    /// <summary>send(2), likewise.</summary>
    public static nint Send(int fd, byte* payload, nuint length, int flags) =>
        SystemCall(SendTo, fd, payload, length, flags, null, 0);

    [LibraryImport(Library, EntryPoint = "recvmmsg")]
    public static partial int ReceiveMany(int fd, MessageHeader* headers, uint count, int flags, void* timeout);

    [LibraryImport(Library, EntryPoint = "sendmmsg")]
    public static partial int SendMany(int fd, MessageHeader* headers, uint count, int flags);

    [LibraryImport(Library, EntryPoint = "shutdown")]
    public static partial int Shutdown(int fd, int how);

    [LibraryImport(Library, EntryPoint = "dup")]
    public static partial int Duplicate(int fd);

    [LibraryImport(Library, EntryPoint = "getrlimit")]
    public static partial int GetLimit(int resource, ulong* currentAndMax);

    [LibraryImport(Library, EntryPoint = "close")]
    public static partial int Close(int fd);

    [LibraryImport(Library, EntryPoint = "epoll_create1")]
    public static partial int EpollCreate(int flags);

    [LibraryImport(Library, EntryPoint = "epoll_ctl")]
    public static partial int EpollControl(int poll, int operation, int fd, void* change);

    [LibraryImport(Library, EntryPoint = "epoll_wait")]
    public static partial int EpollWait(int poll, void* events, int count, int timeoutMs);

    [LibraryImport(Library, EntryPoint = "eventfd")]
    public static partial int EventFd(uint value, int flags);

    [LibraryImport(Library, EntryPoint = "pipe2")]
    public static partial int Pipe(int* ends, int flags);

    /// <summary>Variadic in C; on the systems here an int goes the same way.</summary>
    [LibraryImport(Library, EntryPoint = "fcntl")]
    public static partial int ControlFile(int fd, int operation, int value);

    [LibraryImport(Library, EntryPoint = "splice")]
    public static partial nint Splice(int from, long* fromOffset, int to, long* toOffset, nuint length, uint flags);

    /// <param name="clock">CLOCK_..., see clock_gettime(2).</param>
    /// <param name="time">Seconds and nanoseconds.</param>
    [LibraryImport(Library, EntryPoint = "clock_gettime")]
    public static partial int ReadClock(int clock, long* time);

    [LibraryImport(Library, EntryPoint = "read")]
    public static partial nint Read(int fd, byte* buffer, nuint length);

    [LibraryImport(Library, EntryPoint = "write")]
    public static partial nint Write(int fd, void* bytes, nuint length);

    /// <summary>Variadic in C; on the systems here words go the same way.</summary>
    [LibraryImport(Library, EntryPoint = "syscall")]
    private static partial nint SystemCall(
        nint number, nint fd, byte* bytes, nuint length, nint flags, void* address, nuint addressLength);
}
