using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>The system calls of the Linux network, each returning its value or the negative errno.</summary>
/// <remarks>
/// Virtual, so that a test can put a failure where the kernel would: one virtual call per batch of up to 64
/// datagrams is not measurable.
/// </remarks>
internal unsafe class LinuxCalls
{
    /// <summary>The kernel itself.</summary>
    public static LinuxCalls Kernel { get; } = new();

    public virtual int Socket(int family, int type, int protocol) => Result(Libc.Socket(family, type, protocol));

    public virtual int Bind(int fd, SocketAddr* address) => Result(Libc.Bind(fd, address, (uint)address->Length));

    public virtual int Connect(int fd, SocketAddr* address) => Result(Libc.Connect(fd, address, (uint)address->Length));

    /// <summary>The same for an address of any kind, as the kernel has it.</summary>
    public virtual int Bind(int fd, byte* address, int length) =>
        Result(Libc.Bind(fd, (SocketAddr*)address, (uint)length));

    public virtual int Connect(int fd, byte* address, int length) =>
        Result(Libc.Connect(fd, (SocketAddr*)address, (uint)length));

    public virtual int Listen(int fd, int backlog) => Result(Libc.Listen(fd, backlog));

    /// <summary>The new descriptor is non-blocking and closed on exec.</summary>
    public virtual int Accept(int fd, SocketAddr* peer)
    {
        var length = (uint)sizeof(SocketAddr);
        return Result(Libc.Accept(fd, peer, &length, Libc.SockNonBlock | Libc.SockCloseOnExec));
    }

    /// <param name="fd">The listening socket.</param>
    /// <param name="peer">Room for the peer's address.</param>
    /// <param name="length">Of the room; then of the address.</param>
    public virtual int Accept(int fd, byte* peer, uint* length) => Result(Libc.Accept(
        fd, (SocketAddr*)peer, length, Libc.SockNonBlock | Libc.SockCloseOnExec));

    public virtual int SetOption(int fd, int level, int name, void* value, uint length) =>
        Result(Libc.SetOption(fd, level, name, value, length));

    public virtual int GetOption(int fd, int level, int name, void* value, uint* length) =>
        Result(Libc.GetOption(fd, level, name, value, length));

    public virtual int Receive(int fd, byte* buffer, int length, int flags) =>
        Result((int)Libc.Receive(fd, buffer, (nuint)length, flags));

    public virtual int Send(int fd, byte* payload, int length, int flags) =>
        Result((int)Libc.Send(fd, payload, (nuint)length, flags));

    public virtual int ReceiveMany(int fd, MessageHeader* headers, int count, int flags) =>
        Result(Libc.ReceiveMany(fd, headers, (uint)count, flags, null));

    public virtual int SendMany(int fd, MessageHeader* headers, int count, int flags) =>
        Result(Libc.SendMany(fd, headers, (uint)count, flags));

    /// <summary>The same without waiting, and again where a signal came between (EINTR).</summary>
    public int ReceiveNow(int fd, byte* buffer, int length, int flags)
    {
        int result;
        do
        {
            result = Receive(fd, buffer, length, Libc.MsgDontWait | flags);
        }
        while (result == -(int)Errno.EINTR);
        return result;
    }

    /// <inheritdoc cref="ReceiveNow"/>
    public int SendNow(int fd, byte* payload, int length)
    {
        int result;
        do
        {
            result = Send(fd, payload, length, Libc.MsgDontWait | Libc.MsgNoSignal);
        }
        while (result == -(int)Errno.EINTR);
        return result;
    }

    /// <inheritdoc cref="ReceiveNow"/>
    public int ReceiveManyNow(int fd, MessageHeader* headers, int count, int flags)
    {
        int result;
        do
        {
            result = ReceiveMany(fd, headers, count, Libc.MsgDontWait | flags);
        }
        while (result == -(int)Errno.EINTR);
        return result;
    }

    /// <inheritdoc cref="ReceiveNow"/>
    public int SendManyNow(int fd, MessageHeader* headers, int count)
    {
        int result;
        do
        {
            result = SendMany(fd, headers, count, Libc.MsgDontWait | Libc.MsgNoSignal);
        }
        while (result == -(int)Errno.EINTR);
        return result;
    }

    public virtual int EpollCreate() => Result(Libc.EpollCreate(Libc.EpollCloseOnExec));

    public virtual int EventFd() => Result(Libc.EventFd(0, Libc.EventFdNonBlock | Libc.EventFdCloseOnExec));

    public virtual int EpollWait(int poll, void* events, int count, int timeoutMs) =>
        Result(Libc.EpollWait(poll, events, count, timeoutMs));

    public virtual int EpollControl(int poll, int operation, int fd, void* change) =>
        Result(Libc.EpollControl(poll, operation, fd, change));

    /// <summary>The reading end and the writing end, non-blocking and closed on exec.</summary>
    public virtual int Pipe(int* ends) => Result(Libc.Pipe(ends, Libc.OpenNonBlock | Libc.OpenCloseOnExec));

    /// <summary>F_SETPIPE_SZ, see fcntl(2); the size granted.</summary>
    public virtual int SetPipeSize(int fd, int bytes) => Result(Libc.ControlFile(fd, Libc.SetPipeSize, bytes));

    public virtual int Splice(int from, int to, int length, uint flags) =>
        Result((int)Libc.Splice(from, null, to, null, (nuint)length, flags));

    public virtual int Read(int fd, byte* buffer, int length) => Result((int)Libc.Read(fd, buffer, (nuint)length));

    /// <summary>A second descriptor of the same file, the lowest that is free; see dup(2).</summary>
    public virtual int Duplicate(int fd) => Result(Libc.Duplicate(fd));

    /// <summary>Descriptors the process may have; changes while it runs, see prlimit(2).</summary>
    public virtual int DescriptorLimit()
    {
        var limits = stackalloc ulong[2];
        return Libc.GetLimit(Libc.LimitDescriptors, limits) < 0 ? int.MaxValue : (int)Math.Min(limits[0], int.MaxValue);
    }

    /// <summary>Closes once: after EINTR the descriptor is gone as well, see close(2).</summary>
    public virtual void Close(int fd) => _ = Libc.Close(fd);

    public int SetOption(int fd, int level, int name, int value) => SetOption(fd, level, name, &value, sizeof(int));

    /// <summary>An integer option's value, or a negative errno.</summary>
    public int GetOption(int fd, int level, int name)
    {
        var value = 0;
        var length = (uint)sizeof(int);
        var result = GetOption(fd, level, name, &value, &length);
        return result < 0 ? result : value;
    }

    /// <summary>Whether a socket for IPv6 takes IPv4 as well (IPV6_V6ONLY): on a wildcard, if that is asked
    /// for.</summary>
    public int SetFamily(int fd, in SocketAddr local, bool dualStack) => local.Family == SocketAddr.FamilyIPv6
        ? SetOption(fd, Libc.SolIpv6, Libc.Ipv6Only, dualStack && local.IsWildcard ? 0 : 1)
        : 0;

    /// <summary>Binds; the first of a group alone, so that another process on the port is refused, see
    /// socket(7).</summary>
    public int BindInGroup(int fd, in SocketAddr local, bool makeGroup, bool joinGroup)
    {
        var address = local;
        var result = joinGroup ? SetOption(fd, Libc.SolSocket, Libc.SoReusePort, 1) : 0;
        result = result < 0 ? result : Bind(fd, &address);
        return result < 0 || !makeGroup ? result : SetOption(fd, Libc.SolSocket, Libc.SoReusePort, 1);
    }

    /// <summary>Sets when a TCP connection is given up, or those that a listening socket accepts, see tcp(7). An option
    /// that the kernel refuses is left as it is.</summary>
    public void SetKeepAlive(int fd, KeepAliveOptions options)
    {
        SetOption(fd, Libc.SolSocket, Libc.SoKeepAlive, options.IdleSeconds > 0 ? 1 : 0);
        if (options.IdleSeconds > 0)
        {
            SetOption(fd, Libc.SolTcp, Libc.TcpKeepIdle, options.IdleSeconds);
            SetOption(fd, Libc.SolTcp, Libc.TcpKeepInterval, options.IntervalSeconds);
            SetOption(fd, Libc.SolTcp, Libc.TcpKeepCount, options.Count);
        }

        SetOption(fd, Libc.SolTcp, Libc.TcpUserTimeout, options.UserTimeoutMs);
    }

    /// <summary>Takes the error that a socket holds (SO_ERROR).</summary>
    /// <returns>0 if it holds none, else the negative errno.</returns>
    public int TakeError(int fd)
    {
        var result = GetOption(fd, Libc.SolSocket, Libc.SoError);
        return result > 0 ? -result : result;
    }

    /// <summary>What the kernel has dropped at a socket since <paramref name="seen"/> was the sum of its
    /// drops.</summary>
    public long NewDropsAt(int fd, ref uint seen)
    {
        var drops = DropsAt(fd);
        if (drops < 0)
        {
            return 0;
        }

        var added = (uint)drops - seen;
        seen = (uint)drops;
        return added;
    }

    /// <summary>Asks for a receive buffer; the kernel caps it at rmem_max without an error. 0 leaves it as it
    /// is.</summary>
    public void SetReceiveBuffer(int fd, int bytes)
    {
        if (bytes > 0)
        {
            _ = SetOption(fd, Libc.SolSocket, Libc.SoReceiveBuffer, bytes);
        }
    }

    /// <summary>What the kernel has dropped at a socket since it was made (SO_MEMINFO): 32 bits, which wrap around; -1
    /// where the kernel does not tell.</summary>
    public long DropsAt(int fd)
    {
        const int Words = 9, Drops = 8;
        var words = stackalloc uint[Words];
        var length = (uint)(Words * sizeof(uint));
        var result = GetOption(fd, Libc.SolSocket, Libc.SoMemInfo, words, &length);
        return result < 0 || length < Words * sizeof(uint) ? -1 : words[Drops];
    }

    /// <summary>Closes a descriptor if the call that prepared it has failed.</summary>
    /// <returns>The call's result.</returns>
    public int CloseIfFailed(int fd, int result)
    {
        if (result < 0)
        {
            Close(fd);
        }

        return result;
    }

    public SocketAddr LocalAddress(int fd)
    {
        var address = default(SocketAddr);
        var length = (uint)sizeof(SocketAddr);
        return Libc.GetSocketName(fd, &address, &length) < 0 ? default : address;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Result(int result) => result < 0 ? -Marshal.GetLastSystemError() : result;
}
