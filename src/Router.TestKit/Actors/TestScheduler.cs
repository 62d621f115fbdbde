using Router.Configuration.Hocon;

namespace Router.TestKit.Actors;

/// <summary>A scheduler whose time passes only by <see cref="Advance"/>. Chosen with
/// <c>akka.scheduler.implementation</c>.</summary>
public sealed class TestScheduler : SchedulerBase
{
    private readonly DateTimeOffset _start = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private long _elapsedTicks;

    public TestScheduler(Config schedulerConfig, ILoggingAdapter log)
    {
        _ = schedulerConfig;
        _ = log;
    }

    public override DateTimeOffset Now => _start + MonotonicClock;

    public override TimeSpan MonotonicClock => new(Volatile.Read(ref _elapsedTicks));

    /// <summary>Lets time pass and runs what falls due, in order, each at its own time.</summary>
    public void Advance(TimeSpan offset)
    {
        var end = MonotonicClock + offset;
        while (NextDue() is { } due && due <= end)
        {
            if (due > MonotonicClock)
            {
                Volatile.Write(ref _elapsedTicks, due.Ticks);
            }

            RunNext(due);
        }

        Volatile.Write(ref _elapsedTicks, end.Ticks);
    }

    public void AdvanceTo(DateTimeOffset when) => Advance(when - Now);

    protected override void OnNextDueChanged()
    {
    }
}
