using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Sessions;

/// <summary>A program's handlers while their listener drains.</summary>
public sealed class DrainingTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(SessionQuiet.QuietMs);

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_session_that_is_quiet_for_a_moment_ends(bool isTcp, bool onPool)
    {
        using var kit = NewKit(onPool);
        var listener = isTcp
            ? kit.BindTcp(static () => new ScriptHandler())
            : kit.BindUdp(static () => new ScriptHandler());
        var (udp, tcp) = isTcp
            ? (null, kit.TcpPeer("192.0.2.7:5000", listener))
            : (kit.UdpPeer("192.0.2.7:5000", listener), (TcpPeer?)null);
        udp?.Send("x"u8);
        tcp?.Send("x"u8);
        kit.RunUntilIdle();

        Drain(kit, listener, Moment - TimeSpan.FromMilliseconds(100));
        Assert.Single(kit.OpenSessions, static session => !session.IsClosed);

        Drain(kit, listener, TimeSpan.FromMilliseconds(200));
        Assert.DoesNotContain(kit.OpenSessions, static session => !session.IsClosed);
        tcp?.Finish();
        kit.RunUntilIdle();
        Assert.Empty(kit.OpenSessions);
        Assert.Equal((isTcp, false), (tcp?.HasFinished ?? false, tcp?.IsReset ?? false));
    }

    [Fact]
    public void One_that_has_been_quiet_ends_at_once_and_traffic_keeps_another()
    {
        using var kit = NewKit(onPool: false);
        var listener = kit.BindUdp(static () => new ScriptHandler());
        var (quiet, busy) = (kit.UdpPeer("192.0.2.7:5000", listener), kit.UdpPeer("192.0.2.7:5001", listener));
        quiet.Send("x"u8);
        busy.Send("x"u8);
        kit.Advance(Moment);
        for (var i = 0; i < 10; i++)
        {
            busy.Send("x"u8);
            Drain(kit, listener, Moment / 4);
            Assert.Single(kit.OpenSessions);
        }

        Assert.Equal(11, busy.Received.Count);
        Drain(kit, listener, Moment);
        Assert.Empty(kit.OpenSessions);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_handler_says_farewell_and_ends_when_it_likes(bool onPool)
    {
        using var kit = NewKit(onPool);
        var asked = 0;
        var listener = kit.BindTcp(() => new Asked(session => ++asked switch
        {
            1 => !session.Reply("bye"u8),
            var times => times > 60,
        }));
        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        kit.RunUntilIdle();

        Drain(kit, listener, Moment);
        Assert.Equal(("bye", false), (peer.ReceivedText, peer.HasFinished));

        Drain(kit, listener, Moment);
        Assert.True(peer.HasFinished);
        Assert.Equal(61, asked);
    }

    [Fact]
    public void A_handler_at_work_on_the_pool_is_asked_once_until_it_answers()
    {
        using var kit = NewKit(onPool: true);
        var asked = 0;
        KitListener? listener = null;
        listener = kit.BindUdp(() => new Asked(_ =>
        {
            asked++;
            return false;
        })
        {
            Received = () =>
            {
                // What is told while it works waits behind this call.
                for (var i = 0; i < 5; i++)
                {
                    SessionVisits.Drain(Assert.Single(kit.OpenSessions));
                }
            },
        });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        listener.Shards[0].IsDraining = false;
        peer.Send("x"u8);
        kit.RunUntilIdle();
        listener.Shards[0].IsDraining = true;
        peer.Send("x"u8);
        kit.RunUntilIdle();

        Assert.Equal(1, asked);
    }

    [Fact]
    public void One_that_fails_when_it_is_asked_is_replaced_as_after_any_failure()
    {
        using var kit = NewKit(onPool: false);
        var asked = 0;
        var listener = kit.BindUdp(() => new Asked(_ =>
            ++asked == 1 ? throw new InvalidOperationException("told to") : true));
        kit.UdpPeer("192.0.2.7:5000", listener).Send("x"u8);
        kit.RunUntilIdle();

        Drain(kit, listener, TimeSpan.FromMilliseconds(200));

        Assert.Empty(kit.OpenSessions);
        Assert.Equal((2, 1), (asked, listener.Restarts));
    }

    [Fact]
    public void What_a_slow_reader_has_not_taken_keeps_its_session()
    {
        using var kit = NewKit(onPool: false);
        var listener = kit.BindTcp(static () => new ScriptHandler
        {
            Opened = static session =>
            {
                while (session.Reply(new byte[8_192]))
                {
                }
            },
        });
        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        peer.IsReading = false;
        kit.RunUntilIdle();
        Drain(kit, listener, 2 * Moment);
        Assert.Single(kit.OpenSessions, static session => !session.IsClosed);

        peer.IsReading = true;
        Drain(kit, listener, 2 * Moment);
        Assert.Equal((true, false), (peer.HasFinished, peer.IsReset));
    }

    private static RouterTestKit NewKit(bool onPool)
    {
        var kit = new RouterTestKit(seed: 1);
        kit.Limits = kit.Limits with { IdleTimeout = Timeout.InfiniteTimeSpan, OnPool = onPool };
        return kit;
    }

    /// <summary>As the router does while it drains.</summary>
    private static void Drain(RouterTestKit kit, KitListener listener, TimeSpan time)
    {
        for (var left = time; left > TimeSpan.Zero; left -= TimeSpan.FromMilliseconds(50))
        {
            listener.Drain();
            kit.Advance(TimeSpan.FromMilliseconds(50));
        }
    }

    private sealed class Asked(Func<SessionContext, bool> mayEnd) : SessionHandler
    {
        public Action? Received { get; init; }

        public override void OnReceived(SessionContext session, PayloadBatch batch) => Received?.Invoke();

        public override bool OnDraining(SessionContext session) => mayEnd(session);
    }
}
