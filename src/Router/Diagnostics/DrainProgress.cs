using Microsoft.Extensions.Logging;

namespace Router.Diagnostics;

/// <summary>Logs once a second how far a drain has come, until it is disposed. Any thread.</summary>
internal sealed class DrainProgress : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly ILogger _log;
    private readonly Func<int> _sessions;
    private readonly Func<MemberFigures>? _member;
    private readonly ITimer _timer;
    private bool _isOver;

    /// <param name="time">The clock.</param>
    /// <param name="log">The router's.</param>
    /// <param name="sessions">Reads how many are open still; called on the clock's thread, as the next one.</param>
    /// <param name="member">Reads its figures; null for a router that is no member of a cluster.</param>
    public DrainProgress(TimeProvider time, ILogger log, Func<int> sessions, Func<MemberFigures>? member)
    {
        (_log, _sessions, _member) = (log, sessions, member);
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
                var now = _member?.Invoke();
                HostLog.DrainProgress(_log, _sessions(), now?.Waiting, now?.CheckpointsQueued, now?.Identities);
            }
        }
    }
}
