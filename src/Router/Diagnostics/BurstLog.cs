namespace Router.Diagnostics;

/// <summary>At most one line a second about something that may come by the thousand: the first at once, what follows
/// within a second as one line at its end, with a count. Any thread; the timer runs only while there is something to
/// write.</summary>
/// <typeparam name="T">What the last one of several is told by.</typeparam>
internal sealed class BurstLog<T> : IDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Action<T, long> _write;
    private readonly ITimer _timer;
    private T? _last;
    private long _count;
    private bool _isWaiting;

    /// <param name="write">Called with the last one and how many there were; by any thread, one at a time.</param>
    /// <param name="time">The clock.</param>
    public BurstLog(Action<T, long> write, TimeProvider time)
    {
        _write = write;
        _timer = time.CreateTimer(
            static state => ((BurstLog<T>)state!).EndInterval(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    public void Add(T item)
    {
        lock (_lock)
        {
            if (_isWaiting)
            {
                (_last, _count) = (item, _count + 1);
                return;
            }

            _isWaiting = true;
            _write(item, 1);
            _timer.Change(Interval, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Writes what waits.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        EndInterval();
    }

    private void EndInterval()
    {
        lock (_lock)
        {
            _isWaiting = _count > 0;
            if (_isWaiting)
            {
                _write(_last!, _count);
                (_last, _count) = (default, 0);
                try
                {
                    _timer.Change(Interval, Timeout.InfiniteTimeSpan);
                }
                catch (ObjectDisposedException)
                {
                    // The end: what waited is written.
                }
            }
        }
    }
}
