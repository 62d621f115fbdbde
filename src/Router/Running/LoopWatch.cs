using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Loop;
using Router.Sessions;

namespace Router.Running;

/// <summary>Sees to it that a loop which has not turned for some time is reported, with what holds it, and reported
/// again when it turns.</summary>
/// <remarks>
/// <para>Each period it has every loop run a runnable, unless the one of before has not run yet. So what it knows of a
/// loop's last turn is up to one period old, and a loop that sleeps is woken once a period.</para>
/// <para>It runs on a thread of its own: handlers that block the pool must not hold up the reports about a
/// loop.</para>
/// </remarks>
internal sealed class LoopWatch : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Pulse[] _pulses;
    private readonly TimeSpan _stallTimeout;
    private readonly TimeSpan _period;
    private readonly TimeProvider _time;
    private readonly Func<int, ThreadFigures?> _readThread;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private long _lastLook;
    private long _stalls;
    private bool _disposed;

    /// <param name="loops">Running ones.</param>
    /// <param name="stallTimeout">A loop that has not turned for longer is reported; infinite for none.</param>
    /// <param name="period">The time between two looks.</param>
    /// <param name="time">The clock. Virtual time says nothing of how long a thread takes: then loops are driven by a
    /// test.</param>
    /// <param name="readThread">Of a thread of this process, by its number in the system.</param>
    /// <param name="log">The router's.</param>
    public LoopWatch(
        IReadOnlyList<IoLoop> loops, TimeSpan stallTimeout, TimeSpan period, TimeProvider time,
        Func<int, ThreadFigures?> readThread, ILogger log)
    {
        (_stallTimeout, _period, _time, _readThread, _log) = (stallTimeout, period, time, readThread, log);
        _lastLook = time.GetTimestamp();
        _pulses = [.. loops.Select(loop => new Pulse(loop, _lastLook))];
        _timer = ThreadTimer.Create(time, Look);
        _timer.Change(period, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Called after each look, on the watch's thread. Throws nothing.</summary>
    public Action? OnLook { get; set; }

    /// <summary>How often a loop was reported. Any thread.</summary>
    public long Stalls => Volatile.Read(ref _stalls);

    /// <summary>How long ago the loop that is furthest behind was seen to turn. Any thread.</summary>
    public TimeSpan OldestTurn
    {
        get
        {
            var now = _time.GetTimestamp();
            return _time.GetElapsedTime(_pulses.Min(static pulse => pulse.TurnedAt), now);
        }
    }

    /// <summary>A quarter of the time after which a loop is reported, so that the report is at most that much late.
    /// </summary>
    public static TimeSpan PeriodFor(TimeSpan stallTimeout) => stallTimeout / 4;

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _timer.Dispose();
        }
    }

    private void Look()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            var now = _time.GetTimestamp();
            var isLate = _time.GetElapsedTime(_lastLook, now) > 2 * _period;
            _lastLook = now;
            foreach (var pulse in _pulses)
            {
                Look(pulse, now, isLate);
            }

            OnLook?.Invoke();
            _timer.Change(_period, Timeout.InfiniteTimeSpan);
        }
    }

    private void Look(Pulse pulse, long now, bool isLate)
    {
        if (!pulse.IsUnderWay)
        {
            if (pulse.IsReported)
            {
                pulse.IsReported = false;
                HostLog.LoopTurns(_log, pulse.Loop.Index, Milliseconds(pulse.SentAt, pulse.TurnedAt));
            }

            pulse.Send(now);
            return;
        }

        if (isLate)
        {
            // The process or the machine stood still, this thread included: nothing is known of the loop.
            pulse.SentAt = now;
            pulse.Before = null;
            return;
        }

        pulse.Before ??= _readThread(pulse.Loop.ThreadId) is { } figures ? (now, figures.Cpu) : null;
        if (!pulse.IsReported && _time.GetElapsedTime(pulse.SentAt, now) >= _stallTimeout)
        {
            pulse.IsReported = true;
            Interlocked.Increment(ref _stalls);
            Report(pulse, now);
        }
    }

    private void Report(Pulse pulse, long now)
    {
        var session = (pulse.Loop.Holder as SessionActor)?.Session;
        var figures = _readThread(pulse.Loop.ThreadId);
        int? percent = figures is { } after && pulse.Before is var (at, cpu) && now > at
            ? (int)Math.Round(100 * ((after.Cpu - cpu) / _time.GetElapsedTime(at, now)))
            : null;
        HostLog.LoopStalled(
            _log, pulse.Loop.Index, Milliseconds(pulse.SentAt, now), session?.Handler?.GetType().FullName,
            session?.Id.ToString(), session?.Shard.Listener, pulse.Loop.ThreadId, figures?.State, percent);
    }

    private long Milliseconds(long from, long to) => (long)_time.GetElapsedTime(from, to).TotalMilliseconds;

    /// <summary>Runs on its loop to show that this turns.</summary>
    private sealed class Pulse(IoLoop loop, long now) : IRunnable
    {
        private long _turnedAt = now;
        private volatile bool _isUnderWay;

        public IoLoop Loop => loop;

        public long SentAt { get; set; } = now;

        /// <summary>When it last ran, a timestamp. Any thread.</summary>
        public long TurnedAt => Volatile.Read(ref _turnedAt);

        /// <summary>It was sent and has not run yet.</summary>
        public bool IsUnderWay => _isUnderWay;

        public bool IsReported { get; set; }

        /// <summary>The processor time of the loop's thread when it was first seen to be late, and when that was.
        /// </summary>
        public (long At, TimeSpan Cpu)? Before { get; set; }

        public void Send(long at)
        {
            (SentAt, Before) = (at, null);
            _isUnderWay = true;
            loop.Enqueue(this);
        }

        public void Run()
        {
            Volatile.Write(ref _turnedAt, loop.Time.GetTimestamp());
            _isUnderWay = false;
        }

        public void Execute() => Run();
    }
}
