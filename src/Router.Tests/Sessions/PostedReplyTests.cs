using Router.Diagnostics;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Sessions;

/// <summary>A handler that runs on the loop replies from another thread: after an await, or in a callback.</summary>
public sealed class PostedReplyTests
{
    private readonly RouterTestKit _kit = new(seed: 1);
    private SessionContext? _session;
    private int _drained;
    private int _timers;

    [Fact]
    public void A_datagram_from_another_thread_is_sent_and_counted()
    {
        using var kit = _kit;
        var peer = kit.UdpPeer("192.0.2.7:5000", kit.BindUdp(NewHandler));
        peer.Send("hello"u8);
        kit.RunUntilIdle();

        Assert.True(Elsewhere(static session => session.Reply("late"u8)));
        kit.RunUntilIdle();

        Assert.Equal(["late"], peer.ReceivedText);
        Assert.Equal((1, 4), (_session!.PayloadsSent, _session.BytesSent));
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void The_budget_holds_for_it_until_the_peer_is_validated_there()
    {
        using var kit = _kit;
        var listener = kit.BindUdp(NewHandler);
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("hello"u8);
        kit.RunUntilIdle();

        Elsewhere(static session => session.Reply(new byte[100]));
        kit.RunUntilIdle();
        Assert.Equal(1, listener.Drops(DropReason.Amplification));

        Elsewhere(static session =>
        {
            session.MarkPeerValidated();
            return session.Reply(new byte[100]);
        });
        kit.RunUntilIdle();
        Assert.Single(peer.Received);
    }

    [Fact]
    public void Bytes_of_a_stream_are_sent_in_order_and_its_end_behind_them()
    {
        using var kit = _kit;
        var peer = kit.TcpPeer("192.0.2.7:5000", kit.BindTcp(NewHandler));
        peer.Send("hello"u8);
        kit.RunUntilIdle();

        Elsewhere(static session =>
        {
            var areTaken = session.Reply("a"u8) && session.Reply("b"u8);
            session.Close();
            return areTaken;
        });
        kit.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal("ab", peer.ReceivedText);
        Assert.Equal(CloseReason.Done, Assert.Single(kit.ClosedSessions).Reason);
    }

    [Fact]
    public void Datagrams_beyond_mailbox_bytes_are_counted_drops()
    {
        using var kit = _kit;
        kit.Limits = kit.Limits with { MailboxBytes = 65_536 };
        var listener = kit.BindUdp(NewHandler);
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("hello"u8);
        kit.RunUntilIdle();
        Elsewhere(static session =>
        {
            session.MarkPeerValidated();
            return true;
        });

        var taken = 0;
        Elsewhere(session =>
        {
            for (var i = 0; i < 2_000; i++)
            {
                taken += session.Reply([]) ? 1 : 0;   // counted as 64 bytes each
            }

            return true;
        });
        kit.RunUntilIdle();

        Assert.Equal(1_024, taken);
        Assert.Equal(1_024, peer.Received.Count);
        Assert.Equal(2_000 - 1_024, listener.Drops(DropReason.SendFull));
    }

    [Fact]
    public void A_stream_that_took_no_more_says_when_to_go_on()
    {
        using var kit = _kit;
        kit.Limits = kit.Limits with { MailboxBytes = 65_536 };
        var peer = kit.TcpPeer("192.0.2.7:5000", kit.BindTcp(NewHandler));
        peer.Send("hello"u8);
        kit.RunUntilIdle();

        var taken = 0;
        Elsewhere(session =>
        {
            while (session.Reply(new byte[16_384]))
            {
                taken++;
            }

            return true;
        });
        Assert.Equal((4, 0), (taken, _drained));
        kit.RunUntilIdle();

        Assert.Equal(1, _drained);
        Assert.Equal(taken * 16_384, peer.Received.Length);
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void After_the_end_nothing_is_taken_and_what_was_under_way_is_a_counted_drop()
    {
        using var kit = _kit;
        var listener = kit.BindUdp(NewHandler);
        kit.UdpPeer("192.0.2.7:5000", listener).Send("hello"u8);
        kit.RunUntilIdle();

        Elsewhere(static session =>
        {
            session.Close();
            return session.Reply("x"u8);   // not yet closed: that is the loop's to do
        });
        kit.RunUntilIdle();

        Assert.Equal(1, listener.Drops(DropReason.SessionClosed));
        Assert.False(Elsewhere(static session => session.Reply("x"u8)));
    }

    [Fact]
    public void Deadlines_may_be_set_there_too()
    {
        using var kit = _kit;
        kit.UdpPeer("192.0.2.7:5000", kit.BindUdp(NewHandler)).Send("hello"u8);
        kit.RunUntilIdle();

        Elsewhere(static session =>
        {
            session.SetTimer(TimeSpan.FromSeconds(1));
            session.IdleTimeout = TimeSpan.FromSeconds(2);
            return true;
        });
        kit.Advance(TimeSpan.FromMilliseconds(1_100));
        Assert.Equal((1, 0), (_timers, kit.ClosedSessions.Count));
        kit.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(CloseReason.Idle, Assert.Single(kit.ClosedSessions).Reason);
    }

    [Fact]
    public void Threads_that_are_the_first_at_once_share_one_queue()
    {
        using var kit = _kit;
        var listener = kit.BindUdp(NewHandler);
        using var together = new Barrier(2);
        const int rounds = 200;
        for (var round = 0; round < rounds; round++)
        {
            var other = kit.UdpPeer($"192.0.2.7:{6000 + round}", listener);
            other.Send("hello"u8);
            kit.RunUntilIdle();
            var session = _session!;
            session.MarkPeerValidated();
            Thread[] threads = [new(Post), new(Post)];
            Array.ForEach(threads, static thread => thread.Start());
            Array.ForEach(threads, static thread => thread.Join());
            kit.RunUntilIdle();
            Assert.Equal(2, other.Received.Count);
            Assert.Equal(0, session.Extras.Posted!.UnderWayBytes);

            void Post()
            {
                together.SignalAndWait();
                session.Reply("x"u8);
            }
        }
    }

    private Handler NewHandler() => new(this);

    /// <summary>Runs it on a thread of its own to its end.</summary>
    private bool Elsewhere(Func<SessionContext, bool> call)
    {
        var result = false;
        var thread = new Thread(() => result = call(_session!));
        thread.Start();
        thread.Join();
        return result;
    }

    private sealed class Handler(PostedReplyTests test) : SessionHandler
    {
        public override void OnOpened(SessionContext session) => test._session = session;

        public override void OnTimer(SessionContext session) => test._timers++;

        public override void OnDrained(SessionContext session) => test._drained++;
    }
}
