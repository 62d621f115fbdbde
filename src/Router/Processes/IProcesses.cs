using Router.Loop;
using Router.Net;

namespace Router.Processes;

/// <summary>What a child process may use; 0 leaves a limit as it is. See getrlimit(2).</summary>
/// <param name="CpuSeconds">RLIMIT_CPU: past it the kernel sends SIGXCPU, a second later SIGKILL.</param>
/// <param name="MemoryBytes">RLIMIT_AS: address space; what goes beyond fails with ENOMEM.</param>
/// <param name="FileBytes">RLIMIT_FSIZE: the largest file it may write.</param>
/// <param name="OpenFiles">RLIMIT_NOFILE.</param>
internal sealed record ProcessLimits(long CpuSeconds = 0, long MemoryBytes = 0, long FileBytes = 0, int OpenFiles = 0);

/// <summary>A program and its surroundings. No shell looks at any of it.</summary>
/// <param name="Command">The program's absolute path, then its arguments.</param>
/// <param name="Directory">Where it starts, absolute.</param>
/// <param name="Environment">All of it, <c>NAME=value</c> each.</param>
/// <param name="Limits">What it may use.</param>
/// <param name="KeepsBoundaries">Whether its standard input and output carry messages (SOCK_SEQPACKET) instead of a
/// stream of bytes.</param>
internal sealed record ProcessStart(
    IReadOnlyList<string> Command,
    string Directory,
    IReadOnlyList<string> Environment,
    ProcessLimits Limits,
    bool KeepsBoundaries);

/// <summary>How a child ended.</summary>
/// <param name="Status">What it gave to exit(3), 0 to 255; -1 where a signal ended it, or where nobody knows.</param>
/// <param name="Signal">The signal that ended it, or 0.</param>
internal readonly record struct ProcessExit(int Status, int Signal)
{
    /// <summary>Whether it says of itself that all went well.</summary>
    public bool IsSuccess => Status == 0;
}

/// <summary>What a group of processes can be told.</summary>
internal enum ProcessSignal
{
    /// <summary>SIGKILL.</summary>
    Kill = 9,

    /// <summary>SIGTERM.</summary>
    Terminate = 15,
}

/// <summary>The seam to child processes. Errors are values: 0 or a negative errno.</summary>
internal interface IProcesses
{
    /// <summary>Null if children can be started here; else why not, a sentence for the operator.</summary>
    string? Fault { get; }

    /// <summary>Children that have been asked for and are not disposed of. Any thread.</summary>
    int Running { get; }

    /// <summary>
    /// Makes the channel at once, and has the program started beside the loop, which it would hold up for about a
    /// millisecond.
    /// </summary>
    /// <param name="start">What to start.</param>
    /// <param name="loop">The caller's: its thread alone uses the child.</param>
    /// <param name="receiver">Told once on that thread, after the call has returned, if it returns 0.</param>
    /// <param name="child">The caller's to dispose of, also where it turns out that it could not be started.</param>
    int Start(ProcessStart start, IoLoop loop, IProcessReceiver receiver, out ChildProcess? child);
}

/// <summary>Told what became of a start.</summary>
internal interface IProcessReceiver
{
    /// <param name="child">The one that was asked for.</param>
    /// <param name="result">0: it runs; else the negative errno of what failed: -ENOENT, -EACCES, -EAGAIN (too many
    /// processes)...</param>
    void OnStarted(ChildProcess child, int result);
}

/// <summary>A child process in a group of its own. Loop thread only.</summary>
/// <remarks>
/// It is not waited for before <see cref="Dispose"/>: until then its id, and that of its group, can be nobody else's,
/// so that a late signal meets no stranger.
/// </remarks>
internal abstract class ChildProcess : IDisposable
{
    /// <summary>Its process id, and its group's; 0 before it was started.</summary>
    public abstract int Id { get; }

    /// <summary>Our end of its standard input and output if that is a stream; else null. The caller's.</summary>
    public abstract StreamSocket? Stream { get; }

    /// <summary>The same where it keeps boundaries; <c>Receive</c> gives -EPIPE once nobody holds the other
    /// end.</summary>
    public abstract ConnectedDatagramSocket? Packets { get; }

    /// <summary>Turns readable, for good, when the process has ended; null before it was started.</summary>
    public abstract IoSocket? Ending { get; }

    /// <summary>What it writes to its standard error; null before it was started.</summary>
    public abstract ErrorOutput? Errors { get; }

    /// <summary>How it ended; null while it runs.</summary>
    public abstract ProcessExit? Exit { get; }

    /// <summary>Tells the whole group; one that is gone is no error.</summary>
    public abstract void Signal(ProcessSignal signal);

    /// <summary>Waits for a child that has ended, and closes everything but the channel. Never blocks.</summary>
    public abstract void Dispose();
}

/// <summary>The read end of a child's standard error.</summary>
internal abstract class ErrorOutput : IoSocket
{
    /// <inheritdoc/>
    public override SocketAddr LocalAddress => default;

    /// <returns>Bytes read; 0 once nobody can write any more; or a negative errno (-EAGAIN: nothing now).</returns>
    public abstract unsafe int Receive(byte* buffer, int capacity);
}

/// <summary>Where there are no child processes.</summary>
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
