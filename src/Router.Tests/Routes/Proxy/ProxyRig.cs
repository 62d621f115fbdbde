using Router.Routes;
using Router.TestKit;
using Router.Tests.Upstreams;
using Router.Upstreams;

namespace Router.Tests.Routes;

/// <summary>A proxy route with a listener of each kind in a kit.</summary>
internal sealed class ProxyRig : IDisposable
{
    public ProxyRig(
        string[] upstreams,
        Func<ProxyRouteSettings, ProxyRouteSettings>? change = null,
        long seed = 1,
        RouterTestKit? kit = null)
    {
        Kit = kit ?? new RouterTestKit(seed);
        Clock = new GroupClock(Kit.Time);
        Group = TestUpstreams.Group(Clock, upstreams);
        var settings = new ProxyRouteSettings(
            PickPolicy.RoundRobin, Responses: 0, TimeSpan.FromSeconds(1),
            Timeout.InfiniteTimeSpan, NextUpstreamTries: 3);
        Route = new ProxyRoute("proxy", Group, change?.Invoke(settings) ?? settings);
    }

    public RouterTestKit Kit { get; }

    public UpstreamGroup Group { get; }

    public GroupClock Clock { get; }

    public ProxyRoute Route { get; }

    /// <summary>Sessions counted on each upstream.</summary>
    public IEnumerable<int> Counts => Group.Current.Upstreams.ToArray().Select(upstream => upstream.Sessions);

    public KitListener BindUdp() => Kit.BindUdp(Route);

    public KitListener BindTcp() => Kit.BindTcp(Route);

    /// <summary>An upstream that answers every datagram with the same bytes.</summary>
    public UdpPeer UdpEcho(string endPoint)
    {
        var peer = Kit.UdpPeer(endPoint);
        peer.OnReceived = datagram => peer.SendTo(datagram.From, datagram.Payload);
        return peer;
    }

    /// <summary>An upstream that answers every byte with the same.</summary>
    public TcpServer TcpEcho(string endPoint)
    {
        var server = Kit.TcpServer(endPoint);
        server.OnAccepted = peer => peer.OnReceived = (self, bytes) => self.Send(bytes.Span);
        return server;
    }

    /// <summary>Nothing is left over once every session has ended: no socket, buffer or count.</summary>
    public void AssertNothingLeft()
    {
        Kit.AssertNoLeakedBuffers();
        Assert.Empty(Kit.OpenSessions);
        Assert.All(Counts, count => Assert.Equal(0, count));
    }

    public void Dispose() => Kit.Dispose();
}

/// <summary>The group's clock. Handlers ask it when an upstream fails: there a test has them fail.</summary>
internal sealed class GroupClock(TimeProvider clock) : TimeProvider
{
    public bool Fails { get; set; }

    public override long TimestampFrequency => clock.TimestampFrequency;

    public override long GetTimestamp() =>
        Fails ? throw new InvalidOperationException("the clock fails") : clock.GetTimestamp();
}
