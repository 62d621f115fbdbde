namespace Router.Actors;

/// <summary>A receive timeout: messages only stamp the time, the one timer looks whether enough passed.</summary>
internal sealed class ReceiveTimeoutState(ActorCell cell, IScheduler scheduler, TimeSpan timeout)
{
    private TimeSpan _lastActivity = scheduler.MonotonicClock;
    private ICancelable? _timer;

    public TimeSpan Timeout => timeout;

    public void Touch() => _lastActivity = scheduler.MonotonicClock;

    public void Arm() => Arm(timeout);

    public void Cancel() => _timer?.Cancel();

    /// <summary>Whether the silence has lasted; arms the timer for the next look either way.</summary>
    public bool IsDue()
    {
        var rest = _lastActivity + timeout - scheduler.MonotonicClock;
        var due = rest <= TimeSpan.Zero;
        Arm(due ? timeout : rest);
        return due;
    }

    private void Arm(TimeSpan delay) =>
        _timer = scheduler.ScheduleTellOnceCancelable(delay, cell, new ReceiveTimeoutCheck(this), ActorRefs.NoSender);
}

/// <summary>Told by the timer: look whether the silence has lasted.</summary>
internal sealed class ReceiveTimeoutCheck(ReceiveTimeoutState state)
    : IAutoReceivedMessage, INotInfluenceReceiveTimeout, IDeadLetterSuppression
{
    public ReceiveTimeoutState State => state;
}

internal sealed partial class ActorCell
{
    public TimeSpan? ReceiveTimeout => _extras?.ReceiveTimeout?.Timeout;

    public void SetReceiveTimeout(TimeSpan? receiveTimeout)
    {
        if (_extras?.ReceiveTimeout is { } old)
        {
            old.Cancel();
            _extras.ReceiveTimeout = null;
            _flags &= ~CellFlags.HasReceiveTimeout;
        }

        if (receiveTimeout is { } timeout && timeout > TimeSpan.Zero)
        {
            Extras.ReceiveTimeout = new ReceiveTimeoutState(this, _dispatcher.Scheduler, timeout);
            Extras.ReceiveTimeout.Arm();
            _flags |= CellFlags.HasReceiveTimeout;
        }
    }
}
