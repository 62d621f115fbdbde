using System.Runtime.InteropServices;
using Router.Loop;
using Router.Net;

namespace Router.Processes;

/// <summary>Child processes by posix_spawn(3), watched by pidfd_open(2).</summary>
/// <remarks>
/// The runtime reaps the children of <c>Process</c> only, unless SIGCHLD was ignored when it started: then the kernel
/// or the runtime may reap ours first, and how they ended is not known.
/// </remarks>
internal sealed unsafe class LinuxProcesses(LinuxCalls calls, DescriptorReserve reserve) : IProcesses
{
    private int _running;

    /// <summary>Whether the C library can close a child's descriptors from the third on.</summary>
    public static bool IsSupported { get; } =
        NativeLibrary.TryLoad(LibcProcesses.Library, typeof(LinuxProcesses).Assembly, null, out var library)
        && NativeLibrary.TryGetExport(library, "posix_spawn_file_actions_addclosefrom_np", out _);

    public string? Fault => null;

    public int Running => Volatile.Read(ref _running);

    public int Start(ProcessStart start, IoLoop loop, IProcessReceiver receiver, out ChildProcess? child)
    {
        child = null;
        var channel = stackalloc int[2];
        var type = start.KeepsBoundaries ? LibcUnix.SockSequentialPacket : Libc.SockStream;
        var result = Result(LibcProcesses.SocketPair(
            LibcProcesses.AfUnix, type | Libc.SockCloseOnExec, 0, channel));
        if (result < 0)
        {
            return result;
        }

        var errors = stackalloc int[2];
        result = Result(LibcProcesses.Pipe(errors, LibcProcesses.PipeCloseOnExec));
        if (result < 0)
        {
            Close(channel);
            return result;
        }

        if (reserve.Includes(Math.Max(errors[0], errors[1])))
        {
            Close(channel);
            Close(errors);
            return -(int)Errno.EMFILE;
        }

        // Of a pipe each end has flags of its own: the child's stays blocking, as programs expect.
        _ = LibcUnix.Control(errors[0], LibcProcesses.ControlSetFlags, LibcProcesses.PipeNonBlock);
        Interlocked.Increment(ref _running);
        var made = new LinuxChildProcess(
            this, calls, start,
            new ChildDescriptors(
                channel[0], MoveAboveStandardError(channel[1]), errors[0], MoveAboveStandardError(errors[1])),
            loop, receiver);
        child = made;
        ThreadPool.UnsafeQueueUserWorkItem(made, preferLocal: false);
        return 0;
    }

    internal static int Result(int result) => result < 0 ? -Marshal.GetLastPInvokeError() : result;

    internal void OnDisposed() => Interlocked.Decrement(ref _running);

    /// <summary>Moves a descriptor above those of standard input, output and error, where duplicating it to one of them
    /// would close it. Such low numbers are free if the router was started without those files.</summary>
    private int MoveAboveStandardError(int fd)
    {
        if (fd > LibcProcesses.StandardError)
        {
            return fd;
        }

        var moved = LibcUnix.Control(fd, LibcUnix.ControlDuplicate, LibcProcesses.StandardError + 1);
        calls.Close(fd);
        return moved;
    }

    private void Close(int* pair)
    {
        calls.Close(pair[0]);
        calls.Close(pair[1]);
    }
}

/// <summary>Both ends of a child's channel and of its standard error.</summary>
internal readonly record struct ChildDescriptors(int Channel, int ChildChannel, int Errors, int ChildErrors);

/// <summary>A child's pidfd: readable for good once the child has ended.</summary>
internal sealed class LinuxProcessHandle(LinuxCalls calls, int fd) : IoSocket(fd)
{

    public override SocketAddr LocalAddress => default;

    protected override void Close() => calls.Close(Descriptor);
}

internal sealed unsafe class LinuxErrorOutput(LinuxCalls calls, int fd) : ErrorOutput(fd)
{

    public override int Receive(byte* buffer, int capacity)
    {
        int result;
        do
        {
            result = LinuxProcesses.Result((int)LibcProcesses.Read(Descriptor, buffer, (nuint)capacity));
        }
        while (result == -(int)Errno.EINTR);
        return result;
    }

    protected override void Close() => calls.Close(Descriptor);
}
