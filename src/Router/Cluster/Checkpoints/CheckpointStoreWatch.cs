using Microsoft.Extensions.Logging;
using Router.Diagnostics;

namespace Router.Cluster.Checkpoints;

/// <summary>Writes down when a store of checkpoints is lost and back, and what was lost: each at most once in
/// <see cref="Interval"/>, with what was not told. Not thread-safe.</summary>
internal sealed class CheckpointStoreWatch(string store, TimeProvider time, ILogger log)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly long _start = time.GetTimestamp();
    private TimeSpan _awaySince;
    private TimeSpan? _lossToldAt;
    private TimeSpan? _rowsToldAt;
    private bool _isTold;            // the loss that lasts now
    private long _failures;          // since it was lost
    private long _suppressed;        // losses since the last one that was told
    private long _rows;              // lost, and not told
    private Exception? _refusal;     // of one of them

    public bool IsAway { get; private set; }

    public string? LastError { get; private set; }

    private TimeSpan Now => time.GetElapsedTime(_start);

    /// <summary>A try failed.</summary>
    public void OnFailed(Exception error)
    {
        var now = Now;
        LastError = error.Message;
        if (!IsAway)
        {
            (IsAway, _isTold, _awaySince, _failures) = (true, false, now, 0);
            _suppressed++;
        }

        _failures++;
        if (!_isTold && IsDue(_lossToldAt, now))
        {
            CheckpointLog.StoreLost(log, error, store, _suppressed - 1);
            (_isTold, _lossToldAt, _suppressed) = (true, now, 0);
        }

        TellRows(now);
    }

    /// <summary>The store took a batch, or refused it.</summary>
    public void OnAnswered()
    {
        if (IsAway)
        {
            IsAway = false;
            if (_isTold)
            {
                CheckpointLog.StoreBack(log, store, (long)(Now - _awaySince).TotalMilliseconds, _failures);
            }
        }

        TellRows(Now);
    }

    public void OnRefused(Exception refusal, long rows)
    {
        LastError = refusal.Message;
        _refusal = refusal;
        OnLost(rows);
    }

    /// <summary>Checkpoints are lost.</summary>
    public void OnLost(long rows)
    {
        _rows += rows;
        TellRows(Now);
    }

    /// <summary>Nothing more will come.</summary>
    public void OnEnded()
    {
        _rowsToldAt = null;
        TellRows(Now);
    }

    private void TellRows(TimeSpan now)
    {
        if (_rows > 0 && IsDue(_rowsToldAt, now))
        {
            CheckpointLog.RowsLost(log, _refusal, store, _rows);
            (_rowsToldAt, _rows, _refusal) = (now, 0, null);
        }
    }

    private static bool IsDue(TimeSpan? last, TimeSpan now) => last is null || now - last >= Interval;
}
