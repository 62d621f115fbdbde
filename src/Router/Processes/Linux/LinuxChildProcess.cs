using System.Runtime.InteropServices;
using Router.Loop;
using Router.Net;

namespace Router.Processes;

/// <summary>A child started by posix_spawn(3): in a session and group of its own, with signals as the system delivers
/// them to a fresh program, descriptors 0, 1 and 2, and no other.</summary>
/// <remarks>
/// The child is spawned on the thread pool, since the thread that spawns waits until the child has left our address
/// space (CLONE_VFORK), which a loop must not. The object then comes back to its loop as a runnable.
/// </remarks>
internal sealed unsafe class LinuxChildProcess : ChildProcess, IThreadPoolWorkItem, IRunnable
{
    private readonly LinuxProcesses _owner;
    private readonly LinuxCalls _calls;
    private readonly ProcessStart _start;
    private readonly ChildDescriptors _descriptors;
    private readonly IoLoop _loop;
    private readonly IProcessReceiver _receiver;
    private LinuxProcessHandle? _ending;
    private LinuxErrorOutput? _errors;
    private ProcessExit? _exit;
    private int _id;
    private int _result;
    private bool _wasReapedElsewhere;   // another process may have its id by now
    private bool _isAbandoned;          // it was started, and could not be watched
    private bool _disposed;

    public LinuxChildProcess(
        LinuxProcesses owner,
        LinuxCalls calls,
        ProcessStart start,
        ChildDescriptors descriptors,
        IoLoop loop,
        IProcessReceiver receiver)
    {
        _owner = owner;
        _calls = calls;
        _start = start;
        _descriptors = descriptors;
        _loop = loop;
        _receiver = receiver;
        Stream = start.KeepsBoundaries ? null : new LinuxStreamSocket(calls, descriptors.Channel, default, default);
        Packets = start.KeepsBoundaries ? new LinuxPacketSocket(calls, descriptors.Channel) : null;
    }

    public override int Id => _id;

    public override StreamSocket? Stream { get; }

    public override ConnectedDatagramSocket? Packets { get; }

    public override IoSocket? Ending => _ending;

    public override ErrorOutput? Errors => _errors;

    public override ProcessExit? Exit => _exit ??= _id > 0 ? Wait(LibcProcesses.WaitLeave) : null;

    public override void Signal(ProcessSignal signal)
    {
        if (_id > 0 && !_disposed && !_wasReapedElsewhere)
        {
            _ = LibcProcesses.Kill(-_id, (int)signal);
        }
    }

    public override void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (_id > 0)
        {
            Wait(0);
        }

        _ending?.Dispose();
        _errors?.Dispose();
        _owner.OnDisposed();
    }

    /// <summary>Spawns the child, on the thread pool.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        _result = Spawn(out var pid);
        if (_result == 0)
        {
            CloseChildEnds();
            SetLimits(pid);
            var handle = LinuxProcesses.Result((int)LibcProcesses.SystemCall(
                (nint)LibcProcesses.SystemCallPidfdOpen, pid, 0));
            if (handle < 0)
            {
                Abandon(pid);
                _result = handle;
                _isAbandoned = true;
            }
            else
            {
                _id = pid;
                _ending = new LinuxProcessHandle(_calls, handle);
            }
        }

        if (_result == 0)
        {
            _errors = new LinuxErrorOutput(_calls, _descriptors.Errors);
        }
        else
        {
            _calls.Close(_descriptors.Errors);
        }

        _loop.Enqueue(this);
    }

    /// <summary>Tells the receiver, on the loop. It closes the child's ends after that, so that the owner of a child
    /// that could not be started knows why before its channel ends.</summary>
    public void Run()
    {
        _receiver.OnStarted(this, _result);
        if (_result != 0 && !_isAbandoned)
        {
            CloseChildEnds();
        }
    }

    public void Execute() => Run();

    private static int Result(int error) => -error;

    private void CloseChildEnds()
    {
        _calls.Close(_descriptors.ChildChannel);
        _calls.Close(_descriptors.ChildErrors);
    }

    private int Spawn(out int pid)
    {
        pid = 0;
        var attributes = stackalloc byte[LibcProcesses.SpawnObjectBytes];
        var actions = stackalloc byte[LibcProcesses.SpawnObjectBytes];
        var error = LibcProcesses.InitAttributes(attributes);
        if (error != 0)
        {
            return Result(error);
        }

        error = LibcProcesses.InitActions(actions);
        if (error != 0)
        {
            _ = LibcProcesses.DestroyAttributes(attributes);
            return Result(error);
        }

        var arguments = Native(_start.Command);
        var environment = Native(_start.Environment);
        var directory = Marshal.StringToCoTaskMemUTF8(_start.Directory);
        try
        {
            error = Prepare(attributes, actions, (byte*)directory);
            if (error == 0)
            {
                fixed (nint* argv = arguments, envp = environment)
                fixed (int* id = &pid)
                {
                    error = LibcProcesses.Spawn(
                        id, (byte*)arguments[0], actions, attributes, (byte**)argv, (byte**)envp);
                }
            }
        }
        finally
        {
            Marshal.FreeCoTaskMem(directory);
            Free(arguments);
            Free(environment);
            _ = LibcProcesses.DestroyActions(actions);
            _ = LibcProcesses.DestroyAttributes(attributes);
        }

        return Result(error);
    }

    /// <summary>
    /// .NET ignores SIGPIPE, and what is ignored or blocked is inherited through exec(2): all signals are set back. A
    /// session of its own keeps the child from our terminal and from its signals.
    /// </summary>
    private int Prepare(void* attributes, void* actions, byte* directory)
    {
        var signals = stackalloc byte[LibcProcesses.SignalSetBytes];
        _ = LibcProcesses.FillSignals(signals);
        var error = LibcProcesses.SetSignalDefaults(attributes, signals);
        _ = LibcProcesses.EmptySignals(signals);
        error = error != 0 ? error : LibcProcesses.SetSignalMask(attributes, signals);
        error = error != 0 ? error : LibcProcesses.SetFlags(
            attributes,
            LibcProcesses.SpawnSignalDefaults | LibcProcesses.SpawnSignalMask | LibcProcesses.SpawnSession);

        error = error != 0 ? error : LibcProcesses.AddDirectory(actions, directory);
        error = error != 0 ? error : LibcProcesses.AddDuplicate(actions, _descriptors.ChildChannel, 0);
        error = error != 0 ? error : LibcProcesses.AddDuplicate(actions, _descriptors.ChildChannel, 1);
        error = error != 0 ? error : LibcProcesses.AddDuplicate(actions, _descriptors.ChildErrors, 2);

        // Ours close themselves on exec; those that the host process inherited or opened may not.
        return error != 0 ? error : LibcProcesses.AddCloseFrom(actions, LibcProcesses.StandardError + 1);
    }

    /// <summary>Sets the limits from outside, because posix_spawn cannot: the program has run for some microseconds
    /// without them. A limit that cannot be set is stricter already.</summary>
    private void SetLimits(int pid)
    {
        var limits = _start.Limits;
        Set(LibcProcesses.LimitCpu, limits.CpuSeconds);
        Set(LibcProcesses.LimitAddressSpace, limits.MemoryBytes);
        Set(LibcProcesses.LimitFileSize, limits.FileBytes);
        Set(LibcProcesses.LimitOpenFiles, limits.OpenFiles);
        Set(LibcProcesses.LimitUserProcesses, limits.UserProcesses);

        void Set(int resource, long limit)
        {
            if (limit > 0)
            {
                var both = stackalloc ulong[] { (ulong)limit, (ulong)limit };
                _ = LibcProcesses.SetLimit(pid, resource, both, null);
            }
        }
    }

    /// <summary>Ends a child that was started and cannot be watched. Waits for it, which on the pool harms
    /// nobody.</summary>
    private static void Abandon(int pid)
    {
        var info = stackalloc byte[LibcProcesses.SignalInfoBytes];
        _ = LibcProcesses.Kill(-pid, (int)ProcessSignal.Kill);
        while (LinuxProcesses.Result(LibcProcesses.Wait(
            LibcProcesses.WaitForProcess, pid, info, LibcProcesses.WaitExited)) == -(int)Errno.EINTR)
        {
        }
    }

    /// <summary>How the child ended; null while it runs. If another part of the process has reaped it, nobody knows
    /// how.</summary>
    private ProcessExit? Wait(int options)
    {
        var info = stackalloc byte[LibcProcesses.SignalInfoBytes];
        new Span<byte>(info, LibcProcesses.SignalInfoBytes).Clear();
        var result = LinuxProcesses.Result(LibcProcesses.Wait(
            LibcProcesses.WaitForProcess, _id, info,
            LibcProcesses.WaitExited | LibcProcesses.WaitNoHang | options));
        if (result < 0)
        {
            _wasReapedElsewhere = true;
            return new ProcessExit(-1, 0);
        }

        if (*(int*)info == 0)
        {
            return null;   // si_signo stays 0 while there is nothing to tell, see waitid(2)
        }

        var status = *(int*)(info + 24);
        return *(int*)(info + 8) == LibcProcesses.CodeExited
            ? new ProcessExit(status, 0)
            : new ProcessExit(-1, status);
    }

    /// <summary>The strings, and a null behind them.</summary>
    private static nint[] Native(IReadOnlyList<string> texts)
    {
        var native = new nint[texts.Count + 1];
        for (var i = 0; i < texts.Count; i++)
        {
            native[i] = Marshal.StringToCoTaskMemUTF8(texts[i]);
        }

        return native;
    }

    private static void Free(nint[] native) => Array.ForEach(native, Marshal.FreeCoTaskMem);
}
