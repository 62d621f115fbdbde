using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Router.Net;

namespace Router.Loop;

internal interface IEndOfPass
{
    /// <summary>Called at the end of a loop's pass, after the run queue, to send what was queued and to take back what
    /// was lent.</summary>
    void OnEndOfPass();
}

/// <summary>What a loop may do in one pass.</summary>
/// <param name="RunsPerPass">Runnables run between two polls, so that an actor that tells itself cannot starve the
/// sockets.</param>
/// <param name="TimersPerPass">Deadlines fired in one pass: as many as a batch has datagrams, so that a million
/// sessions that expire at once take turns with the live ones.</param>
/// <param name="ReadBufferBytes">The size of the one read buffer that all streams of the loop share.</param>
/// <param name="Pipes">The most pipes at once, each for one direction between two streams; 0 for none.</param>
/// <param name="PipeBytes">The size of a pipe, or as much of it as the system allows.</param>
/// <param name="PipeBudget">The most bytes of all pipes together, see <see cref="PipePool"/>.</param>
/// <param name="StopMs">How long <see cref="IoLoop.Stop"/> waits for the thread to finish its turn,
/// milliseconds.</param>
internal sealed record IoLoopOptions(
    int RunsPerPass = 4096,
    int TimersPerPass = 64,
    int ReadBufferBytes = 256 * 1024,
    int Pipes = 0,
    int PipeBytes = 1024 * 1024,
    long PipeBudget = long.MaxValue,
    int StopMs = 2_000);

/// <summary>
/// One I/O thread: polls sockets, runs the mailboxes they woke, flushes replies, turns the timer wheel, and again.
/// </summary>
/// <remarks>
/// <see cref="Enqueue"/>, <see cref="Start"/> and <see cref="Stop"/> may be called on other threads, everything else on
/// the loop's thread only. Tests do not start the thread: they drive the loop by <see cref="RunOnce"/>.
/// </remarks>
internal sealed class IoLoop : ISocketLoop, IDisposable
{
    [ThreadStatic]
    private static IoLoop? _current;

    private readonly IPoller _poller;
    private readonly TimeProvider _time;
    private readonly IoLoopOptions _options;
    private readonly TimerWheel _timers;
    private readonly long _started;
    private readonly long _sleepMin;   // a wait that is shorter was no sleep: two switches of threads take longer
    private readonly ConcurrentQueue<IRunnable> _fromOtherThreads = new();
    private readonly List<IEndOfPass> _endOfPass = [];
    private IRunnable?[] _runs = new IRunnable?[256];   // ring; grows to the number of cells that are ready at once
    private int _runsHead;
    private int _runsCount;
    private int _sleeping;
    private long _now;           // as read last, in ticks of the clock
    private long _busy;          // ticks of all passes that have ended
    private long _passBegan;     // ticks; 0 while the loop waits
    private long _waitBegan;
    private volatile bool _stopping;
    private bool _disposed;
    private Thread? _thread;

    public IoLoop(int index, INetwork network, TimeProvider time, IoLoopOptions options)
    {
        Index = index;
        Network = network;
        _time = time;
        _options = options;
        _poller = network.CreatePoller();
        _started = time.GetTimestamp();
        _sleepMin = time.TimestampFrequency / 200_000;   // 5 us
        Turns = new TurnSamples(time);
        _timers = new TimerWheel(0);
        Pipes = new PipePool(network, options.Pipes, options.PipeBytes, options.PipeBudget);
        unsafe
        {
            ReadBuffer = (byte*)NativeMemory.AlignedAlloc((nuint)options.ReadBufferBytes, 4096);
        }
    }

    public int Index { get; }

    public INetwork Network { get; }

    /// <summary>Milliseconds since the loop was made. Read once per pass, so up to one pass old.</summary>
    public long NowMs { get; private set; }

    /// <summary>The read buffer that all streams of this loop share. Its content is valid within one turn.</summary>
    public unsafe byte* ReadBuffer { get; }

    public int ReadBufferBytes => _options.ReadBufferBytes;

    /// <summary>Rents buffers for what must be kept beyond a turn.</summary>
    public BufferPool Buffers { get; } = new();

    public PipePool Pipes { get; }

    internal TimeProvider Time => _time;

    /// <summary>Turns of sessions that were timed.</summary>
    public TurnSamples Turns { get; }

    /// <summary>Time in passes since the loop was made, the present one included; a pass without a sleep before it has
    /// begun where the one before ended. Any thread; between two readings it may seem to go back.</summary>
    public TimeSpan Busy
    {
        get
        {
            var busy = Volatile.Read(ref _busy);
            var began = Volatile.Read(ref _passBegan);
            return _time.GetElapsedTime(0, busy + (began == 0 ? 0 : _time.GetTimestamp() - began));
        }
    }

    /// <summary>The loop of the calling thread; null if it has none.</summary>
    public static IoLoop? Current => _current;

    public bool IsCurrent => ReferenceEquals(_current, this);

    public int ArmedTimers => _timers.Count;

    /// <summary>The number of sockets that are watched.</summary>
    public int Sockets { get; private set; }

    /// <summary>Called on the loop's thread with an exception that a receiver, a timer or a runnable has thrown, which
    /// is a defect of ours. The loop goes on.</summary>
    public Action<Exception>? OnFault { get; set; }

    public bool IsStarted => _thread is not null;

    /// <summary>Whose turn the thread runs; null between turns, and in turns that do not say so. Written by the loop's
    /// thread, for <c>LoopWatch</c> to read while that does not move.</summary>
    public object? Holder { get; private set; }

    /// <summary>The thread's number in the system; 0 where that is not known, or the thread has not begun. Any thread.
    /// </summary>
    public int ThreadId { get; private set; }

    public void Start()
    {
        Check.That(_thread is null && !_stopping);
        _thread = new Thread(RunThread) { IsBackground = true, Name = $"router-loop-{Index}" };
        _thread.Start();
    }

    /// <summary>Asks the thread to end after its pass and waits for it. Any thread but the loop's own; twice is
    /// allowed.</summary>
    /// <returns>False if it has not ended in <see cref="IoLoopOptions.StopMs"/>.</returns>
    public bool Stop()
    {
        _stopping = true;
        _poller.Wake();
        if (_thread?.Join(_options.StopMs) == false)
        {
            return false;
        }

        _thread = null;
        return true;
    }

    /// <summary>Watches a socket, which belongs to this loop from now on.</summary>
    /// <returns>0 or a negative errno.</returns>
    public int Register(IoSocket socket, IIoReceiver receiver, IoReadiness interest)
    {
        Check.That(socket.Loop is null);
        socket.Receiver = receiver;
        socket.Interest = interest;
        var result = _poller.Add(socket, interest);
        if (result < 0)
        {
            socket.Receiver = null;
            return result;
        }

        socket.Loop = this;
        Sockets++;
        return 0;
    }

    public void SetInterest(IoSocket socket, IoReadiness interest)
    {
        if (socket.Interest == interest || socket.Loop is null)
        {
            return;
        }

        socket.Interest = interest;
        _poller.Modify(socket, interest);
    }

    void ISocketLoop.Unregister(IoSocket socket)
    {
        if (socket.Loop is not null)
        {
            _poller.Forget(socket);
            OnUnregistered(socket);
        }
    }

    /// <summary>Stops watching a socket that stays open and may be registered again.</summary>
    internal void TakeOff(IoSocket socket)
    {
        if (socket.Loop is not null)
        {
            _poller.Remove(socket);
            OnUnregistered(socket);
        }
    }

    /// <summary>Has <paramref name="run"/> run once on the loop's thread. Any thread.</summary>
    public void Enqueue(IRunnable run)
    {
        if (IsCurrent)
        {
            AddRun(run);
            return;
        }

        _fromOtherThreads.Enqueue(run);
        Interlocked.MemoryBarrier();   // pairs with the one in Poll: either it sees this run, or this sees it asleep
        if (Volatile.Read(ref _sleeping) != 0 && Interlocked.Exchange(ref _sleeping, 0) != 0)
        {
            _poller.Wake();
        }
    }

    /// <summary>A turn begins that says whose it is. Loop thread.</summary>
    public void BeginTurn(object holder)
    {
        Holder = holder;
        Turns.Begin(holder, NowMs, _passBegan);
    }

    /// <summary>It has ended.</summary>
    /// <param name="holder">Whose it was.</param>
    /// <param name="owner">What its time is counted for, if it was timed.</param>
    public void EndTurn(object holder, object owner)
    {
        Holder = null;
        Turns.End(holder, owner);
    }

    /// <summary>Has <paramref name="item"/> called at the end of this pass, as often as this is called in it.</summary>
    public void AtEndOfPass(IEndOfPass item) => _endOfPass.Add(item);

    public void Schedule(LoopTimer timer, long dueMs) => _timers.Schedule(timer, dueMs);

    public void Cancel(LoopTimer timer) => _timers.Cancel(timer);

    /// <summary>Milliseconds from <see cref="NowMs"/> until the wheel must turn again; -1 when nothing is
    /// armed.</summary>
    internal int NextTimerMs() => _timers.NextTurnMs(NowMs);

    internal void Contain(Exception fault) => OnFault?.Invoke(fault);

    void ISocketLoop.Contain(Exception fault) => Contain(fault);

    /// <summary>Runs one pass.</summary>
    /// <param name="block">Whether it sleeps in the poll until something is ready, due or enqueued.</param>
    /// <returns>Whether anything happened.</returns>
    public bool RunOnce(bool block)
    {
        Check.That(_thread is null);
        var previous = _current;
        _current = this;
        try
        {
            return Pass(block);
        }
        finally
        {
            _current = previous;
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        if (!Stop())
        {
            return;   // it may still use what would be freed: that ends with the process
        }

        _disposed = true;
        _poller.Dispose();
        unsafe
        {
            NativeMemory.AlignedFree(ReadBuffer);
        }
    }

    private void RunThread()
    {
        _current = this;
        ThreadId = Network.CurrentThreadId();
        while (!_stopping)
        {
            Pass(block: true);
        }

        Pass(block: false);   // what was enqueued before Stop still runs
    }

    private bool Pass(bool block)
    {
        var told = Poll(block);
        BeginPass();
        var fired = Guarded(static loop => loop._timers.Turn(loop.NowMs, loop._options.TimersPerPass));
        var ran = RunReady();
        EndPass();
        return told + fired + ran > 0 || _timers.IsBehind;
    }

    private int Poll(bool block)
    {
        var timeout = 0;
        if (block && _runsCount == 0)
        {
            // The pass before may have been long: by its clock this sleep would overrun the next deadline.
            ReadClock();
            timeout = _timers.NextTurnMs(NowMs);
        }

        if (timeout != 0)
        {
            Volatile.Write(ref _sleeping, 1);
            Interlocked.MemoryBarrier();
            if (!_fromOtherThreads.IsEmpty || _stopping)
            {
                timeout = 0;
            }
        }

        if (timeout != 0)
        {
            EndPassByWait();
        }

        var told = _poller.Wait(timeout);
        Volatile.Write(ref _sleeping, 0);
        return told;
    }

    private int RunReady()
    {
        var ran = 0;
        while (ran < _options.RunsPerPass)
        {
            if (!_fromOtherThreads.IsEmpty)
            {
                TakeFromOtherThreads();
            }

            if (_runsCount == 0)
            {
                break;
            }

            ran += Guarded(static loop => loop.RunBatch());
        }

        return ran;
    }

    /// <summary>Runs what is ready now. A method of its own, so that the runtime can optimize it while the thread stays
    /// in its loop.</summary>
    private int RunBatch()
    {
        var count = Math.Min(_runsCount, 256);
        for (var i = 0; i < count; i++)
        {
            var run = _runs[_runsHead]!;
            _runs[_runsHead] = null;
            _runsHead = (_runsHead + 1) & (_runs.Length - 1);
            _runsCount--;
            run.Run();
        }

        return count;
    }

    private void EndPass()
    {
        for (var i = 0; i < _endOfPass.Count; i++)
        {
            try
            {
                _endOfPass[i].OnEndOfPass();
            }
            catch (Exception fault)
            {
                OnFault?.Invoke(fault);
            }
        }

        _endOfPass.Clear();
    }

    /// <summary>Runs a step of the pass. An exception ends the step, not the pass: what the step did not reach stays
    /// queued for the next one.</summary>
    private int Guarded(Func<IoLoop, int> step)
    {
        try
        {
            return step(this);
        }
        catch (Exception fault)
        {
            OnFault?.Invoke(fault);
            return 1;
        }
    }

    private void OnUnregistered(IoSocket socket)
    {
        socket.Loop = null;
        socket.Receiver = null;
        Sockets--;
    }

    /// <summary>The pass before has ended: by a wait, or just now.</summary>
    private void BeginPass()
    {
        ReadClock();
        var (isAwake, since) = (_passBegan != 0, _passBegan != 0 ? _passBegan : _waitBegan);
        if (isAwake || _now - since < _sleepMin)
        {
            Volatile.Write(ref _busy, _busy + _now - since);
        }

        Volatile.Write(ref _passBegan, _now);
    }

    private void EndPassByWait()
    {
        var began = _passBegan;
        _waitBegan = _now;
        Volatile.Write(ref _passBegan, 0);
        Volatile.Write(ref _busy, _busy + (began == 0 ? 0 : _now - began));
    }

    private void ReadClock()
    {
        _now = _time.GetTimestamp();
        NowMs = (long)_time.GetElapsedTime(_started, _now).TotalMilliseconds;
    }

    private void TakeFromOtherThreads()
    {
        for (var i = _fromOtherThreads.Count; i > 0 && _fromOtherThreads.TryDequeue(out var run); i--)
        {
            AddRun(run);
        }
    }

    private void AddRun(IRunnable run)
    {
        if (_runsCount == _runs.Length)
        {
            GrowRuns();
        }

        _runs[(_runsHead + _runsCount) & (_runs.Length - 1)] = run;
        _runsCount++;
    }

    private void GrowRuns()
    {
        var larger = new IRunnable?[_runs.Length * 2];
        for (var i = 0; i < _runsCount; i++)
        {
            larger[i] = _runs[(_runsHead + i) & (_runs.Length - 1)];
        }

        _runs = larger;
        _runsHead = 0;
    }
}
