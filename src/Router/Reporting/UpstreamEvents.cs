using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Net;
using Router.Upstreams;

namespace Router.Reporting;

/// <summary>Logs what happens to upstreams.</summary>
/// <param name="log">The router's.</param>
/// <param name="connectTimes">Where the time of each connect goes, seconds; null for nowhere.</param>
internal sealed class UpstreamEvents(ILogger log, Histogram<double>? connectTimes = null) : IUpstreamEvents
{
    public void Connected(string group, Upstream upstream, TimeSpan time)
    {
        if (connectTimes is { Enabled: true } times)
        {
            times.Record(time.TotalSeconds, new TagList { { "route", group }, { "upstream", upstream.Text } });
        }
    }

    public void Resolved(string group, UpstreamTarget target, IReadOnlyList<SocketAddr> addresses) =>
        UpstreamLog.Resolved(log, group, target.ToString(), string.Join(' ', addresses));

    public void Unresolved(string group, UpstreamTarget target, string error, int kept, TimeSpan retry) =>
        UpstreamLog.Unresolved(log, group, target.ToString(), error, kept, (long)retry.TotalMilliseconds);

    public void Failed(
        string group, Upstream upstream, in SocketAddr local, Errno errno, SocketOperation operation, int count)
    {
        var from = local.IsEmpty || local.IsUnix ? null : local.ToString();
        var error = ErrnoText.Describe(errno, ErrnoText.At(upstream.Address, operation));
        UpstreamLog.Failed(log, group, upstream.Text, from, error, count);
    }

    public void OwnListener(string group, UpstreamTarget target, SocketAddr address) =>
        UpstreamLog.Refused(log, group, target.ToString(), address.ToString(), "it is a listener of this router");

    public void TooMany(string group, UpstreamTarget target, int limit) =>
        UpstreamLog.Refused(log, group, target.ToString(), "-", $"a group holds at most {limit} upstreams");
}
