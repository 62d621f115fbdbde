namespace Router.Actors;

public interface ICancelable
{
    bool IsCancellationRequested { get; }

    void Cancel();
}

public interface ITimeProvider
{
    DateTimeOffset Now { get; }

    /// <summary>Time since some fixed point; never steps.</summary>
    TimeSpan MonotonicClock { get; }
}

/// <summary>Tells messages later. The only source of time in the kernel.</summary>
public interface IScheduler : ITimeProvider
{
    IAdvancedScheduler Advanced { get; }

    void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef? sender);

    void ScheduleTellOnce(
        TimeSpan delay, ICanTell receiver, object message, IActorRef? sender, ICancelable? cancelable);

    void ScheduleTellRepeatedly(
        TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef? sender);

    void ScheduleTellRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef? sender,
        ICancelable? cancelable);
}

/// <summary>Runs actions later, on the scheduler's own thread: they must be short and must not touch actors'
/// state.</summary>
public interface IAdvancedScheduler
{
    void ScheduleOnce(TimeSpan delay, Action action, ICancelable? cancelable = null);

    void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable? cancelable = null);
}

/// <summary>A switch that stops what was scheduled with it.</summary>
public sealed class Cancelable : ICancelable
{
    private volatile bool _cancelled;

    internal Action? OnCancelled { get; set; }

    public bool IsCancellationRequested => _cancelled;

    public void Cancel()
    {
        if (!_cancelled)
        {
            _cancelled = true;
            OnCancelled?.Invoke();
        }
    }
}

public static class TellSchedulerExtensions
{
    public static ICancelable ScheduleTellOnceCancelable(
        this IScheduler scheduler, TimeSpan delay, ICanTell receiver, object message, IActorRef? sender)
    {
        var cancelable = new Cancelable();
        scheduler.ScheduleTellOnce(delay, receiver, message, sender, cancelable);
        return cancelable;
    }

    public static ICancelable ScheduleTellRepeatedlyCancelable(
        this IScheduler scheduler,
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef? sender)
    {
        var cancelable = new Cancelable();
        scheduler.ScheduleTellRepeatedly(initialDelay, interval, receiver, message, sender, cancelable);
        return cancelable;
    }
}
