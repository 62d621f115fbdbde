namespace Router.Actors;

/// <summary>What schedulers share: a queue of work by due time. Who turns the clock is the subclass's part.</summary>
public abstract class SchedulerBase : IScheduler, IAdvancedScheduler
{
    private const int CancelledKept = 64;

    private readonly Lock _lock = new();
    private readonly PriorityQueue<Work, (TimeSpan Due, long Number)> _queue = new();
    private long _scheduled;
    private int _cancelled;

    public abstract DateTimeOffset Now { get; }

    public abstract TimeSpan MonotonicClock { get; }

    public IAdvancedScheduler Advanced => this;

    /// <summary>Work waiting and not cancelled.</summary>
    internal int PendingCount
    {
        get
        {
            lock (_lock)
            {
                return _queue.Count - _cancelled;
            }
        }
    }

    public void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef? sender) =>
        ScheduleTellOnce(delay, receiver, message, sender, cancelable: null);

    public void ScheduleTellOnce(
        TimeSpan delay, ICanTell receiver, object message, IActorRef? sender, ICancelable? cancelable) =>
        Add(delay, new TellWork(receiver, message, sender) { Cancelable = cancelable });

    public void ScheduleTellRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef? sender) =>
        ScheduleTellRepeatedly(initialDelay, interval, receiver, message, sender, cancelable: null);

    public void ScheduleTellRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef? sender,
        ICancelable? cancelable) =>
        Add(initialDelay, new TellWork(receiver, message, sender)
        {
            Interval = Positive(interval),
            Cancelable = cancelable,
        });

    public void ScheduleOnce(TimeSpan delay, Action action, ICancelable? cancelable = null) =>
        Add(delay, new ActionWork(action) { Cancelable = cancelable });

    public void ScheduleRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable? cancelable = null) =>
        Add(initialDelay, new ActionWork(action) { Interval = Positive(interval), Cancelable = cancelable });

    /// <summary>The earliest due time has changed.</summary>
    protected abstract void OnNextDueChanged();

    /// <summary>When the next work is due, or null.</summary>
    protected TimeSpan? NextDue()
    {
        lock (_lock)
        {
            return _queue.TryPeek(out _, out var next) ? next.Due : null;
        }
    }

    /// <summary>Runs the next work due by then.</summary>
    /// <returns>False when there is none.</returns>
    protected bool RunNext(TimeSpan now)
    {
        Work work;
        lock (_lock)
        {
            if (!_queue.TryPeek(out _, out var next) || next.Due > now)
            {
                return false;
            }

            work = _queue.Dequeue();
            work.Queued = false;
            if (work.IsCancelled)
            {
                _cancelled = Math.Max(0, _cancelled - 1);
                return true;
            }

            if (work.Interval > TimeSpan.Zero)
            {
                work.Queued = true;
                _queue.Enqueue(work, (next.Due + work.Interval, ++_scheduled));
            }
        }

        work.Run();
        return true;
    }

    private static TimeSpan Positive(TimeSpan interval) => interval > TimeSpan.Zero
        ? interval
        : throw new ArgumentOutOfRangeException(nameof(interval), interval, "An interval must be positive.");

    private void Add(TimeSpan delay, Work work)
    {
        var due = MonotonicClock + (delay > TimeSpan.Zero ? delay : TimeSpan.Zero);
        bool earliest;
        lock (_lock)
        {
            if (work.IsCancelled)
            {
                return;
            }

            work.Queued = true;
            _queue.Enqueue(work, (due, ++_scheduled));
            earliest = ReferenceEquals(_queue.Peek(), work);
        }

        if (work.Cancelable is Cancelable cancelable)
        {
            cancelable.OnCancelled += () => Forget(work);
        }

        if (earliest)
        {
            OnNextDueChanged();
        }
    }

    /// <summary>Cancelled work stays queued until many of it do; then the queue is rebuilt without.</summary>
    private void Forget(Work work)
    {
        lock (_lock)
        {
            if (!work.Queued)
            {
                return;
            }

            _cancelled++;
            if (_cancelled < CancelledKept || _cancelled < _queue.Count / 2)
            {
                return;
            }

            var kept = _queue.UnorderedItems.Where(static item => !item.Element.IsCancelled).ToArray();
            _queue.Clear();
            _queue.EnqueueRange(kept);
            _cancelled = 0;
        }
    }

    private abstract class Work
    {
        public TimeSpan Interval { get; init; }

        public ICancelable? Cancelable { get; init; }

        public bool Queued { get; set; }

        public bool IsCancelled => Cancelable?.IsCancellationRequested == true;

        public abstract void Run();
    }

    private sealed class TellWork(ICanTell receiver, object message, IActorRef? sender) : Work
    {
        public override void Run() => receiver.Tell(message, sender);
    }

    private sealed class ActionWork(Action action) : Work
    {
        public override void Run() => action();
    }
}

/// <summary>The system's scheduler: one timer of a <see cref="TimeProvider"/>, set to the next due time.</summary>
internal sealed class TimeProviderScheduler : SchedulerBase, IDisposable
{
    private const double WaitMsMax = 24 * 60 * 60 * 1000;

    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ITimer _timer;
    private readonly Lock _running = new();
    private readonly Lock _arming = new();

    public TimeProviderScheduler(TimeProvider time)
    {
        _time = time;
        _start = time.GetTimestamp();
        _timer = time.CreateTimer(
            static self => ((TimeProviderScheduler)self!).RunDue(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    public override DateTimeOffset Now => _time.GetUtcNow();

    public override TimeSpan MonotonicClock => _time.GetElapsedTime(_start);

    public void Dispose() => _timer.Dispose();

    protected override void OnNextDueChanged()
    {
        // Whoever comes last through this lock sees the earliest due time of all.
        lock (_arming)
        {
            if (NextDue() is { } due)
            {
                // A timer may fire up to a millisecond early: rounding up spares an empty run.
                var waitMs = Math.Ceiling((due - MonotonicClock).TotalMilliseconds);
                _timer.Change(
                    TimeSpan.FromMilliseconds(Math.Clamp(waitMs, 0, WaitMsMax)), Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void RunDue()
    {
        lock (_running)
        {
            while (RunNext(MonotonicClock))
            {
            }
        }

        OnNextDueChanged();
    }
}
