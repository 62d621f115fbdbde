using System.Text;
using Router.Diagnostics;
using Router.Net;
using Router.Routes;
using Router.Sessions;
using Router.TestKit;
using Router.TestKit.Simulation;

namespace Router.Tests.Sessions;

public sealed class TcpSessionTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public void Echo_returns_every_byte_in_order_whatever_the_pieces(long seed, bool onPool)
    {
        using var kit = new RouterTestKit(seed);
        kit.Network.Faults.ShortReads = kit.Network.Faults.ShortWrites = 0.3;
        kit.Network.Faults.DelayMax = TimeSpan.FromMilliseconds(5);
        var listener = kit.BindTcp(() => new ScriptHandler(), limits: kit.Limits with { OnPool = onPool });
        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        var sent = new byte[400_000];
        kit.Random.Fill(sent);
        for (var at = 0; at < sent.Length;)
        {
            var piece = Math.Min(1 + kit.Random.Next(20_000), sent.Length - at);
            peer.Send(sent.AsSpan(at, piece));
            at += piece;
            kit.Advance(TimeSpan.FromMilliseconds(kit.Random.Next(4)));
        }

        peer.Finish();
        kit.Advance(TimeSpan.FromSeconds(10));

        Assert.True(peer.Received.Span.SequenceEqual(sent));
        Assert.True(peer.HasFinished);
        Assert.Equal(CloseReason.Peer, kit.ExpectSessionClosed(peer.EndPoint));
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_peer_that_resets_after_its_end_is_told_of_once()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(() => new ScriptHandler(), limits: kit.Limits with { OnPool = true });
        var peer = kit.TcpPeer("192.0.2.7:5000", to: listener);
        peer.Send("x"u8);
        peer.Finish();
        kit.RunUntilIdle();

        peer.Reset();
        kit.RunUntilIdle();   // fails where a hang-up is told of for ever
    }

    [Fact]
    public void A_peer_may_end_its_side_and_still_be_sent_a_megabyte()
    {
        using var kit = new RouterTestKit(seed: 1);
        var toSend = new byte[1_000_000];
        kit.Random.Fill(toSend);
        var at = 0;
        void Pump(SessionContext session)
        {
            while (at < toSend.Length && session.Reply(toSend.AsSpan(at, Math.Min(10_000, toSend.Length - at))))
            {
                at += 10_000;
            }

            if (at >= toSend.Length)
            {
                session.Close();
            }
        }

        var listener = kit.BindTcp(
            () => new ScriptHandler { PeerFinished = Pump, Drained = Pump, Received = (_, _) => { } });
        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        peer.Send("give"u8);
        peer.Finish();
        kit.RunUntilIdle();

        Assert.True(peer.Received.Span.SequenceEqual(toSend));
        Assert.True(peer.HasFinished);
        Assert.False(peer.IsReset);
        Assert.Equal(CloseReason.Done, kit.ExpectSessionClosed(peer.EndPoint));
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_session_may_end_its_side_and_still_hear_the_peer()
    {
        using var kit = new RouterTestKit(seed: 1);
        var heard = new StringBuilder();
        var listener = kit.BindTcp(() => new ScriptHandler
        {
            Opened = session =>
            {
                session.Reply("greeting");
                session.FinishReplies();
                Assert.False(session.Reply("more"));
            },
            Received = (_, text) => heard.Append(text),
        });
        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        kit.RunUntilIdle();
        Assert.Equal("greeting", peer.ReceivedText);
        Assert.True(peer.HasFinished);

        peer.Send("still talking"u8);
        kit.RunUntilIdle();
        Assert.Equal("still talking", heard.ToString());
        Assert.Equal(1, listener.Sessions);
        peer.Finish();
        kit.RunUntilIdle();
        Assert.Equal(CloseReason.Peer, kit.ExpectSessionClosed(peer.EndPoint));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_peer_that_does_not_read_is_not_read_from_beyond_a_bound(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        var limits = kit.Limits with { WriteBuffer = 32 * 1024, OnPool = onPool };
        var listener = onPool
            ? kit.BindTcp(() => new ScriptHandler(), limits: limits)
            : kit.BindTcp(new EchoRoute("echo"), limits: limits);
        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        peer.IsReading = false;
        var sent = new byte[4_000_000];
        kit.Random.Fill(sent);
        peer.Send(sent);
        kit.Advance(TimeSpan.FromSeconds(5));

        // What was taken lies in the two directions' buffers, in the write buffer, and, off the loop, in the mailbox.
        var bound = (2 * kit.Network.StreamBufferBytes) + limits.WriteBuffer + (onPool ? limits.MailboxBytes : 0);
        Assert.InRange(sent.Length - peer.UnsentBytes, 64 * 1024, bound);
        var stuck = peer.UnsentBytes;
        kit.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(stuck, peer.UnsentBytes);

        peer.IsReading = true;
        peer.Finish();
        kit.RunUntilIdle();
        Assert.True(peer.Received.Span.SequenceEqual(sent), $"{peer.Received.Length} of {sent.Length} came back");
        Assert.Equal(CloseReason.Peer, kit.ExpectSessionClosed(peer.EndPoint));
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_mailbox_smaller_than_one_read_still_lets_a_stream_pass()
    {
        using var kit = new RouterTestKit(seed: 1);
        var limits = kit.Limits with { OnPool = true, MailboxBytes = 10_000, WriteBuffer = 64 * 1024 };
        var peer = kit.TcpPeer("192.0.2.7:5000", kit.BindTcp(() => new ScriptHandler(), limits: limits));
        peer.Send(new byte[100_000]);
        kit.RunUntilIdle();
        Assert.Equal(100_000, peer.Received.Length);
    }

    [Fact]
    public void A_full_write_buffer_refuses_replies_until_it_has_drained()
    {
        using var kit = new RouterTestKit(seed: 1);
        var refused = 0;
        var drained = 0;
        var listener = kit.BindTcp(
            () => new ScriptHandler
            {
                Received = (session, _) =>
                {
                    for (var i = 0; i < 20; i++)
                    {
                        refused += session.Reply(new byte[10_000]) ? 0 : 1;
                    }
                },
                Drained = _ => drained++,
            },
            limits: kit.Limits with { WriteBuffer = 40_000 });
        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        peer.IsReading = false;
        peer.Send("go"u8);
        kit.RunUntilIdle();
        Assert.InRange(refused, 8, 11);   // 65,536 in the connection and 40,000 here, of 200,000
        Assert.Equal(0, drained);

        peer.IsReading = true;
        kit.RunUntilIdle();
        Assert.Equal(1, drained);
        Assert.Equal((20 - refused) * 10_000, peer.Received.Length);
    }

    [Fact]
    public void A_reset_ends_the_session_at_once()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(new EchoRoute("echo"));
        var idle = kit.TcpPeer("192.0.2.7:5000", listener);
        var stuck = kit.TcpPeer("192.0.2.8:5000", listener);
        stuck.IsReading = false;
        idle.Send("x"u8);
        stuck.Send(new byte[500_000]);
        kit.RunUntilIdle();
        idle.Reset();
        stuck.Reset();
        kit.RunUntilIdle();

        Assert.Equal(CloseReason.Reset, kit.ExpectSessionClosed(idle.EndPoint));
        Assert.Equal(CloseReason.Reset, kit.ExpectSessionClosed(stuck.EndPoint));
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_closed_session_lingers_for_its_peer_so_that_late_bytes_do_not_destroy_the_last_reply()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(() => new ScriptHandler
        {
            Received = (session, _) =>
            {
                session.Reply("goodbye");
                session.Close();
            },
        });
        var polite = kit.TcpPeer("192.0.2.7:5000", listener);
        var silent = kit.TcpPeer("192.0.2.8:5000", listener);
        polite.Send("x"u8);
        silent.Send("x"u8);
        kit.RunUntilIdle();
        polite.Send("late bytes"u8);
        kit.RunUntilIdle();

        Assert.Empty(kit.ClosedSessions);
        Assert.Equal(("goodbye", true, false), (polite.ReceivedText, polite.HasFinished, polite.IsReset));
        polite.Finish();
        kit.RunUntilIdle();
        Assert.Equal(CloseReason.Done, kit.ExpectSessionClosed(polite.EndPoint));

        kit.Advance(TimeSpan.FromMilliseconds(1_900));
        Assert.Equal(1, listener.Sessions);
        kit.Advance(TimeSpan.FromMilliseconds(120));
        Assert.Equal(CloseReason.Done, kit.ExpectSessionClosed(silent.EndPoint));
        Assert.False(silent.IsReset);
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void An_idle_stream_closes_at_its_deadline()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(new EchoRoute("echo"));
        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        kit.Advance(TimeSpan.FromSeconds(29));
        peer.Send("x"u8);
        kit.Advance(TimeSpan.FromSeconds(29));
        Assert.False(peer.HasFinished);
        kit.Advance(TimeSpan.FromMilliseconds(1_008));
        Assert.True(peer.HasFinished);
        peer.Finish();
        kit.RunUntilIdle();
        Assert.Equal(CloseReason.Idle, kit.ExpectSessionClosed(peer.EndPoint));
    }

    [Fact]
    public void A_connection_beyond_max_sessions_is_reset_and_counted()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(new EchoRoute("echo"), limits: kit.Limits with { MaxSessions = 1 });
        var first = kit.TcpPeer("192.0.2.7:5000", listener);
        var second = kit.TcpPeer("192.0.2.8:5000", listener);
        kit.RunUntilIdle();
        first.Send("a"u8);
        kit.RunUntilIdle();
        Assert.True(second.IsReset);
        Assert.Equal(1, listener.Drops(DropReason.MaxSessions));
        Assert.Equal("a", first.ReceivedText);

        first.Finish();
        kit.RunUntilIdle();
        var third = kit.TcpPeer("192.0.2.9:5000", listener);
        third.Send("b"u8);
        kit.RunUntilIdle();
        Assert.Equal("b", third.ReceivedText);
    }

    [Theory]
    [InlineData(Errno.EMFILE)]
    [InlineData(Errno.ENFILE)]
    [InlineData(Errno.ENOBUFS)]
    [InlineData(Errno.ENOMEM)]
    public void Accepting_stops_without_descriptors_and_goes_on_with_one_word_each(Errno errno)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(new EchoRoute("echo"));
        kit.Network.Faults.Inject(NetworkOperation.Accept, errno, times: 4);
        var peers = Enumerable.Range(0, 20).Select(i => kit.TcpPeer($"192.0.2.7:{5000 + i}", listener)).ToArray();
        foreach (var peer in peers)
        {
            peer.Send("x"u8);
        }

        kit.RunUntilIdle();   // it would not come to rest if readiness were still watched
        Assert.Equal(0, listener.Sessions);
        kit.Advance(TimeSpan.FromSeconds(2));

        Assert.All(peers, peer => Assert.Equal("x", peer.ReceivedText));
        Assert.Equal(["tcp-0 accept-suspended " + errno, "tcp-0 accept-resumed"], kit.ListenerEvents);
    }
}
