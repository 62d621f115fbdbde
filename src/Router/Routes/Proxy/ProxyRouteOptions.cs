using Router.Configuration;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Routes;

internal sealed class ProxyRouteOptions(SectionReader route) : RouteOptions(route)
{
    /// <summary>How long one round of name resolution may take; resolvers give up later (resolv.conf(5): 5 s a
    /// try).</summary>
    internal static readonly TimeSpan ResolveTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long an upstream that refused is only a last resort.</summary>
    private static readonly TimeSpan FailTimeout = TimeSpan.FromSeconds(10);

    public IReadOnlyList<UpstreamOptions> Upstreams { get; } =
        route.List<UpstreamOptions>("upstreams", Reload.AtOnce, UpstreamOptions.Parse, optional: true);

    public ProxyRouteSettings Settings { get; } = new(
        Pick: route.Choice<PickPolicy>("pick", Reload.AtOnce),
        Responses: route.Int("responses", 0, 1_000_000, Reload.AtOnce),
        ConnectTimeout: route.Duration("connect-timeout", Limit.Tick, TimeSpan.FromMinutes(10), Reload.AtOnce),
        UpstreamIdleTimeout: route.Duration(
            "upstream-idle-timeout", Limit.Tick, Limit.Year, Reload.AtOnce, orInfinite: true),
        NextUpstreamTries: route.Int("next-upstream-tries", 1, 100, Reload.AtOnce),
        Replies: route.Choice<UpstreamReplies>("upstream-replies", Reload.NewSessions),
        OnUpstreamRemoved: route.Choice<UpstreamRemoval>("on-upstream-removed", Reload.AtOnce),
        KeepAlive: TcpSection.Read(route, Reload.NewSessions));

    /// <summary>Between two resolutions of an upstream's name.</summary>
    public TimeSpan ResolveInterval { get; } =
        route.Duration("resolve-interval", Limit.Second, Limit.Day, Reload.AtOnce);

    public override bool MayServeFlows => true;

    public override int DescriptorsPerSession => 1;

    public override IEnumerable<string> UpstreamNames => Upstreams.Select(static upstream => upstream.ToString());

    public override bool PicksAlike => Settings.Pick == PickPolicy.Hash || Upstreams.Count < 2;

    public override IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        if (Upstreams.Count == 0)
        {
            yield return Section.FaultAt("upstreams", "a proxy needs at least one upstream, as host:port");
        }

        var binds = context.ListenersOf(this).SelectMany(static listener => listener.Binds).ToList();
        if (Settings.Responses > 0 && binds.Count > 0 && !binds.Exists(b => b.Transport.IsConnectionless()))
        {
            yield return Section.FaultAt("responses",
                "counts datagrams, but no listener with this route is bound to udp:// or unixgram://");
        }

        foreach (var fault in UpstreamFaults.Of(this, binds, context))
        {
            yield return fault;
        }
    }

    public override Route Build(RouteEnvironment environment)
    {
        var targets = Upstreams.Select(static upstream => upstream.Target).ToList();
        var group = new UpstreamGroupSettings(Name, targets, ResolveInterval, ResolveTimeout, FailTimeout);
        return new ProxyRoute(Name, new UpstreamGroup(group, environment.Time), Settings);
    }
}
