using System.Net;
using Router.Diagnostics;
using Router.Listeners;
using Router.Loop;
using Router.Routes;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Sessions;

public sealed class UdpSessionTests
{
    private static readonly TimeSpan WheelSlot = TimeSpan.FromMilliseconds(8);

    [Fact]
    public void Session_ends_at_its_idle_deadline_and_not_before()
    {
        using var kit = new RouterTestKit(seed: 1);
        var peer = kit.UdpPeer("192.0.2.7:5000", to: kit.BindUdp(new EchoRoute("echo")));
        peer.Send("a"u8);
        kit.Advance(TimeSpan.FromSeconds(29));
        peer.Send("b"u8);   // the deadline moves
        kit.Advance(TimeSpan.FromMilliseconds(29_999));
        Assert.Empty(kit.ClosedSessions);

        kit.Advance(TimeSpan.FromMilliseconds(1) + WheelSlot);
        var closed = Assert.Single(kit.ClosedSessions);
        Assert.Equal(CloseReason.Idle, closed.Reason);
        Assert.Equal((2L, 2L), (closed.PayloadsReceived, closed.PayloadsSent));
        Assert.Equal((2L, 2L), (closed.BytesReceived, closed.BytesSent));
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void What_was_said_in_the_pass_in_which_the_listener_stops_is_sent()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new Last());
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("slot"u8);
        kit.RunUntilIdle();

        Assert.Equal(["slot", "copy"], peer.ReceivedText);
        Assert.True(listener.Shards[0].IsSocketClosed);
        Assert.Equal(0, listener.AllDrops());
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void Sessions_that_expire_at_once_take_turns_with_one_that_is_asked()
    {
        const int Expiring = 1_000;
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(new EchoRoute("echo"));
        for (var i = 0; i < Expiring; i++)
        {
            kit.UdpPeer($"192.0.2.7:{10_000 + i}", listener).Send("a"u8);
        }

        kit.RunUntilIdle();
        kit.Time.Advance(TimeSpan.FromSeconds(31));   // all are overdue before the loop looks again
        var live = kit.UdpPeer("192.0.2.8:5000", listener);
        live.Send("still there?"u8);
        var (passes, answeredIn) = (0, 0);
        for (; kit.ClosedSessions.Count < Expiring; passes++)
        {
            var before = kit.ClosedSessions.Count;
            kit.RunPass();
            Assert.InRange(kit.ClosedSessions.Count - before, 0, 2 * new IoLoopOptions().TimersPerPass);
            answeredIn = answeredIn == 0 && live.ReceivedText.Any() ? passes + 1 : answeredIn;
        }

        Assert.InRange(answeredIn, 1, 3);
        Assert.True(passes > Expiring / new IoLoopOptions().TimersPerPass);
        Assert.DoesNotContain(live.EndPoint, kit.ClosedSessions.Select(closed => closed.Peer));
    }

    [Fact]
    public void A_reply_moves_the_idle_deadline_too()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new ScriptHandler
        {
            Received = (session, _) => session.SetTimer(TimeSpan.FromSeconds(20)),
            Timer = session => session.Reply("late"),
        });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("a"u8);

        kit.Advance(TimeSpan.FromSeconds(45));
        Assert.Equal(["late"], peer.ReceivedText);
        Assert.Empty(kit.ClosedSessions);
        kit.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(CloseReason.Idle, kit.ExpectSessionClosed(peer.EndPoint));
    }

    [Fact]
    public void A_session_without_idle_timeout_stays_and_a_handler_may_set_one()
    {
        using var kit = new RouterTestKit(seed: 1);
        var limits = kit.Limits with { IdleTimeout = Timeout.InfiniteTimeSpan };
        var listener = kit.BindUdp(
            () => new ScriptHandler
            {
                Received = (session, text) =>
                    session.IdleTimeout = text == "short" ? TimeSpan.FromSeconds(2) : Timeout.InfiniteTimeSpan,
            },
            limits: limits);
        var stays = kit.UdpPeer("192.0.2.7:5000", listener);
        var leaves = kit.UdpPeer("192.0.2.8:5000", listener);
        stays.Send("long"u8);
        leaves.Send("short"u8);

        kit.Advance(TimeSpan.FromHours(10));
        Assert.Equal(CloseReason.Idle, kit.ExpectSessionClosed(leaves.EndPoint));
        Assert.Equal(Timeout.InfiniteTimeSpan, kit.SessionOf(stays.EndPoint).IdleTimeout);
        Assert.Equal(1, listener.Sessions);
    }

    [Fact]
    public void Session_ends_at_its_lifetime_however_busy_it_is()
    {
        using var kit = new RouterTestKit(seed: 1);
        kit.Limits = kit.Limits with { MaxLifetime = TimeSpan.FromSeconds(10), IdleTimeout = TimeSpan.FromSeconds(3) };
        var peer = kit.UdpPeer("192.0.2.7:5000", kit.BindUdp(new EchoRoute("echo")));
        for (var second = 0; second < 10; second++)
        {
            peer.Send("x"u8);
            kit.Advance(TimeSpan.FromMilliseconds(999));
        }

        Assert.Empty(kit.ClosedSessions);
        kit.Advance(TimeSpan.FromMilliseconds(10) + WheelSlot);
        Assert.Equal(CloseReason.Lifetime, kit.ExpectSessionClosed(peer.EndPoint));
    }

    [Fact]
    public void A_peer_that_comes_back_after_its_session_ended_gets_a_new_one()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(new EchoRoute("echo"));
        var peers = new[] { kit.UdpPeer("192.0.2.7:5000", listener), kit.UdpPeer("192.0.2.7:5001", listener) };
        for (var round = 0; round < 2; round++)
        {
            foreach (var peer in peers)
            {
                for (var i = 0; i < 3; i++)
                {
                    peer.Send("x"u8);
                }
            }

            kit.RunUntilIdle();
            Assert.Equal(2, listener.Sessions);
            kit.Advance(TimeSpan.FromSeconds(36));
            Assert.Equal(0, listener.Sessions);
        }

        Assert.Equal(4, kit.ClosedSessions.Select(closed => closed.Id).Distinct().Count());
        Assert.All(
            kit.ClosedSessions,
            closed => Assert.Equal((CloseReason.Idle, 3L), (closed.Reason, closed.PayloadsReceived)));
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_newcomer_beyond_max_sessions_is_dropped_and_counted_and_its_place_comes_free_again()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(new EchoRoute("echo"), limits: kit.Limits with { MaxSessions = 2 });
        var other = kit.BindUdp(new EchoRoute("echo"));
        var peers = Enumerable.Range(0, 3).Select(i => kit.UdpPeer($"192.0.2.7:{5000 + i}", listener)).ToArray();
        peers[0].Send("0"u8);
        peers[1].Send("1"u8);
        peers[2].Send("2"u8);
        peers[2].Send("2"u8);
        peers[0].Send("0"u8);
        kit.RunUntilIdle();

        Assert.Equal(2, listener.Sessions);
        Assert.Equal(2, listener.Drops(DropReason.MaxSessions));
        Assert.Equal([2, 1, 0], peers.Select(peer => peer.Received.Count));
        peers[2].SendTo(other.EndPoint, "elsewhere"u8);   // listeners count for themselves
        kit.RunUntilIdle();
        Assert.Equal(["elsewhere"], peers[2].ReceivedText);

        kit.Advance(TimeSpan.FromSeconds(20));
        peers[0].Send("0"u8);
        kit.Advance(TimeSpan.FromSeconds(10) + WheelSlot);   // peer 1 has expired, peer 0 has not
        Assert.Equal(CloseReason.Idle, kit.ExpectSessionClosed(peers[1].EndPoint));
        peers[2].Send("now"u8);
        kit.RunUntilIdle();
        Assert.Equal("now", peers[2].ReceivedText[^1]);
        Assert.Equal(2, listener.Sessions);
    }

    [Fact]
    public void Empty_datagrams_are_payloads_and_can_be_answered()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(new EchoRoute("echo"));
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send([]);
        peer.Send("x"u8);
        peer.Send([]);
        kit.RunUntilIdle();

        Assert.Equal(["", "x", ""], peer.ReceivedText);
        Assert.Equal(3, kit.SessionOf(peer.EndPoint).PayloadsReceived);
    }

    [Theory]
    [InlineData("[2001:db8::7]:5000", "[2001:db8::1]:9000", 65_527)]
    [InlineData("[2001:db8::7]:5000", "[::]:9000", 65_527)]
    [InlineData("192.0.2.7:5000", "[::]:9000", 65_507)]
    public void What_a_peer_can_be_sent_at_most_goes_by_its_address(string peer, string bind, int longest)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(
            () => new ScriptHandler
            {
                Received = (session, _) =>
                {
                    Assert.True(session.Reply(new byte[longest]));
                    Assert.False(session.Reply(new byte[longest + 1]));
                },
                Opened = static session => session.MarkPeerValidated(),
            },
            bind,
            kit.Limits with { DualStack = true });
        var to = peer.StartsWith('[') ? "[2001:db8::1]:9000" : "198.51.100.1:9000";
        var client = kit.UdpPeer(peer, IPEndPoint.Parse(to));
        client.Send("x"u8);
        kit.RunUntilIdle();

        Assert.Equal(longest, Assert.Single(client.Received).Payload.Length);
        Assert.Equal((1, 1), (listener.Drops(DropReason.TooLong), listener.AllDrops()));
    }

    [Fact]
    public void The_longest_datagrams_pass_both_ways_and_longer_replies_are_counted_drops()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new ScriptHandler
        {
            Bytes = (session, bytes) => Assert.True(session.Reply(bytes)),
            Message = (session, _) => Assert.False(session.Reply(new byte[SessionContext.DatagramBytesMax + 1])),
        }, limits: kit.Limits with { ReceiveBuffer = 16 * 1024 * 1024 });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        var payload = new byte[65_507];
        kit.Random.Fill(payload);
        for (var i = 0; i < 70; i++)
        {
            peer.Send(payload);   // more than a batch, and more than the send queue's own room
        }

        kit.RunUntilIdle();
        Assert.Equal(70, peer.Received.Count);
        Assert.All(peer.Received, datagram => Assert.True(datagram.Payload.AsSpan().SequenceEqual(payload)));

        kit.SessionOf(peer.EndPoint).Self.Tell("too long");
        kit.RunUntilIdle();
        Assert.Equal(1, listener.Drops(DropReason.TooLong));
        Assert.Equal(70, peer.Received.Count);
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_truncated_datagram_is_a_counted_drop_and_makes_no_session()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(new EchoRoute("echo"), "[2001:db8::1]:9000");
        var peer = kit.UdpPeer("[2001:db8::7]:5000", listener);
        peer.Send(new byte[70_000]);
        kit.RunUntilIdle();
        Assert.Equal((0, 1L), (listener.Sessions, listener.Drops(DropReason.Truncated)));

        peer.Send("a"u8);
        peer.Send(new byte[70_000]);
        peer.Send("b"u8);
        kit.RunUntilIdle();
        Assert.Equal(["a", "b"], peer.ReceivedText);
        Assert.Equal(2, listener.Drops(DropReason.Truncated));
    }

    [Fact]
    public void Messages_told_to_a_session_reach_its_handler_and_a_timer_fires_once()
    {
        using var kit = new RouterTestKit(seed: 1);
        var fired = new List<double>();
        var listener = kit.BindUdp(() => new ScriptHandler
        {
            Message = (session, message) => session.Reply($"told {message}"),
            Timer = session => fired.Add(kit.Time.Elapsed.TotalMilliseconds),
            Received = (session, text) =>
            {
                session.SetTimer(TimeSpan.FromMilliseconds(500));
                if (text == "cancel")
                {
                    session.CancelTimer();
                }
            },
        });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("set"u8);
        kit.RunUntilIdle();
        kit.SessionOf(peer.EndPoint).Self.Tell("a thing");
        kit.Advance(TimeSpan.FromMilliseconds(400));
        peer.Send("again"u8);   // replaces the first
        kit.Advance(TimeSpan.FromSeconds(5));
        peer.Send("cancel"u8);
        kit.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(["told a thing"], peer.ReceivedText);
        Assert.InRange(Assert.Single(fired), 900, 908);
    }

    [Fact]
    public void Closing_inside_a_call_keeps_the_replies_and_drops_what_still_waits()
    {
        using var kit = new RouterTestKit(seed: 1);
        var closed = new List<CloseReason>();
        var listener = kit.BindUdp(() => new ScriptHandler
        {
            Received = (session, text) =>
            {
                Assert.Equal(!session.IsClosed, session.Reply(text));
                if (text == "bye")
                {
                    session.Close();
                    session.Close();
                }
            },
            Closed = (session, reason) =>
            {
                Assert.False(session.Reply("ghost"));
                closed.Add(reason);
            },
        });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("hello"u8);
        peer.Send("bye"u8);
        peer.Send("late"u8);
        kit.RunUntilIdle();

        Assert.Equal(["hello", "bye"], peer.ReceivedText);
        Assert.Equal([CloseReason.Done], closed);
        Assert.Equal(CloseReason.Done, kit.ExpectSessionClosed(peer.EndPoint));
        peer.Send("anew"u8);
        kit.RunUntilIdle();
        Assert.Equal(2, kit.SessionsOpened);
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_draining_listener_takes_no_new_session_and_lets_others_finish()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new ScriptHandler());
        var old = kit.UdpPeer("192.0.2.7:5000", listener);
        var late = kit.UdpPeer("192.0.2.8:5000", listener);
        old.Send("a"u8);
        kit.RunUntilIdle();
        listener.Drain();
        kit.RunUntilIdle();
        old.Send("b"u8);
        late.Send("c"u8);
        kit.RunUntilIdle();

        Assert.Equal(["a", "b"], old.ReceivedText);
        Assert.Empty(late.Received);
        Assert.Equal(1, listener.Drops(DropReason.Draining));
    }

    /// <summary>Answers from the receive slot and from a copy, and has its listener stop.</summary>
    private sealed class Last : SessionHandler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            session.MarkPeerValidated();
            foreach (var payload in batch)
            {
                session.Reply(payload);
            }

            session.Reply("copy"u8);
            var shard = (UdpShard)session.Shard;
            shard.Actor.Tell(new StopShards(new HashSet<Shard> { shard }), ActorRefs.NoSender);
        }
    }
}
