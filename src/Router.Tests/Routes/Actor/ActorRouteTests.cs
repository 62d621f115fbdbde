using System.Text;
using Router.Diagnostics;
using Router.Net;
using Router.Routes;
using Router.TestKit;

namespace Router.Tests.Routes;

/// <summary>A route to an actor: what it is told, what it answers, what is bounded, and its end.</summary>
public sealed class ActorRouteTests
{
    private readonly List<object> _told = [];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Datagrams_are_told_in_order_and_answers_go_to_their_peer(bool byPath)
    {
        using var kit = new RouterTestKit(seed: 1);
        var backend = Start(kit, echoes: true);
        var listener = kit.BindUdp(byPath
            ? new ActorRoute("actor", "/user/backend")
            : new ActorRoute("actor", () => backend));
        var one = kit.UdpPeer("192.0.2.7:5000", listener);
        var two = kit.UdpPeer("192.0.2.8:5000", listener);
        one.Send("a"u8);
        one.Send("b"u8);
        two.Send("c"u8);
        kit.RunUntilIdle();
        one.Send("d"u8);
        kit.RunUntilIdle();

        Assert.Equal(["a", "b", "d"], one.ReceivedText);
        Assert.Equal(["c"], two.ReceivedText);
        var session = kit.SessionOf(one.EndPoint).Id;
        var opened = _told.OfType<SessionOpened>().Single(told => told.Session == session);
        Assert.Equal(("actor", "192.0.2.7:5000"), (opened.Route, opened.Peer));
        Assert.Equal(
            [1, 2, 3], _told.OfType<SessionReceived>().Where(told => told.Session == session).Select(t => t.Number));

        kit.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(
            [CloseReason.Idle, CloseReason.Idle], _told.OfType<SessionClosed>().Select(told => told.Reason));
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_stream_comes_in_chunks_in_order_and_closes_once_all_is_answered()
    {
        using var kit = new RouterTestKit(seed: 1);
        Start(kit, echoes: true);
        var peer = kit.TcpPeer("192.0.2.7:5000", kit.BindTcp(Route()));
        var sent = Enumerable.Range(0, 300_000).Select(static at => (byte)(at % 251)).ToArray();
        peer.Send(sent);
        peer.Finish();
        kit.RunUntilIdle();

        Assert.Equal(sent, peer.Received.ToArray());
        Assert.True(peer.HasFinished);
        Assert.IsType<SessionClosed>(_told[^1]);
        Assert.Equal(CloseReason.Peer, kit.ExpectSessionClosed(peer.EndPoint));
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void Who_leaves_a_payload_unanswered_may_speak_after_the_peers_end_and_then_close()
    {
        using var kit = new RouterTestKit(seed: 1);
        Start(kit, echoes: false);
        var peer = kit.TcpPeer("192.0.2.7:5000", kit.BindTcp(Route()));
        peer.Send("all of it"u8);
        peer.Finish();
        kit.RunUntilIdle();
        Assert.IsType<SessionPeerFinished>(_told[^1]);
        var self = kit.SessionOf(peer.EndPoint).Self;

        self.Tell(new SessionReply("heard "u8.ToArray()));
        self.Tell(new SessionReply("it"u8.ToArray()));
        self.Tell(SessionClose.Instance);
        kit.RunUntilIdle();

        Assert.Equal("heard it", peer.ReceivedText);
        Assert.Equal(CloseReason.Done, kit.ExpectSessionClosed(peer.EndPoint));
    }

    [Fact]
    public void Datagrams_beyond_what_may_be_unanswered_are_counted_drops()
    {
        using var kit = new RouterTestKit(seed: 1);
        Start(kit, echoes: false);
        var listener = kit.BindUdp(Route(static settings => settings with { MaxUnanswered = 4 }));
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        for (var i = 0; i < 10; i++)
        {
            peer.Send([(byte)('0' + i)]);
            kit.RunUntilIdle();
        }

        Assert.Equal(["0", "1", "2", "3"], Payloads());
        Assert.Equal(6, listener.Drops(DropReason.ActorBusy));

        kit.SessionOf(peer.EndPoint).Self.Tell(new SessionDone(2));
        kit.RunUntilIdle();
        foreach (var payload in (string[])["a", "b", "c"])
        {
            peer.Send(Encoding.ASCII.GetBytes(payload));
        }

        kit.RunUntilIdle();
        Assert.Equal(["0", "1", "2", "3", "a", "b"], Payloads());
        Assert.Equal(7, listener.Drops(DropReason.ActorBusy));
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void Datagrams_are_bounded_in_bytes_too()
    {
        using var kit = new RouterTestKit(seed: 1);
        Start(kit, echoes: false);
        var listener = kit.BindUdp(Route(static settings => settings with { MaxUnansweredBytes = 1_000 }));
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        for (var i = 0; i < 5; i++)
        {
            peer.Send(new byte[400]);
        }

        kit.RunUntilIdle();

        Assert.Equal(2, _told.OfType<SessionReceived>().Count());
        Assert.Equal(3, listener.Drops(DropReason.ActorBusy));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_connection_is_not_read_beyond_what_may_be_unanswered(bool isTcp)
    {
        using var kit = new RouterTestKit(seed: 1);
        Start(kit, echoes: false);
        var route = Route(static settings => settings with { MaxUnanswered = 2 });
        var limits = kit.Limits with { WriteBuffer = 4_096 };
        var listener = isTcp ? kit.BindTcp(route, limits: limits) : kit.BindUnix("@actor", route, limits);
        var peer = isTcp
            ? kit.TcpPeer("192.0.2.7:5000", listener)
            : kit.UnixPeer(listener, new PeerCredentials(1, 2, 3));
        peer.Send(new byte[100_000]);
        kit.RunUntilIdle();
        Assert.Equal(2, _told.OfType<SessionReceived>().Count());
        Assert.Equal(0, listener.AllDrops());

        var session = kit.OpenSessions[0];
        for (var number = 2; session.BytesReceived < 100_000 && number < 200; number++)
        {
            session.Self.Tell(new SessionDone(number));
            kit.RunUntilIdle();
        }

        Assert.Equal(100_000, _told.OfType<SessionReceived>().Sum(static told => told.Payload.Length));
        Assert.Equal(0, listener.AllDrops());
    }

    [Fact]
    public void What_a_peer_sent_before_it_hung_up_is_told_as_answers_come()
    {
        using var kit = new RouterTestKit(seed: 1);
        Start(kit, echoes: false);
        var listener = kit.BindUnix(
            "@actor",
            Route(static settings => settings with { MaxUnanswered = 2 }),
            kit.Limits with { WriteBuffer = 4_096 });
        var peer = kit.UnixPeer(listener, new PeerCredentials(1, 2, 3));
        peer.Send(new byte[50_000]);
        kit.RunUntilIdle();
        peer.Close();
        kit.RunUntilIdle();   // comes to rest although the hang-up stays
        var session = kit.OpenSessions[0];
        for (var number = 2; kit.OpenSessions.Count > 0 && number < 100; number++)
        {
            session.Self.Tell(new SessionDone(number));
            kit.RunUntilIdle();
        }

        Assert.Equal(50_000, _told.OfType<SessionReceived>().Sum(static told => told.Payload.Length));
        Assert.Equal(CloseReason.Peer, Assert.IsType<SessionClosed>(_told[^1]).Reason);
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void Whatever_the_order_of_answers_a_stream_arrives_whole_and_no_more_is_unanswered_than_may_be() =>
        RouterTestKit.ForEachSeed(1, 50, kit =>
        {
            _told.Clear();
            var backend = Start(kit, echoes: false);
            var listener = kit.BindTcp(
                Route(static settings => settings with { MaxUnanswered = 3, ReplyBuffer = 1 << 20 }),
                limits: kit.Limits with { WriteBuffer = 1_024 });
            var peer = kit.TcpPeer("192.0.2.7:5000", listener);
            var sent = new byte[20_000];
            kit.Random.Fill(sent);
            peer.Send(sent);
            peer.Finish();
            kit.RunUntilIdle();
            var answered = 0;
            while (kit.OpenSessions.Count > 0)
            {
                var told = _told.OfType<SessionReceived>().ToList();
                Assert.InRange(told.Count - answered, 0, 3);
                var upTo = Math.Min(told.Count, answered + 1 + kit.Random.Next(3));
                for (; answered < upTo; answered++)
                {
                    peer.IsReading = kit.Random.Next(2) == 0;
                    kit.OpenSessions[0].Self.Tell(told[answered].Reply(told[answered].Payload), backend);
                    kit.RunPass();
                }

                peer.IsReading = true;
                kit.Advance(TimeSpan.FromSeconds(1));
            }

            Assert.Equal(sent, peer.Received.ToArray());
            kit.AssertNoLeakedBuffers();
        });

    [Fact]
    public void Answers_of_numbers_that_were_never_told_give_nothing()
    {
        using var kit = new RouterTestKit(seed: 1);
        Start(kit, echoes: false);
        var listener = kit.BindUdp(Route(static settings => settings with { MaxUnanswered = 1 }));
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("a"u8);
        kit.RunUntilIdle();
        foreach (var number in (long[])[0, -1, 2, long.MaxValue])
        {
            kit.SessionOf(peer.EndPoint).Self.Tell(new SessionDone(number));
        }

        peer.Send("b"u8);
        kit.RunUntilIdle();

        Assert.Equal(["a"], Payloads());
    }

    [Fact]
    public void A_session_whose_limits_stay_full_is_closed()
    {
        using var kit = new RouterTestKit(seed: 1);
        Start(kit, echoes: false);
        var listener = kit.BindUdp(Route(static settings => settings with
        {
            MaxUnanswered = 1,
            AnswerTimeout = TimeSpan.FromSeconds(5),
        }));
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("a"u8);
        kit.Advance(TimeSpan.FromSeconds(4));
        kit.SessionOf(peer.EndPoint).Self.Tell(new SessionDone(1));
        kit.RunUntilIdle();
        peer.Send("b"u8);
        kit.Advance(TimeSpan.FromSeconds(4));
        Assert.Single(kit.OpenSessions);
        kit.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(CloseReason.UpstreamFailed, kit.ExpectSessionClosed(peer.EndPoint));
    }

    [Fact]
    public void Replies_wait_for_a_peer_that_does_not_read_up_to_a_limit()
    {
        using var kit = new RouterTestKit(seed: 1);
        Start(kit, echoes: false);
        var limits = kit.Limits with { WriteBuffer = 64 * 1024 };
        var listener = kit.BindTcp(Route(static settings => settings with { ReplyBuffer = 100_000 }), limits: limits);
        var peers = new[] { kit.TcpPeer("192.0.2.7:5000", listener), kit.TcpPeer("192.0.2.8:5000", listener) };
        foreach (var peer in peers)
        {
            peer.IsReading = false;
            peer.Send("a"u8);
        }

        kit.RunUntilIdle();
        var bytes = 0;
        var first = kit.SessionOf(peers[0].EndPoint);
        while (first.PayloadsSent == bytes / 10_000 && bytes < 10_000_000)
        {
            first.Self.Tell(new SessionReply(new byte[10_000]));   // until one waits
            bytes += 10_000;
            kit.RunUntilIdle();
        }

        first.Self.Tell(SessionClose.Instance);
        peers[0].IsReading = true;
        kit.RunUntilIdle();
        Assert.Equal(bytes, peers[0].Received.Length);
        kit.Advance(TimeSpan.FromSeconds(3));   // it lingers for the peer's own end
        Assert.Equal(CloseReason.Done, kit.ExpectSessionClosed(peers[0].EndPoint));

        var second = kit.SessionOf(peers[1].EndPoint);
        for (var sent = 0; sent < bytes + 200_000; sent += 10_000)
        {
            second.Self.Tell(new SessionReply(new byte[10_000]));
        }

        kit.RunUntilIdle();
        Assert.Equal(CloseReason.Slow, kit.ExpectSessionClosed(peers[1].EndPoint));
        kit.AssertNoLeakedBuffers();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void When_the_actor_stops_its_sessions_close_and_new_ones_find_its_successor(bool byPath)
    {
        using var kit = new RouterTestKit(seed: 1);
        var backend = Start(kit, echoes: true);
        var listener = kit.BindUdp(byPath
            ? new ActorRoute("actor", "/user/backend")
            : new ActorRoute("actor", () => backend));
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        var other = kit.UdpPeer("192.0.2.8:5000", listener);
        peer.Send("a"u8);
        other.Send("a"u8);
        kit.RunUntilIdle();

        kit.Sys.Stop(backend);
        kit.RunUntilIdle();
        Assert.Equal(CloseReason.UpstreamFailed, kit.ExpectSessionClosed(peer.EndPoint));
        Assert.Equal(CloseReason.UpstreamFailed, kit.ExpectSessionClosed(other.EndPoint));
        peer.Send("lost"u8);
        kit.RunUntilIdle();
        Assert.Equal(CloseReason.UpstreamFailed, kit.ExpectSessionClosed(peer.EndPoint));

        backend = Start(kit, echoes: true);
        peer.Send("b"u8);
        kit.RunUntilIdle();
        Assert.Equal(["a", "b"], peer.ReceivedText);
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_payload_that_the_actor_fails_on_is_answered_by_the_next_answer()
    {
        using var kit = new RouterTestKit(seed: 1);
        Start(kit, echoes: true);
        var listener = kit.BindUdp(Route(static settings => settings with { MaxUnanswered = 2 }));
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        foreach (var payload in (string[])["boom", "a", "boom", "b", "boom", "c"])
        {
            peer.Send(Encoding.ASCII.GetBytes(payload));
            kit.RunUntilIdle();
        }

        Assert.Equal(["a", "b", "c"], peer.ReceivedText);
        Assert.Equal(0, listener.AllDrops());
    }

    private static ActorRoute Route(Func<ActorRouteSettings, ActorRouteSettings>? change = null)
    {
        var settings = ActorRouteSettings.Default with { AnswerTimeout = Timeout.InfiniteTimeSpan };
        return new ActorRoute("actor", "/user/backend", change?.Invoke(settings) ?? settings);
    }

    private IActorRef Start(RouterTestKit kit, bool echoes)
    {
        var backend = kit.Sys.ActorOf(Props.Create(() => new Backend(_told, echoes)), "backend");
        kit.RunUntilIdle();
        return backend;
    }

    private IEnumerable<string> Payloads() =>
        _told.OfType<SessionReceived>().Select(static told => Encoding.ASCII.GetString(told.Payload.Span));

    /// <summary>Writes down what it is told; answers every payload with the same, or nothing.</summary>
    private sealed class Backend : ReceiveActor
    {
        public Backend(List<object> told, bool echoes)
        {
            Receive<SessionReceived>(received =>
            {
                told.Add(received);
                if (received.Payload.Span.SequenceEqual("boom"u8))
                {
                    throw new InvalidOperationException("boom");
                }

                if (echoes)
                {
                    Sender.Tell(received.Reply(received.Payload));
                }
            });
            ReceiveAny(told.Add);
        }
    }
}
