using Router.Diagnostics;
using Router.Reporting;
using Router.TestKit;
using Router.Tests.Diagnostics;
using Router.Tests.Reporting;
using Router.Tests.Upstreams;

namespace Router.Tests.Routes;

/// <summary>Records name a session's own endpoint towards its upstream, which the upstream's log knows it by.</summary>
public sealed class UpstreamLocalTests
{
    private const string One = "10.0.0.1:53";
    private const string Two = "10.0.0.2:53";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void It_is_in_the_records_of_a_session(bool isTcp)
    {
        using var kit = new RouterTestKit(seed: 1, spares: 0);
        using var rig = new ProxyRig([One], kit: kit);
        var server = kit.TcpServer(One);
        var upstream = kit.UdpPeer(One);
        var tcp = isTcp ? kit.TcpPeer("192.0.2.7:5000", rig.BindTcp()) : null;
        var udp = isTcp ? null : kit.UdpPeer("192.0.2.7:5000", rig.BindUdp());
        tcp?.Send("x"u8);
        udp?.Send("x"u8);
        kit.RunUntilIdle();
        var expected = (isTcp ? server.Accepted.Single().EndPoint : upstream.Received.Single().From).ToString();
        var session = Assert.Single(kit.OpenSessions);
        var log = new LineLogger("Router", isText: true);
        var events = new SessionEvents(
            log, kit.Time, new SessionSummary(log, kit.Time, 1_000), AccessRig.Plain(log));

        events.Connected(session);
        session.CloseNow(CloseReason.Done);
        kit.RunUntilIdle();
        Assert.Empty(kit.OpenSessions);
        events.Closed(session, CloseReason.Done);

        Assert.Contains(" session-connected ", log.Lines[0], StringComparison.Ordinal);
        Assert.Contains(" session-closed ", log.Lines[1], StringComparison.Ordinal);
        Assert.All(log.Lines, line => Assert.Contains($" upstream-local={expected}", line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void It_is_in_the_record_of_a_failure(bool isTcp)
    {
        using var rig = new ProxyRig([One, Two]);
        var records = new UpstreamRecords();
        rig.Group.Events = records;
        var kit = rig.Kit;
        kit.TcpServer(Two);
        kit.UdpPeer(Two);
        if (isTcp)
        {
            kit.TcpPeer("192.0.2.7:5000", rig.BindTcp());
        }
        else
        {
            kit.UdpPeer("192.0.2.7:5000", rig.BindUdp()).Send("x"u8);
        }

        kit.RunUntilIdle();

        Assert.Contains("10.0.0.1:53 failed 1", Assert.Single(records.Lines), StringComparison.Ordinal);
        Assert.Equal(kit.Network.HostAddress, records.Local.Address);
        Assert.NotEqual(0, records.Local.Port);
        Assert.NotEqual(kit.OpenSessions.Single().Handler!.UpstreamLocal, records.Local);
    }
}
