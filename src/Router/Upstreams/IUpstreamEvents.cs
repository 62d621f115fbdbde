using Router.Net;

namespace Router.Upstreams;

/// <summary>What is written down about a group's upstreams. Must not block; on the pool.</summary>
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

    /// <summary>A target leads to one of our own listeners and is left off: once per endpoint.</summary>
    void OwnListener(string group, UpstreamTarget target, SocketAddr address);

    /// <summary>
    /// The names lead to more upstreams than a group can hold: those of this target beyond the limit are left off. Once
    /// per target.
    /// </summary>
    void TooMany(string group, UpstreamTarget target, int limit);
}
