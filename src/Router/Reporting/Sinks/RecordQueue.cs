using Router.Diagnostics;

namespace Router.Reporting.Sinks;

/// <summary>The records that wait for one sink: any thread adds and never waits, the sink's own thread takes.</summary>
/// <param name="recordsMax">Beyond so many, records are refused.</param>
internal sealed class RecordQueue(int recordsMax) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Queue<LogRecord> _records = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private bool _isWaiting;
    private bool _isWoken;
    private bool _hasEnded;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _records.Count;
            }
        }
    }

    public bool HasEnded
    {
        get
        {
            lock (_lock)
            {
                return _hasEnded;
            }
        }
    }

    /// <returns>False for a queue that is full, or has ended.</returns>
    public bool TryAdd(LogRecord record)
    {
        lock (_lock)
        {
            if (_records.Count >= recordsMax || _hasEnded)
            {
                return false;
            }

            _records.Enqueue(record);
            if (!_isWaiting)
            {
                return true;
            }

            _isWaiting = false;
        }

        _wake.Set();
        return true;
    }

    /// <summary>Waits for records, or for <see cref="Wake"/>.</summary>
    /// <param name="into">Gets the oldest ones.</param>
    /// <param name="max">How many at most.</param>
    /// <returns>False at the end, when none is left.</returns>
    public bool Take(List<LogRecord> into, int max)
    {
        while (true)
        {
            lock (_lock)
            {
                while (into.Count < max && _records.TryDequeue(out var record))
                {
                    into.Add(record);
                }

                if (into.Count > 0 || _isWoken || _hasEnded)
                {
                    var goesOn = into.Count > 0 || !_hasEnded;
                    _isWoken = false;
                    return goesOn;
                }

                _isWaiting = true;
            }

            _wake.WaitOne();
        }
    }

    /// <summary>Waits so long, or until <see cref="Wake"/> or <see cref="End"/>.</summary>
    public void Wait(TimeSpan time) => _wake.WaitOne(time);

    /// <summary>Has whoever waits look again.</summary>
    public void Wake()
    {
        lock (_lock)
        {
            (_isWoken, _isWaiting) = (true, false);
        }

        _wake.Set();
    }

    /// <summary>Nothing is added any more.</summary>
    public void End()
    {
        lock (_lock)
        {
            (_hasEnded, _isWaiting) = (true, false);
        }

        _wake.Set();
    }

    public void Dispose() => _wake.Dispose();
}
