using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Reporting;

/// <summary>Limits access records to so many a second, and sums up the sessions that close beyond it. A million that
/// expire at once must neither hold up their loops by a million lines nor vanish from the log. Any thread.</summary>
/// <param name="log">Gets the sums: a line per listener, at most once a second, and with the stats.</param>
/// <param name="time">The clock.</param>
/// <param name="recordsPerSecond">A tenth of it may come at once.</param>
internal sealed class SessionSummary(ILogger log, TimeProvider time, int recordsPerSecond)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Sums> _sums = new(StringComparer.Ordinal);   // one per listener
    private readonly double _recordsMax = Math.Min(recordsPerSecond, Math.Max(1, recordsPerSecond / 10));
    private double _records = Math.Min(recordsPerSecond, Math.Max(1, recordsPerSecond / 10));
    private long _refilled = time.GetTimestamp();
    private long _written = time.GetTimestamp();

    /// <returns>Whether the session gets a record; if not, it has been counted into its listener's sums.</returns>
    public bool TryRecord(SessionContext session, CloseReason reason)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            if (_sums.Count > 0 && time.GetElapsedTime(_written, now) >= Interval)
            {
                WriteSums(now);
            }

            if (TryTake(now))
            {
                return true;
            }

            if (!_sums.TryGetValue(session.Listener, out var sums))
            {
                _sums[session.Listener] = sums = new Sums();
            }

            sums.Add(session, reason);
            return false;
        }
    }

    /// <summary>For lines that come with the ends of sessions, and not one for each.</summary>
    /// <returns>Whether there is room for one within the records of this second.</returns>
    public bool TryLine()
    {
        lock (_lock)
        {
            return TryTake(time.GetTimestamp());
        }
    }

    public void Write()
    {
        lock (_lock)
        {
            WriteSums(time.GetTimestamp());
        }
    }

    private bool TryTake(long now)
    {
        var earned = time.GetElapsedTime(_refilled, now).TotalSeconds * recordsPerSecond;
        _records = Math.Min(_recordsMax, _records + earned);
        _refilled = now;
        if (_records < 1)
        {
            return false;
        }

        _records--;
        return true;
    }

    private void WriteSums(long now)
    {
        var interval = (long)time.GetElapsedTime(_written, now).TotalMilliseconds;
        _written = now;
        foreach (var (listener, sums) in _sums)
        {
            SessionLog.Summarised(
                log, listener, sums.Sessions, sums.PayloadsIn, sums.BytesIn, sums.PayloadsOut, sums.BytesOut,
                sums.Drops, sums.Restarts, sums.ReasonsText, interval);
        }

        _sums.Clear();
    }

    private sealed class Sums
    {
        private readonly long[] _reasons = new long[Enum.GetValues<CloseReason>().Length];

        public long Sessions, PayloadsIn, BytesIn, PayloadsOut, BytesOut, Drops, Restarts;

        public string ReasonsText => string.Join(
            ' ',
            Enum.GetValues<CloseReason>()
                .Where(reason => _reasons[(int)reason] > 0)
                .Select(reason => $"{ClosedSet<CloseReason>.NameOf(reason)}={_reasons[(int)reason]}"));

        public void Add(SessionContext session, CloseReason reason)
        {
            Sessions++;
            PayloadsIn += session.PayloadsReceived;
            BytesIn += session.BytesReceived;
            PayloadsOut += session.PayloadsSent;
            BytesOut += session.BytesSent;
            Drops += session.Drops;
            Restarts += session.Restarts;
            _reasons[(int)reason]++;
        }
    }
}
