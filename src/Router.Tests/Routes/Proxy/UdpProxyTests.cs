using System.Globalization;
using Router.Diagnostics;
using Router.Net;
using Router.TestKit.Simulation;
using Router.Upstreams;

namespace Router.Tests.Routes;

public sealed class UdpProxyTests
{
    private const string One = "10.0.0.1:53";
    private const string Two = "10.0.0.2:53";
    private const string Client = "192.0.2.1:4000";

    [Fact]
    public void Datagrams_pass_both_ways_in_order_and_are_counted()
    {
        using var rig = new ProxyRig([One]);
        var upstream = rig.UdpEcho(One);
        var listener = rig.BindUdp();
        var client = rig.Kit.UdpPeer(Client, listener);
        var sent = Enumerable.Range(0, 100).Select(i => i.ToString(CultureInfo.InvariantCulture)).ToList();

        sent.ForEach(text => client.Send(System.Text.Encoding.UTF8.GetBytes(text)));
        rig.Kit.RunUntilIdle();

        Assert.Equal(sent, client.ReceivedText);
        Assert.Single(upstream.Received.Select(datagram => datagram.From).Distinct());
        var session = rig.Kit.SessionOf(client.EndPoint);
        Assert.Equal(One, session.Upstream);
        Assert.Equal(
            (100, 190, 100, 190),
            (session.PayloadsReceived, session.BytesReceived, session.PayloadsSent, session.BytesSent));
        Assert.Equal([1], rig.Counts);

        rig.Kit.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(CloseReason.Idle, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void Empty_and_longest_datagrams_pass_both_ways()
    {
        using var rig = new ProxyRig([One]);
        var upstream = rig.UdpEcho(One);
        var client = rig.Kit.UdpPeer(Client, rig.BindUdp());
        var longest = new byte[65_507];
        new Random(3).NextBytes(longest);

        client.Send([]);
        client.Send(longest);
        client.Send([]);
        rig.Kit.RunUntilIdle();

        Assert.Equal([0, 65_507, 0], upstream.Received.Select(datagram => datagram.Payload.Length));
        Assert.Equal([0, 65_507, 0], client.Received.Select(datagram => datagram.Payload.Length));
        Assert.Equal(longest, client.Received[1].Payload);
    }

    [Fact]
    public void Many_replies_to_one_datagram_all_arrive_in_order()
    {
        using var rig = new ProxyRig([One]);
        var upstream = rig.Kit.UdpPeer(One);
        var replies = Enumerable.Range(0, 100).Select(i => $"reply {i}").ToList();
        upstream.OnReceived = datagram => replies.ForEach(
            reply => upstream.SendTo(datagram.From, System.Text.Encoding.UTF8.GetBytes(reply)));
        var client = rig.Kit.UdpPeer(Client, rig.BindUdp());

        client.Send("go"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(replies, client.ReceivedText);
    }

    [Fact]
    public void Each_client_has_a_socket_of_its_own_and_gets_its_own_replies()
    {
        using var rig = new ProxyRig([One, Two]);
        var upstreams = new[] { rig.UdpEcho(One), rig.UdpEcho(Two) };
        var listener = rig.BindUdp();
        var clients = Enumerable.Range(1, 10).Select(i => rig.Kit.UdpPeer($"192.0.2.{i}:4000", listener)).ToList();

        foreach (var client in clients)
        {
            client.Send(System.Text.Encoding.UTF8.GetBytes(client.EndPoint.ToString()));
        }

        rig.Kit.RunUntilIdle();

        Assert.All(clients, client => Assert.Equal([client.EndPoint.ToString()], client.ReceivedText));
        Assert.Equal([5, 5], rig.Counts);
        Assert.All(
            upstreams,
            upstream => Assert.Equal(5, upstream.Received.Select(datagram => datagram.From).Distinct().Count()));
    }

    [Fact]
    public void A_dead_first_upstream_costs_one_datagram_and_later_sessions_none()
    {
        using var rig = new ProxyRig([One, Two]);
        rig.UdpEcho(Two);
        var listener = rig.BindUdp();
        var client = rig.Kit.UdpPeer(Client, listener);
        var later = rig.Kit.UdpPeer("192.0.2.2:4000", listener);

        for (var i = 0; i < 5; i++)
        {
            client.Send([(byte)('a' + i)]);   // one batch
        }

        rig.Kit.RunUntilIdle();
        later.Send("later"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["b", "c", "d", "e"], client.ReceivedText);
        Assert.Equal(["later"], later.ReceivedText);
        Assert.Equal(1, listener.Drops(DropReason.UpstreamRefused));
        Assert.Equal(1, listener.AllDrops());
        Assert.Equal([0, 2], rig.Counts);
        Assert.Equal(Two, rig.Kit.SessionOf(client.EndPoint).Upstream);
    }

    [Fact]
    public void A_refusal_told_between_datagrams_moves_the_session_too()
    {
        using var rig = new ProxyRig([One, Two]);
        rig.UdpEcho(Two);
        var listener = rig.BindUdp();
        var client = rig.Kit.UdpPeer(Client, listener);

        client.Send("lost"u8);
        rig.Kit.RunUntilIdle();
        client.Send("kept"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["kept"], client.ReceivedText);
        Assert.Equal(1, listener.AllDrops());
        Assert.Equal(1, rig.Kit.SessionsOpened);
    }

    [Fact]
    public void A_session_tries_as_many_upstreams_as_configured_and_then_fails()
    {
        using var rig = new ProxyRig(
            ["10.0.0.1:53", "10.0.0.2:53", "10.0.0.3:53"], settings => settings with { NextUpstreamTries = 2 });
        var listener = rig.BindUdp();
        var client = rig.Kit.UdpPeer(Client, listener);

        for (var i = 0; i < 2; i++)
        {
            client.Send("x"u8);
            rig.Kit.RunUntilIdle();
        }

        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        Assert.Empty(client.Received);
        Assert.Equal(2, listener.Drops(DropReason.UpstreamRefused));
        rig.AssertNothingLeft();

        var untried = Assert.Single(
            rig.Group.Current.Upstreams.ToArray(), upstream => !upstream.HasFailed(rig.Kit.Time));
        rig.UdpEcho(untried.Text);
        client.Send("third"u8);   // a new session avoids the two
        rig.Kit.RunUntilIdle();
        Assert.Equal(["third"], client.ReceivedText);
    }

    [Fact]
    public void Ten_thousand_refusals_end_their_sessions_only_and_leave_nothing()
    {
        using var rig = new ProxyRig([One]);
        var listener = rig.BindUdp();
        var client = rig.Kit.UdpPeer(Client, listener);
        for (var i = 0; i < 10_000; i++)
        {
            client.Send("x"u8);
            rig.Kit.RunUntilIdle();
        }

        Assert.Equal(10_000, listener.Drops(DropReason.UpstreamRefused));
        Assert.Equal(10_000, listener.AllDrops());
        rig.AssertNothingLeft();

        rig.UdpEcho(One);
        client.Send("back"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["back"], client.ReceivedText);
    }

    [Fact]
    public void After_a_reply_refusals_are_counted_and_the_session_waits_for_its_upstream()
    {
        using var rig = new ProxyRig([One, Two]);
        var first = rig.UdpEcho(One);
        rig.UdpEcho(Two);
        var listener = rig.BindUdp();
        var client = rig.Kit.UdpPeer(Client, listener);
        client.Send("before"u8);
        rig.Kit.RunUntilIdle();
        first.Close();

        for (var i = 0; i < 4; i++)
        {
            client.Send("lost"u8);   // one batch: refused and sent again alternate
        }

        rig.Kit.RunUntilIdle();
        Assert.Equal(4, listener.Drops(DropReason.UpstreamRefused));
        var back = rig.UdpEcho(One);
        client.Send("after"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["before", "after"], client.ReceivedText);
        Assert.Equal(first.Received[0].From, back.Received[0].From);
        Assert.Equal(4, listener.AllDrops());
        Assert.Equal(1, rig.Kit.SessionsOpened);
    }

    [Fact]
    public void A_datagram_is_sent_again_when_the_refusal_belonged_to_an_earlier_one()
    {
        using var rig = new ProxyRig([One]);
        var upstream = rig.UdpEcho(One);
        var listener = rig.BindUdp();
        var client = rig.Kit.UdpPeer(Client, listener);
        client.Send("before"u8);
        rig.Kit.RunUntilIdle();
        rig.Kit.Network.Faults.Inject(NetworkOperation.ConnectedSend, Errno.ECONNREFUSED);

        client.Send("again"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["before", "again"], upstream.ReceivedText);
        Assert.Equal(["before", "again"], client.ReceivedText);
    }

    [Theory]
    [InlineData(Errno.EAGAIN, DropReason.SendFull)]
    [InlineData(Errno.ENOBUFS, DropReason.SendFull)]
    [InlineData(Errno.EMSGSIZE, DropReason.SendRefused)]
    [InlineData(Errno.EPERM, DropReason.SendRefused)]
    [InlineData(Errno.EIO, DropReason.SendRefused)]
    public void A_failing_send_is_a_counted_drop_and_no_more(Errno errno, DropReason reason)
    {
        using var rig = new ProxyRig([One]);
        rig.UdpEcho(One);
        var listener = rig.BindUdp();
        var client = rig.Kit.UdpPeer(Client, listener);
        rig.Kit.Network.Faults.Inject(NetworkOperation.ConnectedSend, errno);

        client.Send("lost"u8);
        client.Send("kept"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["kept"], client.ReceivedText);
        Assert.Equal(1, listener.Drops(reason));
        Assert.Equal(1, listener.AllDrops());
        Assert.Equal(1, rig.Kit.SessionsOpened);
    }

    [Theory]
    [InlineData(NetworkOperation.ConnectDatagram, Errno.EMFILE)]
    [InlineData(NetworkOperation.ConnectDatagram, Errno.EAGAIN)]   // no local port
    [InlineData(NetworkOperation.Watch, Errno.ENOMEM)]
    public void Without_a_socket_the_session_ends_and_the_next_one_works(NetworkOperation operation, Errno errno)
    {
        using var rig = new ProxyRig([One]);
        rig.UdpEcho(One);
        var listener = rig.BindUdp();
        var client = rig.Kit.UdpPeer(Client, listener);
        rig.Kit.Network.Faults.Inject(operation, errno);

        client.Send("lost"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        Assert.Equal(1, listener.Drops(DropReason.NoResources));
        Assert.Equal(1, listener.AllDrops());
        rig.AssertNothingLeft();

        client.Send("kept"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["kept"], client.ReceivedText);
    }

    [Fact]
    public void Without_any_upstream_the_session_ends_as_unavailable_until_there_is_one()
    {
        using var rig = new ProxyRig(["unresolved.test:53"]);
        var listener = rig.BindUdp();
        var client = rig.Kit.UdpPeer(Client, listener);

        client.Send("lost"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        Assert.Equal(1, listener.Drops(DropReason.UpstreamUnavailable));

        rig.UdpEcho(One);
        rig.Group.Publish([new Upstream(SocketAddr.From(System.Net.IPEndPoint.Parse(One)))]);
        client.Send("kept"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["kept"], client.ReceivedText);
    }

    [Fact]
    public void A_session_goes_on_with_an_upstream_that_was_removed()
    {
        using var rig = new ProxyRig([One]);
        var upstream = rig.UdpEcho(One);
        var client = rig.Kit.UdpPeer(Client, rig.BindUdp());
        client.Send("before"u8);
        rig.Kit.RunUntilIdle();
        rig.Group.Publish([]);

        client.Send("after"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["before", "after"], upstream.ReceivedText);
        Assert.Equal(["before", "after"], client.ReceivedText);
    }

    [Fact]
    public void A_restarted_session_counts_once_and_leaves_no_socket()
    {
        using var rig = new ProxyRig([One]);
        var upstream = rig.UdpEcho(One);
        var listener = rig.BindUdp();
        var client = rig.Kit.UdpPeer(Client, listener);
        client.Send("before"u8);
        rig.Kit.RunUntilIdle();

        upstream.Close();
        rig.Clock.Fails = true;
        client.Send("refused"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal([0], rig.Counts);
        rig.Clock.Fails = false;
        rig.UdpEcho(One);
        client.Send("after"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(1, listener.Restarts);
        Assert.Equal(["before", "after"], client.ReceivedText);
        Assert.Equal([1], rig.Counts);
        rig.Kit.Advance(TimeSpan.FromSeconds(31));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void Hash_keeps_all_sessions_of_an_address_on_one_upstream()
    {
        using var rig = new ProxyRig(
            [.. Enumerable.Range(1, 8).Select(i => $"10.0.0.{i}:53")],
            settings => settings with { Pick = PickPolicy.Hash });
        foreach (var target in rig.Group.Current.Upstreams)
        {
            rig.UdpEcho(target.Text);
        }

        var listener = rig.BindUdp();
        for (var port = 4000; port < 4050; port++)
        {
            rig.Kit.UdpPeer($"192.0.2.1:{port}", listener).Send("x"u8);
        }

        rig.Kit.RunUntilIdle();

        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 50], rig.Counts.Order());
    }

    [Fact]
    public void A_draining_listener_waits_for_outstanding_replies_only()
    {
        using var rig = new ProxyRig([One]);
        var upstream = rig.Kit.UdpPeer(One);
        var listener = rig.BindUdp();
        var waiting = rig.Kit.UdpPeer(Client, listener);
        var answered = rig.Kit.UdpPeer("192.0.2.2:4000", listener);
        waiting.Send("wait"u8);
        answered.Send("answer"u8);
        rig.Kit.RunUntilIdle();
        upstream.SendTo(upstream.Received[1].From, "answered"u8);
        rig.Kit.RunUntilIdle();

        listener.Drain();
        rig.Kit.RunUntilIdle();
        Assert.Equal(CloseReason.Shutdown, rig.Kit.ExpectSessionClosed(answered.EndPoint));
        Assert.Equal(1, listener.Sessions);

        upstream.SendTo(upstream.Received[0].From, "late"u8);
        rig.Kit.RunUntilIdle();
        listener.Drain();
        rig.Kit.RunUntilIdle();
        Assert.Equal(["late"], waiting.ReceivedText);
        Assert.Equal(CloseReason.Shutdown, rig.Kit.ExpectSessionClosed(waiting.EndPoint));
    }
}
