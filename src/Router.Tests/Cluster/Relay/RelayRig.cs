using Microsoft.Extensions.Logging.Abstractions;
using Router.Cluster.Relay;
using Router.Loop;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Routes;
using Router.Upstreams;

namespace Router.Tests.Cluster.Relay;

/// <summary>Two members in one kit, which relay to each other: a proxy each with a listener of the same name, before
/// the same upstream.</summary>
public abstract class RelayRig : RouterActorTestKit
{
    internal const string Upstream = "10.0.0.1:53";

    internal static readonly RelayOptions Defaults =
        new(512 << 10, TimeSpan.FromMinutes(5), TimeSpan.FromMilliseconds(250), AskedMax: 100);

    private protected RelayRig()
        : base(seed: 1, loops: 2)
    {
    }

    private protected RelayMemberRig Member(string name, RelayOptions? options = null)
    {
        var span = new RelaySpan(
            Sys, name, Kit.Loops, options ?? Defaults, Kit.Random.Fork(), Kit.Time, NullLogger.Instance);
        span.Start(dispatcher: null, static _ => { }, static _ => null);
        return new RelayMemberRig(Kit, span);
    }

    /// <summary>They know each other from now on.</summary>
    private protected void Meet(params RelayMemberRig[] members)
    {
        foreach (var (one, other) in
            from one in members
            from other in members
            where one != other
            select (one, other))
        {
            one.Span.Table.Add(other.Span.Actor, uid: 1);
        }

        Kit.Advance(TimeSpan.FromSeconds(1));
    }

    private protected static ProxyRig Proxy(RouterTestKit kit) =>
        new([Upstream], static settings => settings with { Pick = PickPolicy.Hash }, kit: kit);
}

/// <summary>A member: a proxy's listener and a relay.</summary>
internal sealed class RelayMemberRig(RouterTestKit kit, RelaySpan span)
{
    public RelaySpan Span => span;

    public RelayFigures Figures => span.Figures;

    public KitListener Listener { get; private set; } = null!;

    public ProxyRig Proxy { get; private set; } = null!;

    public RelayMemberRig Bind(
        ProxyRig proxy, bool isDirect = false, string? endPoint = null, int maxSessions = 1_000, int mailbox = 1_024)
    {
        kit.RelayOf = LoopOf;
        Proxy = proxy;
        Listener = kit.BindUdp(proxy.Route, endPoint, new ListenerLimits
        {
            Name = "dns",
            Strays = new StraySettings(isDirect),
            MaxSessions = maxSessions,
            MailboxMessages = mailbox,
        });
        kit.RelayOf = null;
        return this;
    }

    private RelayLoop LoopOf(IoLoop loop) => span.Loops[loop.Index];
}
