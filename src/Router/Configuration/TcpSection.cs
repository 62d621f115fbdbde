using Router.Net;

namespace Router.Configuration;

/// <summary>The keys of <c>tcp { }</c>, which listeners and proxies have: when a connection whose other end is gone is
/// given up.</summary>
internal static class TcpSection
{
    /// <summary>The kernel's limit for both times of its probes (MAX_TCP_KEEPIDLE), in whole hours.</summary>
    private static readonly TimeSpan ProbeMax = TimeSpan.FromHours(9);

    public static KeepAliveOptions Read(SectionReader entry, Reload reload)
    {
        var tcp = entry.Child("tcp");
        return new KeepAliveOptions(
            IdleSeconds: Seconds(tcp.Duration("keepalive-idle", Limit.Second, ProbeMax, reload, orInfinite: true)),
            IntervalSeconds: Seconds(tcp.Duration("keepalive-interval", Limit.Second, ProbeMax, reload)),
            Count: tcp.Int("keepalive-count", 1, 127, reload),
            UserTimeoutMs: tcp.Milliseconds("user-timeout", Limit.Second, Limit.Day, reload, orInfinite: true));
    }

    private static int Seconds(TimeSpan time) => time < TimeSpan.Zero ? 0 : (int)Math.Ceiling(time.TotalSeconds);
}
