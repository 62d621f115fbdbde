using System.Net;
using Router.Diagnostics;
using Router.Net;
using Router.TestKit;
using Router.TestKit.Simulation;

namespace Router.Tests.Routes;

public sealed class TcpProxyTests
{
    private const string One = "10.0.0.1:80";
    private const string Two = "10.0.0.2:80";
    private const string Client = "192.0.2.1:4000";

    [Fact]
    public void Bytes_pass_both_ways_and_are_counted()
    {
        using var rig = new ProxyRig([One]);
        var server = rig.TcpEcho(One);
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        client.Send("hello"u8);
        rig.Kit.RunUntilIdle();
        client.Send(" world"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal("hello world", client.ReceivedText);
        var session = rig.Kit.SessionOf(client.EndPoint);
        Assert.Equal((One, 11, 11), (session.Upstream, session.BytesReceived, session.BytesSent));
        Assert.Equal([1], rig.Counts);

        client.Finish();
        rig.Kit.RunUntilIdle();
        Assert.True(server.Accepted[0].HasFinished);
        Assert.Single(rig.Kit.OpenSessions);
        server.Accepted[0].Finish();
        rig.Kit.RunUntilIdle();
        Assert.True(client.HasFinished);
        Assert.Equal(CloseReason.Peer, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void A_server_that_speaks_first_is_heard_and_may_end_first()
    {
        using var rig = new ProxyRig([One]);
        rig.Kit.TcpServer(One).OnAccepted = peer =>
        {
            peer.Send("welcome"u8);
            peer.Finish();
        };
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        rig.Kit.RunUntilIdle();

        Assert.Equal("welcome", client.ReceivedText);
        Assert.True(client.HasFinished);
        client.Send("thanks"u8);
        client.Finish();
        rig.Kit.RunUntilIdle();
        Assert.Equal(CloseReason.Upstream, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void After_one_side_has_ended_a_megabyte_goes_the_other_way(bool clientEnds)
    {
        using var rig = new ProxyRig([One]);
        var server = rig.Kit.TcpServer(One);
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        rig.Kit.RunUntilIdle();
        var (ending, other) = clientEnds ? (client, server.Accepted[0]) : (server.Accepted[0], client);
        var bytes = Bytes(1 << 20);

        ending.Send("last"u8);
        ending.Finish();
        rig.Kit.RunUntilIdle();
        Assert.Equal("last", other.ReceivedText);
        Assert.True(other.HasFinished);
        other.Send(bytes);
        other.Finish();
        rig.Kit.RunUntilIdle();

        Assert.True(ending.Received.Span.SequenceEqual(bytes));
        Assert.True(ending.HasFinished);
        Assert.Equal(
            clientEnds ? CloseReason.Peer : CloseReason.Upstream, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void A_refused_connection_goes_to_the_next_upstream_with_all_that_was_sent()
    {
        using var rig = new ProxyRig([One, Two]);
        var server = rig.TcpEcho(Two);
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        client.Send("early"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal("early", client.ReceivedText);
        Assert.Single(server.Accepted);
        Assert.Equal([0, 1], rig.Counts);
        Assert.Equal(Two, rig.Kit.SessionOf(client.EndPoint).Upstream);
    }

    [Fact]
    public void A_silent_upstream_is_given_up_after_the_connect_timeout()
    {
        using var rig = new ProxyRig([One, Two]);
        rig.Kit.Network.SetBlackHole(IPEndPoint.Parse(One));
        rig.TcpEcho(Two);
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        client.Send("early"u8);
        rig.Kit.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Empty(client.ReceivedText);
        rig.Kit.Advance(TimeSpan.FromMilliseconds(50));

        Assert.Equal("early", client.ReceivedText);
        rig.Kit.Advance(TimeSpan.FromSeconds(5));   // the timer that connecting left behind does nothing
        Assert.Single(rig.Kit.OpenSessions);
    }

    [Fact]
    public void When_every_upstream_fails_the_client_is_reset()
    {
        using var rig = new ProxyRig([One, Two]);
        rig.Kit.Network.SetBlackHole(IPEndPoint.Parse(Two));
        var listener = rig.BindTcp();
        var client = rig.Kit.TcpPeer(Client, listener);
        client.Send("lost"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(2));

        Assert.True(client.IsReset);
        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        Assert.Equal(1, listener.Drops(DropReason.UpstreamRefused));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void No_more_upstreams_are_tried_than_configured()
    {
        using var rig = new ProxyRig([One, Two], settings => settings with { NextUpstreamTries = 1 });
        rig.TcpEcho(Two);
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        rig.Kit.RunUntilIdle();

        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client.EndPoint));
    }

    [Theory]
    [InlineData(NetworkOperation.ConnectStream, Errno.EMFILE, DropReason.NoResources)]
    [InlineData(NetworkOperation.ConnectStream, Errno.EADDRNOTAVAIL, DropReason.UpstreamRefused)]
    [InlineData(NetworkOperation.ConnectResult, Errno.ENOBUFS, DropReason.NoResources)]
    [InlineData(NetworkOperation.ConnectResult, Errno.EHOSTUNREACH, DropReason.UpstreamRefused)]
    public void A_connect_that_fails_ends_its_session_only(NetworkOperation operation, Errno errno, DropReason reason)
    {
        using var rig = new ProxyRig([One]);
        rig.TcpEcho(One);
        var listener = rig.BindTcp();
        rig.Kit.Network.Faults.Inject(operation, errno);
        var failing = rig.Kit.TcpPeer(Client, listener);
        rig.Kit.RunUntilIdle();
        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(failing.EndPoint));
        Assert.Equal(1, listener.Drops(reason));
        rig.AssertNothingLeft();

        var next = rig.Kit.TcpPeer("192.0.2.1:4001", listener);
        next.Send("works"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal("works", next.ReceivedText);
    }

    [Fact]
    public void A_connection_that_cannot_be_watched_is_closed()
    {
        using var rig = new ProxyRig([One]);
        rig.TcpEcho(One);
        var listener = rig.BindTcp();
        rig.Kit.Network.Faults.Inject(NetworkOperation.Watch, Errno.ENOMEM, after: 1);   // the first is the client's
        rig.Kit.TcpPeer(Client, listener);
        rig.Kit.RunUntilIdle();

        Assert.Equal(1, listener.Drops(DropReason.NoResources));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void A_client_that_resets_while_connecting_ends_its_session()
    {
        using var rig = new ProxyRig([One]);
        rig.Kit.Network.SetBlackHole(IPEndPoint.Parse(One));
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        client.Send("early"u8);
        rig.Kit.RunUntilIdle();
        client.Reset();
        rig.Kit.Advance(TimeSpan.FromMilliseconds(150));

        Assert.Equal(CloseReason.Reset, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Theory]
    [InlineData(true, CloseReason.Reset)]
    [InlineData(false, CloseReason.UpstreamFailed)]
    public void A_reset_of_one_side_resets_the_other(bool clientResets, CloseReason reason)
    {
        using var rig = new ProxyRig([One]);
        var server = rig.TcpEcho(One);
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        client.Send("x"u8);
        rig.Kit.RunUntilIdle();
        var (resetting, other) = clientResets ? (client, server.Accepted[0]) : (server.Accepted[0], client);

        resetting.Reset();
        rig.Kit.RunUntilIdle();

        Assert.True(other.IsReset);
        Assert.Equal(reason, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void What_a_server_answered_before_it_closed_without_reading_all_still_arrives()
    {
        using var rig = new ProxyRig([One]);
        var server = rig.Kit.TcpServer(One);
        server.OnAccepted = peer => peer.IsReading = false;
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        client.Send("a long request"u8);
        rig.Kit.RunUntilIdle();
        server.Accepted[0].Send("413"u8);
        server.Accepted[0].Close();   // unread bytes: a reset behind the answer
        rig.Kit.RunUntilIdle();

        Assert.Equal("413", client.ReceivedText);
        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void A_server_that_has_ended_and_takes_no_more_ends_the_session_as_upstream()
    {
        using var rig = new ProxyRig([One]);
        rig.Kit.TcpServer(One).OnAccepted = peer =>
        {
            peer.Send("bye"u8);
            peer.Close();
        };
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        rig.Kit.RunUntilIdle();
        client.Send("too late"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal("bye", client.ReceivedText);
        Assert.Equal(CloseReason.Upstream, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_reader_that_stops_stops_its_sender_at_a_bounded_number_of_bytes(bool clientSends)
    {
        using var rig = new ProxyRig([One]);
        var server = rig.Kit.TcpServer(One);
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        rig.Kit.RunUntilIdle();
        var (sender, reader) = clientSends ? (client, server.Accepted[0]) : (server.Accepted[0], client);
        var bytes = Bytes(4 << 20);

        reader.IsReading = false;
        sender.Send(bytes);
        rig.Kit.RunUntilIdle();

        // Two buffers between and one read's worth held.
        var taken = bytes.Length - sender.UnsentBytes;
        Assert.InRange(taken, 1, 3 * 64 * 1024);
        Assert.Equal(1, rig.Kit.Loops.Sum(loop => loop.Buffers.Rented));

        reader.Send("the other way is open"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal("the other way is open", sender.ReceivedText);

        reader.IsReading = true;
        rig.Kit.RunUntilIdle();
        Assert.True(reader.Received.Span.SequenceEqual(bytes));
        Assert.Equal(0, rig.Kit.Loops.Sum(loop => loop.Buffers.Rented));
    }

    [Fact]
    public void All_bytes_of_a_server_that_has_closed_reach_a_slow_client()
    {
        using var rig = new ProxyRig([One]);
        var server = rig.Kit.TcpServer(One);
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        var bytes = Bytes(1 << 20);
        client.Finish();
        client.IsReading = false;
        rig.Kit.RunUntilIdle();
        server.Accepted[0].Send(bytes);
        server.Accepted[0].Finish();
        rig.Kit.RunUntilIdle();
        Assert.Single(rig.Kit.OpenSessions);
        client.IsReading = true;
        rig.Kit.RunUntilIdle();

        Assert.True(client.Received.Span.SequenceEqual(bytes));
        Assert.True(client.HasFinished);
        Assert.Equal(CloseReason.Peer, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void A_slow_reader_is_not_idle_and_a_stuck_one_is()
    {
        using var rig = new ProxyRig([One]);
        var server = rig.Kit.TcpServer(One);
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        rig.Kit.RunUntilIdle();
        client.IsReading = false;
        server.Accepted[0].Send(Bytes(8 << 20));
        for (var i = 0; i < 4; i++)
        {
            rig.Kit.Advance(TimeSpan.FromSeconds(25));
            Assert.Single(rig.Kit.OpenSessions);
            client.IsReading = true;    // takes what is there
            client.IsReading = false;
        }

        rig.Kit.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(CloseReason.Idle, rig.Kit.ExpectSessionClosed(client.EndPoint));
        client.IsReading = true;
        rig.Kit.RunUntilIdle();
        Assert.True(client.IsReset, "a FIN would make what it got look whole");
        rig.AssertNothingLeft();
    }

    [Fact]
    public void A_killed_session_fails_and_resets_both_sides()
    {
        using var rig = new ProxyRig([One]);
        var server = rig.TcpEcho(One);
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        client.Send("x"u8);
        rig.Kit.RunUntilIdle();
        rig.Kit.SessionOf(client.EndPoint).Self.Tell(Kill.Instance, ActorRefs.NoSender);
        rig.Kit.RunUntilIdle();

        Assert.True(client.IsReset && server.Accepted[0].IsReset);
        Assert.Equal(CloseReason.Failed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void A_handler_that_fails_resets_both_sides_and_leaves_nothing()
    {
        using var rig = new ProxyRig(
            [One], settings => settings with { UpstreamIdleTimeout = TimeSpan.FromSeconds(1) });
        var server = rig.Kit.TcpServer(One);
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        client.Send("x"u8);
        rig.Kit.RunUntilIdle();
        rig.Clock.Fails = true;
        rig.Kit.Advance(TimeSpan.FromSeconds(2));
        rig.Clock.Fails = false;

        Assert.True(client.IsReset && server.Accepted[0].IsReset);
        Assert.Equal(CloseReason.Failed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void Whatever_the_network_does_every_byte_arrives_once_and_in_order()
    {
        RouterTestKit.ForEachSeed(1, 60, kit =>
        {
            var faults = kit.Network.Faults;
            (faults.ShortReads, faults.ShortWrites) = (0.5, 0.5);
            faults.DelayMax = TimeSpan.FromMilliseconds(5);
            faults.InjectAtRandom(NetworkOperation.StreamSend, Errno.EAGAIN, 0.1);
            faults.InjectAtRandom(NetworkOperation.StreamReceive, Errno.EAGAIN, 0.1);
            using var rig = new ProxyRig([One], kit: kit);
            var server = kit.TcpServer(One);
            var client = kit.TcpPeer(Client, rig.BindTcp());
            var (up, down) = (Bytes(200_000), Bytes(300_000));
            client.Send(up);
            client.Finish();
            server.OnAccepted = peer =>
            {
                peer.Send(down);
                peer.Finish();
            };
            for (var i = 0; i < 40; i++)
            {
                client.IsReading = kit.Random.Chance(0.7);
                if (server.Accepted.Count > 0)
                {
                    server.Accepted[0].IsReading = kit.Random.Chance(0.7);
                }

                kit.Advance(TimeSpan.FromMilliseconds(7));
            }

            (client.IsReading, server.Accepted[0].IsReading) = (true, true);
            kit.Advance(TimeSpan.FromSeconds(20));
            Assert.True(client.Received.Span.SequenceEqual(down));
            Assert.True(server.Accepted[0].Received.Span.SequenceEqual(up));
            Assert.True(client.HasFinished && server.Accepted[0].HasFinished);
            rig.AssertNothingLeft();
        });
    }

    [Fact]
    public void Whenever_either_side_breaks_nothing_is_left()
    {
        RouterTestKit.ForEachSeed(1, 100, kit =>
        {
            kit.Network.Faults.DelayMax = TimeSpan.FromMilliseconds(5);
            using var rig = new ProxyRig([One, Two], kit: kit);
            var server = rig.TcpEcho(Two);
            var listener = rig.BindTcp();
            var clients = Enumerable.Range(0, 5).Select(i => kit.TcpPeer($"192.0.2.{i + 1}:4000", listener)).ToList();
            for (var step = 0; step < 30; step++)
            {
                var peers = clients.Concat(server.Accepted).ToList();
                var peer = peers[kit.Random.Next(peers.Count)];
                switch (kit.Random.Next(12))
                {
                    case 0:
                        peer.Reset();
                        break;
                    case 1:
                        peer.Close();
                        break;
                    case 2:
                        peer.IsReading = !peer.IsReading;
                        break;
                    case 3 when kit.OpenSessions.Count > 0:
                        kit.OpenSessions[0].Self.Tell(Kill.Instance, ActorRefs.NoSender);
                        break;
                    default:
                        clients[kit.Random.Next(clients.Count)].Send(Bytes(50_000));
                        break;
                }

                kit.Advance(TimeSpan.FromMilliseconds(kit.Random.Next(8)));
            }

            kit.Advance(TimeSpan.FromSeconds(60));
            rig.AssertNothingLeft();
        });
    }

    private static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }
}
