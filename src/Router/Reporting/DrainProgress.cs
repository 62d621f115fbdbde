namespace Router.Reporting;

/// <summary>Has it logged once a second how far a drain has come, until it is disposed. Any thread.</summary>
internal sealed class DrainProgress : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Action _write;
    private readonly ITimer _timer;
    private bool _isOver;

    /// <param name="time">The clock.</param>
    /// <param name="write">Logs one line; called on the clock's thread, at first when a second has passed.</param>
    public DrainProgress(TimeProvider time, Action write)
    {
        _write = write;
        _timer = time.CreateTimer(static self => ((DrainProgress)self!).Write(), this, Interval, Interval);
    }

    /// <summary>No line is written any more once this has returned.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isOver = true;
        }

        _timer.Dispose();
    }

    private void Write()
    {
        lock (_lock)
        {
            if (!_isOver)
            {
                _write();
            }
        }
    }
}
