namespace Router.TestKit.Simulation;

/// <summary>A clock that stands still until it is told to go on. One thread moves it; any may read it and set timers.
/// </summary>
/// <remarks>
/// Its timestamp frequency is neither a power of ten nor that of <see cref="TimeSpan"/>: whoever takes timestamps for
/// ticks or milliseconds is found out. Time elapsed since the clock was made is exact to the tick, never short of it.
/// The fake clock of Microsoft.Extensions.TimeProvider.Testing counts in ticks and does not say when its next timer is
/// due, which a kit that runs loops from deadline to deadline has to know.
/// </remarks>
public sealed class VirtualTimeProvider : TimeProvider
{
    private const long Frequency = 24_000_017;

    private readonly Lock _lock = new();
    private readonly PriorityQueue<VirtualTimer, (long DueTicks, long Order)> _timers = new();
    private readonly DateTimeOffset _start;
    private long _order;
    private long _elapsedTicks;

    /// <summary>The clock starts on 2030-01-01, UTC.</summary>
    public VirtualTimeProvider()
        : this(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero))
    {
    }

    /// <summary>Begins at a time of the wall clock.</summary>
    public VirtualTimeProvider(DateTimeOffset start) => _start = start;

    /// <summary>Time since the clock was made.</summary>
    public TimeSpan Elapsed => TimeSpan.FromTicks(Volatile.Read(ref _elapsedTicks));

    /// <summary>An odd number, so that wrong assumptions show.</summary>
    public override long TimestampFrequency => Frequency;

    /// <summary>UTC, wherever the test runs.</summary>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>
    /// When the earliest timer is due, as <see cref="Elapsed"/> will say then; null when none is set.
    /// </summary>
    public TimeSpan? NextTimer
    {
        get
        {
            lock (_lock)
            {
                return Peek(out _);
            }
        }
    }

    /// <summary>The start and what has passed since.</summary>
    public override DateTimeOffset GetUtcNow() => _start + Elapsed;

    /// <summary>What has passed since the start, in <see cref="TimestampFrequency"/>.</summary>
    public override long GetTimestamp()
    {
        var scaled = (Int128)Elapsed.Ticks * Frequency;
        return (long)((scaled + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond);
    }

    /// <summary>Moves on, firing on the way every timer that comes due, in order of their due times.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        var target = Elapsed + by;
        while (TakeDue(target) is { } timer)
        {
            timer.Fire();
        }

        Volatile.Write(ref _elapsedTicks, target.Ticks);
    }

    /// <summary>
    /// A timer of this clock: its callback runs inside <see cref="Advance"/>, on the thread that calls it.
    /// </summary>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private long Enqueue(VirtualTimer timer, TimeSpan dueTime)
    {
        _timers.Enqueue(timer, ((Elapsed + dueTime).Ticks, ++_order));
        return _order;
    }

    /// <summary>The earliest timer and when it is due.</summary>
    private TimeSpan? Peek(out VirtualTimer? earliest)
    {
        while (_timers.TryPeek(out earliest, out var due))
        {
            if (earliest.IsDueAt(due.Order))
            {
                return TimeSpan.FromTicks(due.DueTicks);
            }

            _timers.Dequeue();
        }

        return null;
    }

    /// <summary>Moves to the earliest timer due by then, and takes it; null if there is none.</summary>
    private VirtualTimer? TakeDue(TimeSpan target)
    {
        lock (_lock)
        {
            if (Peek(out var timer) is not { } due || due > target)
            {
                return null;
            }

            Volatile.Write(ref _elapsedTicks, Math.Max(due.Ticks, _elapsedTicks));
            _timers.Dequeue();
            timer!.Rearm();
            return timer;
        }
    }

    private sealed class VirtualTimer(VirtualTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;
        private long _place;   // the order number of the queue entry that counts; 0: none

        public bool IsDueAt(long order) => order == _place;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                _period = period;
                _place = dueTime == Timeout.InfiniteTimeSpan ? 0 : clock.Enqueue(this, dueTime);
                return true;
            }
        }

        public void Rearm() => _place = _period > TimeSpan.Zero ? clock.Enqueue(this, _period) : 0;

        public void Fire() => callback(state);

        public void Dispose()
        {
            lock (clock._lock)
            {
                _place = 0;
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
