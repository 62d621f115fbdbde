using System.Net;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Listeners;

/// <summary>A drain of many sessions does not hold up the traffic of those that still work.</summary>
public sealed class DrainTests
{
    private const int Many = (2 * SessionWalk.VisitsPerStep) + 100;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(SessionWalk.StepMs);

    private readonly HashSet<SessionContext> _busy = [];
    private readonly Dictionary<SessionContext, int> _asked = [];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Sessions_are_asked_in_steps_and_a_round_that_is_under_way_is_not_begun_again(bool isTcp)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = isTcp ? kit.BindTcp(() => new Asked(this)) : kit.BindUdp(() => new Asked(this));
        Open(kit, listener, isTcp, Many);
        _busy.UnionWith(kit.OpenSessions);

        for (var i = 0; i < 10; i++)
        {
            listener.Drain();
            kit.RunUntilIdle();
        }

        Assert.Equal(SessionWalk.VisitsPerStep, _asked.Count);
        kit.Advance(2 * Step);
        Assert.Equal(Many, _asked.Count);
        Assert.All(_asked.Values, static times => Assert.Equal(1, times));

        listener.Drain();
        kit.Advance(3 * Step);
        Assert.All(_asked.Values, static times => Assert.Equal(2, times));
        Assert.Equal(Many, listener.Sessions);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Sessions_that_have_nothing_under_way_end_some_in_each_step(bool isTcp)
    {
        const int sessions = (2 * SessionWalk.MessagesPerStep) + 100;
        using var kit = new RouterTestKit(seed: 1);
        var listener = isTcp ? kit.BindTcp(() => new Asked(this)) : kit.BindUdp(() => new Asked(this));
        Open(kit, listener, isTcp, sessions);
        var busy = kit.OpenSessions.Where(static (_, number) => number % 3 == 0).ToList();
        _busy.UnionWith(busy);

        listener.Drain();
        kit.RunUntilIdle();
        Assert.Equal(SessionWalk.MessagesPerStep, sessions - kit.OpenSessions.Count(static open => !open.IsClosed));

        kit.Advance(2 * Step);
        Assert.Equal(busy.Count, kit.OpenSessions.Count(static session => !session.IsClosed));

        _busy.Clear();
        listener.Drain();
        kit.Advance(2 * Step);
        Assert.DoesNotContain(kit.OpenSessions, static session => !session.IsClosed);
    }

    [Fact]
    public void What_is_in_use_again_asks_nobody_more()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new Asked(this));
        Open(kit, listener, isTcp: false, Many);
        _busy.UnionWith(kit.OpenSessions);
        listener.Drain();
        kit.RunUntilIdle();

        listener.Shards[0].IsDraining = false;   // as a reload has it
        kit.Advance(2 * Step);

        Assert.Equal(SessionWalk.VisitsPerStep, _asked.Count);
    }

    [Fact]
    public void A_listener_that_stops_in_the_middle_of_a_round_leaves_nothing_behind()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new Asked(this));
        Open(kit, listener, isTcp: false, Many);
        _busy.UnionWith(kit.OpenSessions);
        listener.Drain();
        kit.RunUntilIdle();

        kit.Sys.Stop(listener.Actor);
        kit.RunUntilIdle();

        Assert.Empty(kit.OpenSessions);
        Assert.Equal(0, kit.Loops[0].ArmedTimers);
        kit.AssertNoLeakedBuffers();
    }

    private static void Open(RouterTestKit kit, KitListener listener, bool isTcp, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var endPoint = new IPEndPoint(new IPAddress([192, 0, 2, (byte)(i >> 12)]), 1_024 + (i & 0xFFF));
            if (isTcp)
            {
                kit.TcpPeer(endPoint.ToString(), listener);
            }
            else
            {
                kit.UdpPeer(endPoint.ToString(), listener).Send("a"u8);
            }

            if (i % 64 == 63)
            {
                kit.RunUntilIdle();
            }
        }

        kit.RunUntilIdle();
        Assert.Equal(count, listener.Sessions);
        Assert.Equal(0, listener.AllDrops());
    }

    /// <summary>Counts how often its session is asked whether it may end; it may unless it is busy.</summary>
    private sealed class Asked(DrainTests test) : SessionHandler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
        }

        internal override bool MayEndNow(SessionContext session)
        {
            test._asked[session] = test._asked.GetValueOrDefault(session) + 1;
            return !test._busy.Contains(session);
        }
    }
}
