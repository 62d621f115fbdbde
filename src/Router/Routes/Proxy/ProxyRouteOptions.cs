using Router.Configuration;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Routes;

/// <summary>Payloads go to one of the upstreams, its answers to the peer.</summary>
internal sealed class ProxyRouteOptions(SectionReader route) : RouteOptions(route)
{
    /// <summary>How long one round of name resolution may take; resolvers give up later (resolv.conf(5): 5 s a
    /// try).</summary>
    internal static readonly TimeSpan ResolveTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long an upstream that refused is only a last resort.</summary>
    private static readonly TimeSpan FailTimeout = TimeSpan.FromSeconds(10);

    public IReadOnlyList<UpstreamOptions> Upstreams { get; } =
        route.List<UpstreamOptions>("upstreams", Reload.AtOnce, UpstreamOptions.Parse, optional: true);

    public PickPolicy Pick { get; } = route.Choice<PickPolicy>("pick", Reload.AtOnce);

    /// <summary>Answers after which a UDP session ends; 0 is unlimited.</summary>
    public int Responses { get; } = route.Int("responses", 0, 1_000_000, Reload.AtOnce);

    public TimeSpan ConnectTimeout { get; } =
        route.Duration("connect-timeout", Limit.Tick, TimeSpan.FromMinutes(10), Reload.AtOnce);

    /// <summary><see cref="Timeout.InfiniteTimeSpan"/> for none.</summary>
    public TimeSpan UpstreamIdleTimeout { get; } =
        route.Duration("upstream-idle-timeout", Limit.Tick, Limit.Year, Reload.AtOnce, orInfinite: true);

    /// <summary>Upstreams tried for one session, the first included.</summary>
    public int NextUpstreamTries { get; } = route.Int("next-upstream-tries", 1, 100, Reload.AtOnce);

    /// <summary>Which replies of a UDP upstream are accepted.</summary>
    public UpstreamReplies UpstreamReplies { get; } =
        route.Choice<UpstreamReplies>("upstream-replies", Reload.NewSessions);

    /// <summary>Between two resolutions of an upstream's name.</summary>
    public TimeSpan ResolveInterval { get; } =
        route.Duration("resolve-interval", Limit.Second, Limit.Day, Reload.AtOnce);

    /// <summary>What becomes of a session whose upstream is one no more.</summary>
    public UpstreamRemoval OnUpstreamRemoved { get; } =
        route.Choice<UpstreamRemoval>("on-upstream-removed", Reload.AtOnce);

    public override bool MayServeFlows => true;

    public override int DescriptorsPerSession => 1;

    public override IEnumerable<string> UpstreamNames => Upstreams.Select(static upstream => upstream.ToString());

    public override Route Build(RouteEnvironment environment)
    {
        var group = new UpstreamGroup(
            new UpstreamGroupSettings(
                Name, [.. Upstreams.Select(static upstream => upstream.Target)], ResolveInterval, ResolveTimeout,
                FailTimeout),
            environment.Time);
        return new ProxyRoute(Name, new ProxyRouteSettings(
            group,
            Pick,
            Responses,
            ConnectTimeout,
            UpstreamIdleTimeout,
            NextUpstreamTries,
            UpstreamReplies == UpstreamReplies.Follow,
            OnUpstreamRemoved));
    }
}

internal enum UpstreamReplies
{
    /// <summary>From the endpoint that was sent to.</summary>
    Strict,

    /// <summary>From any port of its address, which is sent to from then on.</summary>
    Follow,
}
