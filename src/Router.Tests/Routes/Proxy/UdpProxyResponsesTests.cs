using Router.Diagnostics;
using Router.TestKit;

namespace Router.Tests.Routes;

/// <summary>When replies, or their absence, end a session.</summary>
public sealed class UdpProxyResponsesTests
{
    private const string One = "10.0.0.1:53";
    private const string Client = "192.0.2.1:4000";

    [Fact]
    public void One_response_ends_the_session_and_the_next_datagram_begins_another()
    {
        using var rig = Rig(responses: 1);
        var upstream = rig.UdpEcho(One);
        var client = rig.Kit.UdpPeer(Client, rig.BindUdp());
        for (var i = 0; i < 3; i++)
        {
            client.Send("x"u8);
            rig.Kit.RunUntilIdle();
            Assert.Equal(CloseReason.Done, rig.Kit.ExpectSessionClosed(client.EndPoint));
        }

        Assert.Equal(3, client.Received.Count);
        Assert.Equal(3, upstream.Received.Select(datagram => datagram.From).Distinct().Count());
        rig.AssertNothingLeft();
    }

    [Fact]
    public void Two_responses_end_a_session_after_two_exchanges()
    {
        using var rig = Rig(responses: 2);
        var upstream = rig.UdpEcho(One);
        var client = rig.Kit.UdpPeer(Client, rig.BindUdp());
        for (var i = 0; i < 5; i++)
        {
            client.Send("x"u8);
            rig.Kit.RunUntilIdle();
        }

        Assert.Equal(5, client.Received.Count);
        Assert.Equal([2, 2, 1], upstream.Received.CountBy(datagram => datagram.From).Select(count => count.Value));
        Assert.Equal(2, rig.Kit.ClosedSessions.Count);
    }

    [Fact]
    public void Replies_beyond_the_number_are_not_waited_for()
    {
        using var rig = Rig(responses: 2);
        var upstream = Answering(rig, replies: 2);
        var client = rig.Kit.UdpPeer(Client, rig.BindUdp());
        client.Send("x"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["x0", "x1"], client.ReceivedText);
        Assert.Equal(CloseReason.Done, rig.Kit.ExpectSessionClosed(client.EndPoint));
        upstream.SendTo(upstream.Received[0].From, "beyond"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(2, client.Received.Count);
        Assert.Equal(1, upstream.Refusals);
    }

    [Fact]
    public void Late_replies_to_a_burst_all_arrive_before_the_session_ends()
    {
        using var rig = Rig(responses: 3);
        var upstream = rig.Kit.UdpPeer(One);
        var client = rig.Kit.UdpPeer(Client, rig.BindUdp());
        for (var i = 0; i < 5; i++)
        {
            client.Send([(byte)('a' + i)]);
        }

        rig.Kit.RunUntilIdle();
        foreach (var request in upstream.Received)
        {
            for (var i = 0; i < 3; i++)
            {
                upstream.SendTo(request.From, request.Payload);
                rig.Kit.Advance(TimeSpan.FromMilliseconds(500));
            }
        }

        Assert.Equal("aaabbbcccdddeee", string.Concat(client.ReceivedText));
        Assert.Equal(CloseReason.Done, rig.Kit.ExpectSessionClosed(client.EndPoint));
        Assert.Equal(1, rig.Kit.SessionsOpened);
    }

    [Fact]
    public void A_datagram_that_meets_the_last_reply_is_not_lost()
    {
        RouterTestKit.ForEachSeed(1, 50, kit =>
        {
            using var rig = new ProxyRig([One], settings => settings with { Responses = 1 }, kit: kit);
            var upstream = rig.Kit.UdpPeer(One);
            var listener = rig.BindUdp();
            var client = rig.Kit.UdpPeer(Client, listener);
            client.Send("0"u8);
            rig.Kit.RunUntilIdle();
            for (var i = 0; i < 20; i++)
            {
                upstream.SendTo(upstream.Received[^1].From, upstream.Received[^1].Payload);
                client.Send([(byte)('a' + i)]);   // both are ready in the same pass
                rig.Kit.RunUntilIdle();
            }

            Assert.Equal(21, upstream.Received.Count);
            Assert.Equal(20, client.Received.Count);
            Assert.Equal(0, listener.AllDrops());
        });
    }

    [Fact]
    public void A_lost_datagram_leaves_the_end_to_the_idle_timeout()
    {
        using var rig = Rig(responses: 1);
        rig.Kit.UdpPeer(One);
        var client = rig.Kit.UdpPeer(Client, rig.BindUdp());
        client.Send("x"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(CloseReason.Idle, rig.Kit.ExpectSessionClosed(client.EndPoint));
    }

    [Fact]
    public void A_silent_upstream_ends_the_session_after_its_idle_timeout()
    {
        using var rig = new ProxyRig(
            [One], settings => settings with { UpstreamIdleTimeout = TimeSpan.FromSeconds(2) });
        rig.Kit.UdpPeer(One);
        var client = rig.Kit.UdpPeer(Client, rig.BindUdp());
        client.Send("x"u8);
        for (var i = 0; i < 19; i++)
        {
            rig.Kit.Advance(TimeSpan.FromMilliseconds(100));
            client.Send("x"u8);   // asking again is no answer
        }

        Assert.Single(rig.Kit.OpenSessions);
        rig.Kit.Advance(TimeSpan.FromMilliseconds(120));
        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void An_upstream_that_has_answered_everything_may_be_silent()
    {
        using var rig = new ProxyRig(
            [One], settings => settings with { UpstreamIdleTimeout = TimeSpan.FromSeconds(2) });
        rig.UdpEcho(One);
        var client = rig.Kit.UdpPeer(Client, rig.BindUdp());
        for (var i = 0; i < 3; i++)
        {
            client.Send("x"u8);
            rig.Kit.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.Single(rig.Kit.OpenSessions);
        Assert.Equal(3, client.Received.Count);
    }

    [Fact]
    public void An_upstream_that_only_refuses_is_silent()
    {
        using var rig = new ProxyRig(
            [One], settings => settings with { UpstreamIdleTimeout = TimeSpan.FromSeconds(2) });
        var server = rig.UdpEcho(One);
        var client = rig.Kit.UdpPeer(Client, rig.BindUdp());
        client.Send("x"u8);
        rig.Kit.RunUntilIdle();
        server.Close();

        for (var i = 0; i < 3; i++)
        {
            client.Send("x"u8);
            rig.Kit.Advance(TimeSpan.FromMilliseconds(800));
        }

        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client.EndPoint));
    }

    private static ProxyRig Rig(int responses) => new([One], settings => settings with { Responses = responses });

    private static UdpPeer Answering(ProxyRig rig, int replies)
    {
        var upstream = rig.Kit.UdpPeer(One);
        upstream.OnReceived = datagram =>
        {
            for (var i = 0; i < replies; i++)
            {
                upstream.SendTo(datagram.From, [.. datagram.Payload, (byte)('0' + i)]);
            }
        };
        return upstream;
    }
}
