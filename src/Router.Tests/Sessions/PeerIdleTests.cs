using Router.Diagnostics;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Routes;

namespace Router.Tests.Sessions;

/// <summary>The limit on a peer's own silence, whatever goes to it.</summary>
public sealed class PeerIdleTests
{
    private const string One = "10.0.0.1:53";
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_peer_that_is_gone_ends_its_session_although_its_upstream_goes_on(bool isTcp)
    {
        using var kit = NewKit();
        using var rig = new ProxyRig([One], kit: kit);
        var server = isTcp ? kit.TcpServer(One) : null;
        var upstream = isTcp ? null : kit.UdpPeer(One);
        var listener = isTcp ? rig.BindTcp() : rig.BindUdp();
        var tcp = isTcp ? kit.TcpPeer("192.0.2.7:5000", listener) : null;
        var udp = isTcp ? null : kit.UdpPeer("192.0.2.7:5000", listener);
        tcp?.Send("x"u8);
        udp?.Send("x"u8);
        kit.RunUntilIdle();
        for (var i = 0; i < 9; i++)
        {
            Stream();
        }

        tcp?.Send("y"u8);   // one word is enough
        udp?.Send("y"u8);
        for (var i = 0; i < 9; i++)
        {
            Stream();
        }

        Assert.Single(kit.OpenSessions);
        Stream();
        Stream();
        Assert.Equal(CloseReason.PeerIdle, kit.ExpectSessionClosed(tcp?.EndPoint ?? udp!.EndPoint));

        void Stream()
        {
            server?.Accepted.Single().Send("more"u8);
            upstream?.SendTo(upstream.Received[^1].From, "more"u8);
            kit.Advance(Second);
        }
    }

    [Fact]
    public void A_client_that_is_not_read_is_not_silent()
    {
        using var kit = NewKit();
        using var rig = new ProxyRig([One], kit: kit);
        var server = kit.TcpServer(One);
        server.OnAccepted = static peer => peer.IsReading = false;
        var client = kit.TcpPeer("192.0.2.7:5000", rig.BindTcp());
        client.Send(new byte[1 << 20]);
        kit.Advance(15 * Second);
        Assert.Single(kit.OpenSessions);

        Assert.Single(server.Accepted).IsReading = true;
        kit.Advance(9 * Second);
        Assert.Single(kit.OpenSessions);
        kit.Advance(2 * Second);
        Assert.Equal(CloseReason.PeerIdle, kit.ExpectSessionClosed(client.EndPoint));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Neither_is_one_whose_handler_holds_it(bool isReadOn)
    {
        using var kit = NewKit();
        var listener = kit.BindTcp(() => new ScriptHandler
        {
            Opened = session =>
            {
                session.IdleTimeout = Timeout.InfiniteTimeSpan;
                session.StopReading();
                session.SetTimer(15 * Second);
            },
            Timer = session =>
            {
                if (isReadOn)
                {
                    session.AllowReading();
                }
            },
        });
        var client = kit.TcpPeer("192.0.2.7:5000", listener);
        kit.Advance(60 * Second);
        Assert.Equal(!isReadOn, kit.OpenSessions.Any());
        Assert.Equal(isReadOn, client.HasFinished || client.IsReset);
    }

    /// <summary>Of the time of the last payload 32 bits are kept.</summary>
    [Theory]
    [InlineData(0L)]
    [InlineData(uint.MaxValue - 3_000L)]
    [InlineData((1L << 33) - 1)]
    public void The_deadline_is_exact_whatever_the_clock_says(long begin)
    {
        var settings = new SessionSettings(
            IdleTimeoutMs: 60_000, MaxLifetimeMs: 0, MaxSessions: 1, MailboxMessages: 1, MailboxBytes: 1,
            WriteBuffer: 1, MaxRestarts: 0, RestartWindow: Second, OnPool: false, PeerIdleTimeoutMs: 10_000);
        var times = new SessionTimes(begin);
        times.TouchReceived(begin + 2_000);
        times.Touch(begin + 7_000);

        Assert.Equal(begin + 12_000, times.NextDeadlineMs(settings, timerMs: -1));
        Assert.Equal(CloseReason.None, times.EndAt(begin + 11_999, settings));
        Assert.Equal(CloseReason.PeerIdle, times.EndAt(begin + 12_000, settings));
        Assert.Equal(
            CloseReason.Idle, times.EndAt(begin + 7_000 + 60_000, settings with { PeerIdleTimeoutMs = 0 }));
    }

    private static RouterTestKit NewKit()
    {
        var kit = new RouterTestKit(seed: 1);
        kit.Limits = kit.Limits with
        {
            IdleTimeout = TimeSpan.FromMinutes(5),
            PeerIdleTimeout = 10 * Second,
        };
        return kit;
    }
}
