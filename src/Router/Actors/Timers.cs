namespace Router.Actors;

/// <summary>Gives an actor timers: the kernel sets <see cref="Timers"/> right after construction.</summary>
public interface IWithTimers
{
    ITimerScheduler Timers { get; set; }
}

/// <summary>Timers of one actor, each under a key of its own. All end with the instance: on restart and stop.
/// A timer cancelled or replaced never delivers, even if its message waits in the mailbox already.</summary>
public interface ITimerScheduler
{
    /// <summary>Tells Self every <paramref name="interval"/>, first after one; replaces the key's timer.</summary>
    void StartPeriodicTimer(object key, object msg, TimeSpan interval);

    void StartPeriodicTimer(object key, object msg, TimeSpan initialDelay, TimeSpan interval);

    /// <summary>Tells Self once; replaces the key's timer.</summary>
    void StartSingleTimer(object key, object msg, TimeSpan timeout);

    bool IsTimerActive(object key);

    void Cancel(object key);

    void CancelAll();
}

internal sealed class TimerScheduler(ActorCell cell) : ITimerScheduler
{
    private readonly Dictionary<object, TimerMessage> _timers = [];

    public void StartPeriodicTimer(object key, object msg, TimeSpan interval) =>
        StartPeriodicTimer(key, msg, interval, interval);

    public void StartPeriodicTimer(object key, object msg, TimeSpan initialDelay, TimeSpan interval)
    {
        var timer = Replace(key, msg, repeats: true);
        timer.Schedule = cell.Dispatcher.Scheduler.ScheduleTellRepeatedlyCancelable(
            initialDelay, interval, cell, timer, cell);
    }

    public void StartSingleTimer(object key, object msg, TimeSpan timeout)
    {
        var timer = Replace(key, msg, repeats: false);
        timer.Schedule = cell.Dispatcher.Scheduler.ScheduleTellOnceCancelable(timeout, cell, timer, cell);
    }

    public bool IsTimerActive(object key) => _timers.ContainsKey(key);

    public void Cancel(object key)
    {
        if (_timers.Remove(key, out var timer))
        {
            timer.Schedule?.Cancel();
        }
    }

    public void CancelAll()
    {
        foreach (var timer in _timers.Values)
        {
            timer.Schedule?.Cancel();
        }

        _timers.Clear();
    }

    /// <summary>The message to deliver, or null when the timer is no longer the one under its key.</summary>
    public object? Accept(TimerMessage timer)
    {
        if (!_timers.TryGetValue(timer.Key, out var current) || !ReferenceEquals(current, timer))
        {
            return null;
        }

        if (!timer.Repeats)
        {
            _timers.Remove(timer.Key);
        }

        return timer.Message;
    }

    private TimerMessage Replace(object key, object message, bool repeats)
    {
        Cancel(key);
        var timer = new TimerMessage(key, message, repeats);
        _timers.Add(key, timer);
        return timer;
    }
}

/// <summary>One timer, and the message it tells.</summary>
internal sealed class TimerMessage(object key, object message, bool repeats)
    : IAutoReceivedMessage, IDeadLetterSuppression
{
    public object Key => key;

    public object Message => message;

    public bool Repeats => repeats;

    public ICancelable? Schedule { get; set; }
}
