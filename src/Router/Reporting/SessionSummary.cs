using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Reporting;

/// <summary>
/// Limits access records to so many a second, and sums up the sessions that close beyond it: a million that expire at
/// once must neither hold up their loops by a million lines nor vanish from the log.
/// </summary>
/// <param name="log">Where the sums go: a line per listener, at most once a second, and with the stats.</param>
/// <param name="recordsPerSecond">A tenth of it may come at once.</param>
/// <remarks>Any thread.</remarks>
internal sealed class SessionSummary(ILogger log, TimeProvider time, int recordsPerSecond)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Sums> _sums = new(StringComparer.Ordinal);   // one per listener
    private readonly double _recordsMax = Math.Min(recordsPerSecond, Math.Max(1, recordsPerSecond / 10));
    private double _records = Math.Min(recordsPerSecond, Math.Max(1, recordsPerSecond / 10));
    private long _refilled = time.GetTimestamp();
    private long _written = time.GetTimestamp();

    /// <summary>Takes one record's place, or counts the session into its listener's sums.</summary>
    /// <returns>Whether the session gets a record.</returns>
    public bool TryRecord(SessionContext session, CloseReason reason)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            if (_sums.Count > 0 && time.GetElapsedTime(_written, now) >= Interval)
            {
                WriteSums(now);
            }

            var earned = time.GetElapsedTime(_refilled, now).TotalSeconds * recordsPerSecond;
            _records = Math.Min(_recordsMax, _records + earned);
            _refilled = now;
            if (_records >= 1)
            {
                _records--;
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

    /// <summary>Writes what has been summed up.</summary>
    public void Write()
    {
        lock (_lock)
        {
            WriteSums(time.GetTimestamp());
        }
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

        public long Sessions { get; private set; }

        public long PayloadsIn { get; private set; }

        public long BytesIn { get; private set; }

        public long PayloadsOut { get; private set; }

        public long BytesOut { get; private set; }

        public long Drops { get; private set; }

        public long Restarts { get; private set; }

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
