using Router.Loop;
using Router.Net;

namespace Router.Processes;

/// <summary>What a child process may use; 0 leaves a limit as it is. See getrlimit(2).</summary>
/// <param name="CpuSeconds">RLIMIT_CPU: past it the kernel sends SIGXCPU, a second later SIGKILL.</param>
/// <param name="MemoryBytes">RLIMIT_AS: address space; what goes beyond fails with ENOMEM.</param>
/// <param name="FileBytes">RLIMIT_FSIZE: the largest file it may write.</param>
/// <param name="OpenFiles">RLIMIT_NOFILE.</param>
/// <param name="UserProcesses">RLIMIT_NPROC: processes and threads of its user, whoever started them.</param>
internal sealed record ProcessLimits(
    long CpuSeconds = 0, long MemoryBytes = 0, long FileBytes = 0, int OpenFiles = 0, int UserProcesses = 0);

/// <summary>A program to start, and what it starts with. No shell interprets any of it.</summary>
/// <param name="Command">The program's absolute path, then its arguments.</param>
/// <param name="Directory">The working directory, an absolute path.</param>
/// <param name="Environment">The whole environment, each entry <c>NAME=value</c>.</param>
/// <param name="Limits">What the program may use.</param>
/// <param name="KeepsBoundaries">Whether its standard input and output carry messages (SOCK_SEQPACKET) instead of a
/// stream of bytes.</param>
internal sealed record ProcessStart(
    IReadOnlyList<string> Command,
    string Directory,
    IReadOnlyList<string> Environment,
    ProcessLimits Limits,
    bool KeepsBoundaries);

/// <summary>How a child ended.</summary>
/// <param name="Status">What it gave to exit(3), 0 to 255; -1 where a signal ended it or its status is unknown.</param>
/// <param name="Signal">The signal that ended it, or 0.</param>
internal readonly record struct ProcessExit(int Status, int Signal)
{
    public bool IsSuccess => Status == 0;
}

/// <summary>Signals for a child's process group, as Linux numbers them.</summary>
internal enum ProcessSignal
{
    Kill = 9,
    Terminate = 15,
}

/// <summary>The seam to child processes. Errors are values: 0 or a negative errno.</summary>
internal interface IProcesses
{
    /// <summary>Null if children can be started here; else a sentence for the operator that says why not.</summary>
    string? Fault { get; }

    /// <summary>Children that have been asked for and are not disposed of. Any thread.</summary>
    int Running { get; }

    /// <summary>Makes the channel at once, and has the program started on another thread, because that takes about a
    /// millisecond.</summary>
    /// <param name="start">The program to start.</param>
    /// <param name="loop">The caller's loop, whose thread alone uses the child.</param>
    /// <param name="receiver">Told once on that thread, after the call has returned, if it returns 0.</param>
    /// <param name="child">The caller disposes of it, even if the program turns out not to start.</param>
    int Start(ProcessStart start, IoLoop loop, IProcessReceiver receiver, out ChildProcess? child);
}

internal interface IProcessReceiver
{
    /// <summary>Called on the loop's thread when a child runs, or could not be started.</summary>
    /// <param name="child">The child that was asked for.</param>
    /// <param name="result">0 if it runs; else the negative errno of what failed: -ENOENT, -EACCES, -EAGAIN (too many
    /// processes)...</param>
    void OnStarted(ChildProcess child, int result);
}

/// <summary>A child process in a group of its own. Loop thread only.</summary>
/// <remarks>
/// The child is not waited for before <see cref="Dispose"/>. Until then no other process can get its id or its group's,
/// so a late signal reaches nobody else.
/// </remarks>
internal abstract class ChildProcess : IDisposable
{
    /// <summary>The id of the process and of its group; 0 before it was started.</summary>
    public abstract int Id { get; }

    /// <summary>Our end of the child's standard input and output if that is a stream; else null. The caller closes
    /// it.</summary>
    public abstract StreamSocket? Stream { get; }

    /// <summary>Our end of the child's standard input and output if that keeps boundaries; else null. Its
    /// <c>Receive</c> returns -EPIPE once nobody holds the other end. The caller closes it.</summary>
    public abstract ConnectedDatagramSocket? Packets { get; }

    /// <summary>Becomes readable, for good, when the process has ended; null before it was started.</summary>
    public abstract IoSocket? Ending { get; }

    /// <summary>The child's standard error; null before it was started.</summary>
    public abstract ErrorOutput? Errors { get; }

    /// <summary>How the child ended; null while it runs.</summary>
    public abstract ProcessExit? Exit { get; }

    /// <summary>Sends a signal to the whole group. A group that is gone is no error.</summary>
    public abstract void Signal(ProcessSignal signal);

    /// <summary>Reaps a child that has ended, and closes everything but the channel. Never blocks.</summary>
    public abstract void Dispose();
}

/// <summary>The read end of the pipe that is a child's standard error.</summary>
internal abstract class ErrorOutput(int descriptor = -1) : IoSocket(descriptor)
{
    public override SocketAddr LocalAddress => default;

    /// <returns>Bytes read; 0 once nobody can write any more; or a negative errno (-EAGAIN: nothing now).</returns>
    public abstract unsafe int Receive(byte* buffer, int capacity);
}

/// <summary>Starts no child processes, and says why.</summary>
internal sealed class NoProcesses(string fault) : IProcesses
{
    public string? Fault => fault;

    public int Running => 0;

    public int Start(ProcessStart start, IoLoop loop, IProcessReceiver receiver, out ChildProcess? child)
    {
        child = null;
        return -(int)Errno.EOPNOTSUPP;
    }
}
