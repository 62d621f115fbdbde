using Router.Net;

namespace Router.Upstreams;

/// <summary>
/// What is written down about a group's upstreams. Must not block; on the pool, unless said otherwise.
/// </summary>
internal interface IUpstreamEvents
{
    /// <summary>A name resolved for the first time, after a failure, or to other addresses than before.</summary>
    void Resolved(string group, UpstreamTarget target, IReadOnlyList<SocketAddr> addresses);

    /// <summary>A name does not resolve: once, until it does again.</summary>
    /// <param name="group">Whose name it is.</param>
    /// <param name="target">The name.</param>
    /// <param name="error">Why, in words.</param>
    /// <param name="kept">Addresses of the last good answer that stay in use.</param>
    /// <param name="retry">When it is asked again.</param>
    void Unresolved(string group, UpstreamTarget target, string error, int kept, TimeSpan retry);

    /// <summary>A session could not reach an upstream, or was refused: at most once a second and upstream. Any
    /// thread.</summary>
    /// <param name="group">The upstream's.</param>
    /// <param name="upstream">Which.</param>
    /// <param name="local">The session's own end of its socket; empty if it had none.</param>
    /// <param name="errno">Why.</param>
    /// <param name="operation">What was being done.</param>
    /// <param name="count">Failures since the last time, this one included.</param>
    void Failed(
        string group, Upstream upstream, in SocketAddr local, Errno errno, SocketOperation operation, int count);

    /// <summary>A session's connection to an upstream was accepted. Loop thread.</summary>
    /// <param name="group">The upstream's.</param>
    /// <param name="upstream">Which.</param>
    /// <param name="time">From the attempt on.</param>
    void Connected(string group, Upstream upstream, TimeSpan time)
    {
    }

    /// <summary>A target leads to one of our own listeners and is left off: once per endpoint.</summary>
    void OwnListener(string group, UpstreamTarget target, SocketAddr address);

    /// <summary>
    /// The names lead to more upstreams than a group can hold: those of this target beyond the limit are left off. Once
    /// per target.
    /// </summary>
    void TooMany(string group, UpstreamTarget target, int limit);
}
