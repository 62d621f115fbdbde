using Router.Configuration;
using Router.Diagnostics;

namespace Router.Reporting;

/// <summary>Tells that a collector of OpenTelemetry does not take what is exported: once, and once more when it does
/// again. One thread at a time.</summary>
/// <param name="target">The collector.</param>
/// <param name="what">Is exported: logs, metrics or spans.</param>
/// <param name="time">The clock.</param>
/// <param name="failed">Logs a failure, given what is wrong and what to do.</param>
/// <param name="works">Logs the end of one, given its milliseconds.</param>
internal sealed class OtlpFailures(
    OtlpTarget target, string what, TimeProvider time, Action<string> failed, Action<long> works)
{
    private long _failedAt = -1;

    /// <summary>An export is over.</summary>
    public void Tell(bool isExported)
    {
        if (!isExported && _failedAt < 0)
        {
            _failedAt = time.GetTimestamp();
            failed($"it takes no {what}: is a collector there, and does it speak {Kebab.From($"{target.Protocol}")}?");
        }
        else if (isExported && _failedAt >= 0)
        {
            works((long)time.GetElapsedTime(_failedAt).TotalMilliseconds);
            _failedAt = -1;
        }
    }
}
