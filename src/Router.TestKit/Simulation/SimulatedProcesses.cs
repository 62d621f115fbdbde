using Router.Loop;
using Router.Net;
using Router.Processes;

namespace Router.TestKit.Simulation;

/// <summary>Child processes of a <see cref="SimulatedNetwork"/>: programs are functions of the test.</summary>
internal sealed class SimulatedProcesses : IProcesses
{
    private const int FirstId = 1_000;

    private readonly SimulatedNetwork _network;
    private readonly Dictionary<string, Action<SimulatedChild>> _programs = new(StringComparer.Ordinal);
    private readonly List<SimulatedChild> _started = [];

    internal SimulatedProcesses(SimulatedNetwork network) => _network = network;

    /// <summary>Why no process can be run at all; null, as at first, if processes can be run.</summary>
    public string? Fault { get; set; }

    public int Running { get; internal set; }

    /// <summary>From the request to the program's first step.</summary>
    public TimeSpan StartDelay { get; set; }

    /// <summary>Everything that was started, oldest first, ended ones too.</summary>
    public IReadOnlyList<SimulatedChild> Started => _started;

    /// <summary>Makes a program known under its path. What is not known cannot be started: ENOENT.</summary>
    /// <param name="path">The first word of a command.</param>
    /// <param name="main">Given every child of it when it starts.</param>
    public void Install(string path, Action<SimulatedChild> main) => _programs[path] = main;

    int IProcesses.Start(ProcessStart start, IoLoop loop, IProcessReceiver receiver, out ChildProcess? child)
    {
        child = null;
        var error = _network.Faults.Next(NetworkOperation.ProcessChannel);
        _network.Trace("process", 0, -(int)error);
        if (error != Errno.Success)
        {
            return -(int)error;
        }

        Running++;
        var made = new SimulatedChildProcess(_network, start);
        child = made;
        _network.After(StartDelay, () => loop.Enqueue(new Launch(this, made, start, receiver)));
        return 0;
    }

    private void Run(SimulatedChildProcess process, ProcessStart start, IProcessReceiver receiver)
    {
        var error = _network.Faults.Next(NetworkOperation.ProcessStart);
        if (error == Errno.Success && !_programs.ContainsKey(start.Command[0]))
        {
            error = Errno.ENOENT;
        }

        _network.Trace("process-start", 0, -(int)error);
        if (error != Errno.Success)
        {
            process.Child.CloseAll();
            receiver.OnStarted(process, -(int)error);
            return;
        }

        process.Begin(FirstId + _started.Count);
        _started.Add(process.Child);
        receiver.OnStarted(process, 0);
        process.Child.Run(_programs[start.Command[0]]);
    }

    private sealed class Launch(
        SimulatedProcesses owner, SimulatedChildProcess process, ProcessStart start, IProcessReceiver receiver)
        : IRunnable
    {
        public void Run() => owner.Run(process, start, receiver);

        public void Execute() => Run();
    }
}

/// <summary>A simulated child process, whose program the test plays.</summary>
internal sealed class SimulatedChild
{
    private readonly SimulatedChildProcess _process;
    private readonly List<ProcessSignal> _signals = [];
    private readonly List<byte[]> _messages = [];
    private bool _isReading;

    internal SimulatedChild(SimulatedChildProcess process, ProcessStart start)
    {
        _process = process;
        Start = start;
    }

    /// <summary>What it was started with.</summary>
    public ProcessStart Start { get; }

    public int Id => _process.Id;

    /// <summary>Its standard input and output where that is a stream; else null.</summary>
    public TcpPeer? Stream { get; internal init; }

    /// <summary>Every message it has read, where its standard input keeps boundaries.</summary>
    public IReadOnlyList<byte[]> Messages => _messages;

    /// <summary>Runs on every message.</summary>
    public Action<SimulatedChild, byte[]>? OnMessage { get; set; }

    /// <summary>Off: messages wait, and beyond the channel's room they are refused.</summary>
    public bool IsReading
    {
        get => _isReading;
        set
        {
            _isReading = value;
            _process.PacketChannel?.ReadOn();
        }
    }

    /// <summary>Goes on after SIGTERM, and so do those it leaves behind.</summary>
    public bool IgnoresTerminate { get; set; }

    /// <summary>When it exits, another of its group keeps its descriptors until that is ended by a signal.</summary>
    public bool LeavesAnother { get; set; }

    /// <summary>What its group was told.</summary>
    public IReadOnlyList<ProcessSignal> Signals => _signals;

    public bool HasExited => _process.Exit is not null;

    /// <summary>It has been waited for, and nobody of its group is left.</summary>
    public bool IsGone => _process.IsDisposed && !HasAnother;

    internal bool HasAnother { get; private set; }

    /// <summary>Writes one message, where its standard output keeps boundaries.</summary>
    /// <returns>Whether there was room.</returns>
    public bool Write(ReadOnlySpan<byte> message) => _process.PacketChannel!.Arrive(message.ToArray());

    /// <summary>Writes to its standard error, if there is room in the pipe.</summary>
    public bool WriteError(ReadOnlySpan<byte> bytes) => _process.ErrorPipe!.Arrive(bytes.ToArray());

    /// <summary>It ends.</summary>
    public void Exit(int status) => End(new ProcessExit(status, 0));

    internal void OnSignal(ProcessSignal signal)
    {
        _signals.Add(signal);
        if (signal == ProcessSignal.Terminate && IgnoresTerminate)
        {
            return;
        }

        LeavesAnother &= HasExited;
        End(new ProcessExit(-1, (int)signal));
        if (HasAnother)
        {
            HasAnother = false;
            CloseAll();
        }
    }

    internal void Run(Action<SimulatedChild> main)
    {
        _isReading = true;
        main(this);
        _process.PacketChannel?.ReadOn();
    }

    internal bool Read(byte[] message)
    {
        if (!_isReading || HasExited)
        {
            return false;
        }

        _messages.Add(message);
        OnMessage?.Invoke(this, message);
        return true;
    }

    internal void CloseAll()
    {
        Stream?.Close();
        _process.PacketChannel?.End();
        _process.ErrorPipe?.End();
    }

    private void End(ProcessExit exit)
    {
        if (HasExited)
        {
            return;
        }

        _process.SetExit(exit);
        if (LeavesAnother)
        {
            HasAnother = true;
        }
        else
        {
            CloseAll();
        }
    }
}
