using System.Reflection;
using Router.Listeners;
using Router.Routes;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Sessions;

/// <summary>Spare sessions: who opens takes one, who ends becomes one, and peers see no difference.</summary>
public sealed class SpareSessionsTests
{
    [Fact]
    public void Sessions_beyond_those_that_were_made_ahead_are_made_as_they_open()
    {
        using var kit = new RouterTestKit(prepared: 2);
        var spares = kit.ListenerEnvironment.Loops[0].SpareSessions;
        var listener = kit.BindUdp(Echo);
        Assert.Equal(2, spares.Count);

        var peers = Enumerable.Range(0, 4).Select(i => kit.UdpPeer($"192.0.2.7:{5000 + i}", listener)).ToList();
        for (var i = 0; i < peers.Count; i++)
        {
            peers[i].Send("hello"u8);
            kit.RunUntilIdle();
            Assert.Equal(Math.Max(0, 1 - i), spares.Count);
        }

        Assert.All(peers, static peer => Assert.Equal(["hello"], peer.ReceivedText));
        Assert.Equal(4, kit.OpenSessions.Select(static session => session.Id).Distinct().Count());
        Assert.Equal(4, kit.OpenSessions.Select(static session => session.Ref.Path).Distinct().Count());
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
        Assert.Equal(0, kit.ListenerEnvironment.Loops[0].SpareSessions.Count);
    }

    [Fact]
    public void All_listeners_of_a_loop_share_those_that_are_made_ahead()
    {
        using var kit = new RouterTestKit(prepared: 4, spares: 0);
        var one = kit.BindUdp(Echo);
        Assert.Equal(4, one.Shards[0].Spares.Count);

        var other = kit.BindTcp(Echo);
        Assert.Equal(4, kit.ListenerEnvironment.Loops[0].SpareSessions.Count);
        Assert.Empty(other.Shards[0].Spares);
    }

    [Fact]
    public void An_ended_sessions_actor_serves_the_next_peer_who_finds_everything_as_new()
    {
        using var kit = new RouterTestKit();
        var listener = kit.BindUdp(new EchoRoute("echo"));
        var first = kit.UdpPeer("192.0.2.7:5000", listener);
        first.Send("hello"u8);
        kit.RunUntilIdle();
        var before = kit.OpenSessions.Single();
        var (path, id) = (before.Ref.Path, before.Id);
        kit.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(1, kit.ListenerEnvironment.Loops[0].SpareSessions.Count);

        kit.UdpPeer("192.0.2.8:5000", listener).Send("hi"u8);
        kit.RunUntilIdle();

        var after = kit.OpenSessions.Single();
        Assert.Equal(path, after.Ref.Path);
        Assert.NotEqual(id, after.Id);
        Assert.Equal((1, 2, 1, 2), (after.PayloadsReceived, after.BytesReceived, after.PayloadsSent, after.BytesSent));
        Assert.Equal(0, kit.ListenerEnvironment.Loops[0].SpareSessions.Count);
    }

    /// <summary>Whatever is added to a session later has to begin anew with the next peer too.</summary>
    [Fact]
    public void A_session_that_was_used_and_reset_is_as_a_new_one()
    {
        using var kit = new RouterTestKit();
        var listener = kit.BindUdp(new EchoRoute("echo"));
        kit.UdpPeer("192.0.2.7:5000", listener).Send("hello"u8);
        kit.RunUntilIdle();
        var used = kit.OpenSessions.Single();
        used.IdleTimeout = TimeSpan.FromSeconds(5);
        used.SetTimer(TimeSpan.FromHours(1));
        used.MarkPeerValidated();
        kit.Advance(TimeSpan.FromSeconds(6));
        Assert.Same(used, listener.Shards[0].Spares.Single());

        var fresh = new SessionContext();
        fresh.Reset(used.Actor!, used.Ref);

        // Set by Begin, whatever they were.
        string[] begun = [nameof(SessionContext.Id), "TableHash", "PeerAddr",
            "_times", "_openedTicksUtc", "TimerDueMs"];
        Assert.All(Fields(), field =>
        {
            if (!begun.Any(name => field.Name.Contains(name, StringComparison.Ordinal)))
            {
                Assert.True(Equals(field.GetValue(fresh), field.GetValue(used)), field.Name);
            }
        });
    }

    [Fact]
    public void No_more_are_kept_than_the_limit_says()
    {
        using var kit = new RouterTestKit(spares: 3);
        var listener = kit.BindUdp(new EchoRoute("echo"));
        for (var i = 0; i < 10; i++)
        {
            kit.UdpPeer($"192.0.2.7:{5000 + i}", listener).Send("hello"u8);
        }

        kit.RunUntilIdle();
        kit.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(0, listener.Sessions);
        Assert.Equal(3, kit.ListenerEnvironment.Loops[0].SpareSessions.Count);
    }

    [Fact]
    public void Not_kept_is_whose_reference_was_read() => IsKept(kept: false, static session => _ = session.Self);

    [Fact]
    public void Not_kept_is_what_has_a_message_waiting() =>
        IsKept(kept: false, static session => session.Ref.Tell(new object(), ActorRefs.NoSender));

    [Fact]
    public void Kept_is_who_did_nothing_of_the_kind() => IsKept(kept: true, static _ => { });

    [Fact]
    public void Not_kept_is_who_was_found_by_its_path()
    {
        using var kit = new RouterTestKit();
        var listener = kit.BindUdp(Echo);
        kit.UdpPeer("192.0.2.7:5000", listener).Send("hello"u8);
        kit.RunUntilIdle();
        var path = kit.OpenSessions.Single().Ref.Path;

        kit.Sys.ActorSelection(path.ToStringWithoutAddress()).Tell(new Identify(1), ActorRefs.NoSender);
        kit.RunUntilIdle();
        kit.OpenSessions.Single().Close();
        kit.RunUntilIdle();

        Assert.Equal(0, kit.ListenerEnvironment.Loops[0].SpareSessions.Count);
    }

    [Fact]
    public void A_spare_one_that_was_found_by_its_path_serves_nobody()
    {
        using var kit = new RouterTestKit();
        var listener = kit.BindUdp(Echo);
        kit.UdpPeer("192.0.2.7:5000", listener).Send("hello"u8);
        kit.RunUntilIdle();
        var path = kit.OpenSessions.Single().Ref.Path;
        kit.OpenSessions.Single().Close();
        kit.RunUntilIdle();
        Assert.Equal(1, kit.ListenerEnvironment.Loops[0].SpareSessions.Count);

        kit.Sys.ActorSelection(path.ToStringWithoutAddress()).Tell(new Identify(1), ActorRefs.NoSender);
        kit.RunUntilIdle();
        kit.UdpPeer("192.0.2.8:5000", listener).Send("hello"u8);
        kit.RunUntilIdle();

        Assert.NotEqual(path, kit.OpenSessions.Single().Ref.Path);
    }

    [Fact]
    public void Handlers_on_the_pool_have_none()
    {
        using var kit = new RouterTestKit(prepared: 2);
        var listener = kit.BindUdp(Echo, limits: kit.Limits with { OnPool = true });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("hello"u8);
        kit.RunUntilIdle();
        Assert.Equal(["hello"], peer.ReceivedText);

        kit.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(0, kit.ListenerEnvironment.Loops[0].SpareSessions.Count);
    }

    /// <summary>Those that ended for good are made up for, at a bounded rate.</summary>
    [Fact]
    public void What_was_made_ahead_and_used_up_is_refilled_slowly()
    {
        const int Wanted = 3 * SpareSessions.RefillSessions;
        using var kit = new RouterTestKit(prepared: Wanted, spares: 0);
        var spares = kit.ListenerEnvironment.Loops[0].SpareSessions;
        var listener = kit.BindUdp(Echo);
        for (var i = 0; i < Wanted; i++)
        {
            kit.UdpPeer($"192.0.2.7:{5000 + i}", listener).Send("hello"u8);
            kit.RunUntilIdle();
        }

        Assert.Equal(0, spares.Count);
        foreach (var session in kit.OpenSessions.ToList())
        {
            _ = session.Self;
            session.Close();
        }

        kit.RunUntilIdle();
        Assert.Equal(0, spares.Count);
        var steps = new List<int>();
        for (var i = 0; i < 8; i++)
        {
            kit.Advance(TimeSpan.FromMilliseconds(SpareSessions.StepMs));
            steps.Add(spares.Count);
        }

        Assert.Equal(Wanted, steps[^1]);
        Assert.All(
            steps.Prepend(0).Zip(steps),
            static step => Assert.InRange(step.Second - step.First, 0, SpareSessions.RefillSessions));
    }

    [Fact]
    public void A_router_that_stops_keeps_and_makes_none()
    {
        using var kit = new RouterTestKit(prepared: 2);
        var spares = kit.ListenerEnvironment.Loops[0].SpareSessions;
        var listener = kit.BindUdp(Echo);
        kit.UdpPeer("192.0.2.7:5000", listener).Send("hello"u8);
        kit.RunUntilIdle();

        spares.Stop();
        kit.OpenSessions.Single().Close();
        kit.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(1, spares.Count);
    }

    [Fact]
    public void A_listener_that_restarts_gives_its_spares_up()
    {
        using var kit = new RouterTestKit();
        var listener = kit.BindUdp(Echo);
        kit.UdpPeer("192.0.2.7:5000", listener).Send("hello"u8);
        kit.RunUntilIdle();
        kit.OpenSessions.Single().Close();
        kit.RunUntilIdle();
        Assert.Equal(1, kit.ListenerEnvironment.Loops[0].SpareSessions.Count);

        ((UdpShard)listener.Shards[0]).Actor.Tell(Kill.Instance);
        kit.RunUntilIdle();
        Assert.Equal(0, kit.ListenerEnvironment.Loops[0].SpareSessions.Count);

        var peer = kit.UdpPeer("192.0.2.8:5000", listener);
        peer.Send("hello"u8);
        kit.RunUntilIdle();
        Assert.Equal(["hello"], peer.ReceivedText);
    }

    /// <summary>A handler that has ended may still hold its session, and by it ask for its actor.</summary>
    [Fact]
    public void What_is_told_to_an_ended_session_reaches_no_other()
    {
        using var kit = new RouterTestKit();
        var told = new List<object>();
        var listener = kit.BindUdp(() => new ScriptHandler { Message = (_, message) => told.Add(message) });
        kit.UdpPeer("192.0.2.7:5000", listener).Send("hello"u8);
        kit.RunUntilIdle();
        var ended = kit.OpenSessions.Single();
        var path = ended.Ref.Path;
        ended.Close();
        kit.Advance(TimeSpan.FromSeconds(1));
        kit.UdpPeer("192.0.2.7:5001", listener).Send("hello"u8);
        kit.RunUntilIdle();
        Assert.Equal(path, kit.OpenSessions.Single().Ref.Path);   // the same actor

        ended.Self.Tell("for whom?");
        kit.RunUntilIdle();

        Assert.Empty(told);
        Assert.True(ended.IsClosed);
        Assert.NotSame(ended, kit.OpenSessions.Single());
    }

    private static void IsKept(bool kept, Action<SessionContext> act)
    {
        using var kit = new RouterTestKit();
        var listener = kit.BindUdp(() => new ScriptHandler
        {
            Received = (session, _) =>
            {
                act(session);
                session.Close();
            },
        });

        kit.UdpPeer("192.0.2.7:5000", listener).Send("hello"u8);
        kit.RunUntilIdle();

        Assert.Empty(kit.OpenSessions);
        Assert.Equal(kept ? 1 : 0, kit.ListenerEnvironment.Loops[0].SpareSessions.Count);
    }

    private static IEnumerable<FieldInfo> Fields()
    {
        for (var type = typeof(SessionContext); type is not null && type != typeof(object); type = type.BaseType)
        {
            foreach (var field in type.GetFields(
                BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly))
            {
                yield return field;
            }
        }
    }

    private static ScriptHandler Echo() => new() { Received = static (session, text) => session.Reply(text) };
}
