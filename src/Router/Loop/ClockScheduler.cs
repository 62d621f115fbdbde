using Akka.Configuration;

namespace Router.Loop;

/// <summary>A scheduler for Akka that goes by a <see cref="TimeProvider"/>, with one timer that is set to the earliest
/// work.</summary>
/// <remarks>
/// <para>Akka's own scheduler wakes every 10 ms, which takes 4.4 % of a core while nothing happens. This one sleeps. In
/// a test it goes by virtual time, and so do Ask, timers of actors and receive timeouts.</para>
/// <para>The system's timers fire on the pool, where a member of a cluster would be late with its heartbeats behind
/// handlers that block: <c>akka.scheduler.own-thread</c> gives it a thread.</para>
/// <para>Any thread may call it. Work runs on the thread that fires the timer, in order of due time; what it throws is
/// logged. Sessions do not use it: their deadlines are in the loop's wheel.</para>
/// </remarks>
internal sealed class ClockScheduler : SchedulerBase, IDisposable
{
    /// <summary>Cancelled work is removed when so much work waits, and then each time that has doubled.</summary>
    private const int SweepFrom = 256;

    /// <summary>The clock of the actor system that this thread is making: Akka makes its scheduler by name and hands it
    /// text only.</summary>
    [ThreadStatic]
    private static TimeProvider? _clockOfNewSystem;

    private readonly Lock _lock = new();
    private readonly PriorityQueue<Work, (long DueTicks, long Number)> _queue = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly long _started;
    private long _scheduled;
    private long _armedTicks = long.MaxValue;
    private int _sweepAt = SweepFrom;
    private bool _disposed;

    /// <summary>Called by Akka.</summary>
    public ClockScheduler(Config config, ILoggingAdapter log)
        : base(config, log)
    {
        _time = _clockOfNewSystem ?? TimeProvider.System;
        _started = _time.GetTimestamp();
        _timer = config.GetBoolean("akka.scheduler.own-thread")
            ? ThreadTimer.Create(_time, RunDue)
            : _time.CreateTimer(
                static state => ((ClockScheduler)state!).RunDue(),
                this,
                Timeout.InfiniteTimeSpan,
                Timeout.InfiniteTimeSpan);
    }

    /// <summary>The line that an actor system's configuration needs to use this scheduler.</summary>
    public static string Setting =>
        $"akka.scheduler.implementation = \"{typeof(ClockScheduler).AssemblyQualifiedName}\"";

    public override TimeSpan MonotonicClock => _time.GetElapsedTime(_started);

    public override TimeSpan HighResMonotonicClock => MonotonicClock;

    protected override DateTimeOffset TimeNow => _time.GetUtcNow();

    /// <summary>The number of pieces of work that wait, cancelled ones too.</summary>
    internal int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _queue.Count;
            }
        }
    }

    /// <summary>Makes an actor system whose scheduler, if it is this one, goes by <paramref name="time"/>.</summary>
    public static ActorSystem Create(TimeProvider time, Func<ActorSystem> create)
    {
        var outer = _clockOfNewSystem;
        _clockOfNewSystem = time;
        try
        {
            return create();
        }
        finally
        {
            _clockOfNewSystem = outer;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _queue.Clear();
        }

        _timer.Dispose();
    }

    protected override void InternalScheduleTellOnce(
        TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable? cancelable) =>
        Add(delay, TimeSpan.Zero, () => receiver.Tell(message, sender), cancelable);

    protected override void InternalScheduleTellRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable? cancelable) =>
        Add(initialDelay, interval, () => receiver.Tell(message, sender), cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable? cancelable) =>
        Add(delay, TimeSpan.Zero, action, cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable? cancelable) =>
        Add(delay, TimeSpan.Zero, action.Run, cancelable);

    protected override void InternalScheduleRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable? cancelable) =>
        Add(initialDelay, interval, action, cancelable);

    protected override void InternalScheduleRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable? cancelable) =>
        Add(initialDelay, interval, action.Run, cancelable);

    private void Add(TimeSpan delay, TimeSpan interval, Action run, ICancelable? cancelable)
    {
        lock (_lock)
        {
            if (_disposed)
            {
                throw new SchedulerException("the scheduler has been stopped with its actor system");
            }

            if (_queue.Count >= _sweepAt)
            {
                Sweep();
            }

            var work = new Work(run, interval.Ticks, cancelable);
            _queue.Enqueue(work, (MonotonicClock.Ticks + delay.Ticks, ++_scheduled));
            Arm();
        }
    }

    /// <summary>Removes what was cancelled. The caller holds the lock.</summary>
    private void Sweep()
    {
        var left = _queue.UnorderedItems.Where(static item => !item.Element.IsCancelled).ToArray();
        _queue.Clear();
        _queue.EnqueueRange(left);
        _sweepAt = Math.Max(SweepFrom, left.Length * 2);
    }

    /// <summary>Sets the timer to the earliest work. The caller holds the lock.</summary>
    private void Arm()
    {
        var due = _queue.TryPeek(out _, out var next) ? next.DueTicks : long.MaxValue;
        if (due == _armedTicks)
        {
            return;
        }

        _armedTicks = due;
        var wait = due == long.MaxValue
            ? Timeout.InfiniteTimeSpan
            : TimeSpan.FromTicks(Math.Clamp(due - MonotonicClock.Ticks, 0, TimeSpan.FromDays(1).Ticks));
        if (wait > TimeSpan.Zero)
        {
            // The system's timers count whole milliseconds, and down: one too early would be set again for nothing.
            wait = TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));
        }

        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void RunDue()
    {
        while (TakeDue() is { } work)
        {
            try
            {
                work.Run();
            }
            catch (Exception failure)
            {
                Log.Error(failure, "work that was scheduled has failed");
            }
        }
    }

    private Work? TakeDue()
    {
        lock (_lock)
        {
            var now = MonotonicClock.Ticks;
            while (_queue.TryPeek(out var work, out var next) && next.DueTicks <= now)
            {
                _queue.Dequeue();
                if (work.IsCancelled)
                {
                    continue;
                }

                if (work.IntervalTicks > 0)
                {
                    _queue.Enqueue(work, (next.DueTicks + work.IntervalTicks, ++_scheduled));
                }

                return work;
            }

            if (!_disposed)
            {
                _armedTicks = -1;   // the timer has fired: whatever is next is set anew
                Arm();
            }

            return null;
        }
    }

    private sealed class Work(Action run, long intervalTicks, ICancelable? cancelable)
    {
        public long IntervalTicks => intervalTicks;

        public bool IsCancelled => cancelable is { IsCancellationRequested: true };

        public void Run()
        {
            if (!IsCancelled)
            {
                run();
            }
        }
    }
}
