namespace Router.Loop;

/// <summary>A timer that fires on a thread of its own, whatever keeps the pool busy. It fires once each time that it is
/// set.</summary>
internal sealed class ThreadTimer : ITimer
{
    private const long NotSet = long.MaxValue;

    private readonly object _lock = new();   // that can be waited on
    private readonly TimeProvider _time;
    private readonly Action _callback;
    private long _due = NotSet;
    private bool _disposed;

    /// <param name="time">The clock, which is the system's.</param>
    /// <param name="callback">Throws nothing.</param>
    private ThreadTimer(TimeProvider time, Action callback)
    {
        (_time, _callback) = (time, callback);
        new Thread(Run) { IsBackground = true, Name = "router-timer" }.Start();
    }

    /// <summary>Whether a clock goes by itself. Virtual time does not: it says nothing of how long a thread takes.
    /// </summary>
    public static bool IsFor(TimeProvider time) => time == TimeProvider.System;

    /// <summary>A timer that is not set, on a thread of its own if its clock goes by itself.</summary>
    public static ITimer Create(TimeProvider time, Action callback) => IsFor(time)
        ? new ThreadTimer(time, callback)
        : time.CreateTimer(
            static state => ((Action)state!)(), callback, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <param name="dueTime">From now on; infinite for never.</param>
    /// <param name="period">None: infinite.</param>
    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        lock (_lock)
        {
            _due = dueTime == Timeout.InfiniteTimeSpan
                ? NotSet
                : _time.GetTimestamp() + (long)(dueTime.TotalSeconds * _time.TimestampFrequency);
            Monitor.Pulse(_lock);
            return !_disposed;
        }
    }

    /// <summary>It fires no more; what it does at the moment goes on.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            Monitor.Pulse(_lock);
        }
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void Run()
    {
        while (WaitUntilDue())
        {
            _callback();
        }
    }

    /// <returns>False when it is disposed.</returns>
    private bool WaitUntilDue()
    {
        lock (_lock)
        {
            while (!_disposed)
            {
                var now = _time.GetTimestamp();
                if (_due <= now)
                {
                    _due = NotSet;
                    return true;
                }

                Monitor.Wait(
                    _lock,
                    _due == NotSet
                        ? Timeout.Infinite
                        : (int)Math.Ceiling(_time.GetElapsedTime(now, _due).TotalMilliseconds));
            }

            return false;
        }
    }
}
