using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Sessions;

/// <summary>Prepared sessions: opening takes them, ends refill them, and peers see no difference.</summary>
public sealed class PreparedSessionsTests
{
    private const int Wanted = 3 * PreparedSessions.RefillSessions;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Sessions_beyond_those_that_are_prepared_are_made_as_they_open(bool onPool)
    {
        using var kit = new RouterTestKit(prepared: 2);
        var prepared = kit.Surroundings.Loops[0].Prepared;
        var listener = kit.BindUdp(Echo, limits: kit.Limits with { OnPool = onPool });
        Assert.Equal(2, prepared.Count);

        var peers = Enumerable.Range(0, 4).Select(i => kit.UdpPeer($"192.0.2.7:{5000 + i}", listener)).ToList();
        for (var i = 0; i < peers.Count; i++)
        {
            peers[i].Send("hello"u8);
            kit.RunUntilIdle();
            Assert.Equal(Math.Max(0, 1 - i), prepared.Count);
        }

        Assert.All(peers, static peer => Assert.Equal(["hello"], peer.ReceivedText));
        Assert.Equal(4, kit.OpenSessions.Select(static session => session.Id).Distinct().Count());
        Assert.Equal(4, kit.OpenSessions.Select(static session => session.Self.Path).Distinct().Count());
    }

    [Fact]
    public void Streams_take_them_too()
    {
        using var kit = new RouterTestKit(prepared: 1);
        var listener = kit.BindTcp(Echo);

        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        peer.Send("hello"u8);
        kit.RunUntilIdle();

        Assert.Equal("hello", peer.ReceivedText);
        Assert.Equal(0, kit.Surroundings.Loops[0].Prepared.Count);
    }

    /// <summary>New objects, at a bounded rate, and never more than wanted with those that are open.</summary>
    [Fact]
    public void They_are_refilled_slowly_when_sessions_have_ended()
    {
        const int Ended = Wanted - 10;
        using var kit = new RouterTestKit(prepared: Wanted);
        var prepared = kit.Surroundings.Loops[0].Prepared;
        var listener = kit.BindUdp(Echo);
        for (var i = 0; i < Wanted; i++)
        {
            kit.UdpPeer($"192.0.2.7:{5000 + i}", listener).Send("hello"u8);
            kit.RunUntilIdle();
        }

        kit.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, prepared.Count);   // nobody has ended
        var used = kit.OpenSessions.ToHashSet();
        foreach (var session in kit.OpenSessions.Take(Ended).ToList())
        {
            session.Close();
        }

        kit.RunUntilIdle();
        Assert.Equal(0, prepared.Count);
        var steps = new List<int>();
        for (var i = 0; i < 8; i++)
        {
            kit.Advance(TimeSpan.FromMilliseconds(PreparedSessions.RefillMs));
            steps.Add(prepared.Count);
        }

        Assert.Equal(Ended, steps[^1]);
        Assert.All(
            steps.Prepend(0).Zip(steps),
            static step => Assert.InRange(step.Second - step.First, 0, PreparedSessions.RefillSessions));
        Assert.All(Enumerable.Range(0, Ended), _ => Assert.DoesNotContain(prepared.Take(), used));
    }

    [Fact]
    public void A_router_that_stops_refills_none()
    {
        using var kit = new RouterTestKit(prepared: 2);
        var prepared = kit.Surroundings.Loops[0].Prepared;
        var listener = kit.BindUdp(Echo);
        kit.UdpPeer("192.0.2.7:5000", listener).Send("hello"u8);
        kit.RunUntilIdle();

        prepared.Stop();
        kit.OpenSessions.Single().Close();
        kit.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(1, prepared.Count);
    }

    /// <summary>A handler that has ended may still hold its session, and anybody its actor.</summary>
    [Fact]
    public void What_is_told_to_an_ended_session_reaches_no_other()
    {
        using var kit = new RouterTestKit(prepared: 1);
        var told = new List<object>();
        var listener = kit.BindUdp(() => new ScriptHandler { Message = (_, message) => told.Add(message) });
        kit.UdpPeer("192.0.2.7:5000", listener).Send("hello"u8);
        kit.RunUntilIdle();
        var ended = kit.OpenSessions.Single();
        ended.Close();
        kit.Advance(TimeSpan.FromSeconds(1));
        kit.UdpPeer("192.0.2.7:5001", listener).Send("hello"u8);
        kit.RunUntilIdle();
        Assert.Equal(0, kit.Surroundings.Loops[0].Prepared.Count);

        ended.Self.Tell("for whom?");
        kit.RunUntilIdle();

        Assert.Empty(told);
        Assert.True(ended.IsClosed);
    }

    private static ScriptHandler Echo() => new() { Received = static (session, text) => session.Reply(text) };
}
