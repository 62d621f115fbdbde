using Router.Net;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Routes;

/// <summary>What becomes of a session whose upstream is one no more.</summary>
internal enum UpstreamRemoval
{
    /// <summary>It stays there until it ends.</summary>
    Finish,

    /// <summary>It ends; a stream that is not connected yet goes to another.</summary>
    Close,

    /// <summary>A datagram session goes on with another, and so does a stream that is not connected yet; one that is
    /// finishes.</summary>
    RePick,
}

/// <summary>Which replies of a UDP upstream are accepted.</summary>
internal enum UpstreamReplies
{
    /// <summary>Those from the endpoint that was sent to: the kernel refuses others.</summary>
    Strict,

    /// <summary>Those from any port of its address, which is sent to from then on.</summary>
    Follow,
}

/// <summary>What a proxy route does, as configured. Immutable.</summary>
/// <param name="Pick">How an upstream is picked for a session.</param>
/// <param name="Responses">
/// UDP: replies that end a session; 0 for no such end. A datagram that is sent while an earlier one is unanswered
/// brings as many of its own, so that late replies to a burst all arrive; what an upstream never answers leaves the end
/// to the idle timeout.
/// </param>
/// <param name="ConnectTimeout">TCP: how long one upstream may take to accept. At least 1 ms.</param>
/// <param name="UpstreamIdleTimeout">
/// Silence of the upstream, while something sent to it is unanswered, that ends the session; infinite for never. On UDP
/// as many datagrams are unanswered as were sent more than received; on TCP whatever was passed on since the upstream's
/// last bytes.
/// </param>
/// <param name="NextUpstreamTries">Upstreams a session tries in all, the first included. At least 1.</param>
/// <param name="Replies">Which replies of a UDP upstream are accepted.</param>
/// <param name="KeepAlive">TCP: when a connection to an upstream that is gone is given up; null for the system's own
/// rule.</param>
/// <param name="OnUpstreamRemoved">What becomes of a session whose upstream is one no more.</param>
internal sealed record ProxyRouteSettings(
    PickPolicy Pick,
    int Responses,
    TimeSpan ConnectTimeout,
    TimeSpan UpstreamIdleTimeout,
    int NextUpstreamTries,
    UpstreamReplies Replies = UpstreamReplies.Strict,
    UpstreamRemoval OnUpstreamRemoved = UpstreamRemoval.Finish,
    KeepAliveOptions? KeepAlive = null);

/// <summary>
/// Passes a session's payloads to an upstream and back: UDP by a connected socket of its own, TCP by a connection.
/// </summary>
/// <remarks>Handlers run on the loop: the listener's sessions must not be put on the pool.</remarks>
internal sealed class ProxyRoute(string name, UpstreamGroup group, ProxyRouteSettings settings) : Route(name)
{
    public UpstreamGroup Group => group;

    /// <summary>Live sessions go by them too: a session reads them when it needs them.</summary>
    public ProxyRouteSettings Settings { get; private set; } = settings;

    /// <summary>0 for never.</summary>
    public int UpstreamIdleMs { get; private set; } = MillisecondsOf(settings.UpstreamIdleTimeout);

    /// <summary>Goes by other settings from now on. Any thread, one at a time.</summary>
    /// <returns>Whether a live session may be due sooner than it was: it has to look at its timer again.</returns>
    public bool Apply(ProxyRouteSettings settings)
    {
        var (silenceMs, connectTimeout) = (UpstreamIdleMs, Settings.ConnectTimeout);
        UpstreamIdleMs = MillisecondsOf(settings.UpstreamIdleTimeout);
        Settings = settings;
        return (UpstreamIdleMs > 0 && (silenceMs == 0 || UpstreamIdleMs < silenceMs))
            || settings.ConnectTimeout < connectTimeout;
    }

    internal override bool WatchesStream => true;

    internal override bool LetsGoOf(SessionContext session) => session.Transport.IsConnectionless();

    internal override SessionHandler CreateHandler(SessionContext session) =>
        session.Stream is not null ? new TcpProxyHandler(this)
        : session.Packets is not null ? new PacketProxyHandler(this)
        : new UdpProxyHandler(this);

    private static int MillisecondsOf(TimeSpan time) => time == Timeout.InfiniteTimeSpan
        ? 0
        : (int)Math.Clamp(time.TotalMilliseconds, 1, int.MaxValue);
}
