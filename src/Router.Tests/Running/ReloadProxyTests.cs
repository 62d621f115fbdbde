using System.Net;
using Router.Diagnostics;
using Router.TestKit;

namespace Router.Tests.Running;

/// <summary>What a reload does to proxies' upstreams and sessions.</summary>
public sealed class ReloadProxyTests
{
    private const string Proxy = "198.51.100.1:9000";
    private const string One = "10.0.0.1:53";
    private const string Two = "10.0.0.2:53";
    private const string Client = "192.0.2.1:5000";

    [Fact]
    public void An_added_upstream_is_used_at_once_and_a_removed_one_no_more_by_new_sessions()
    {
        using var rig = new ReloadRig(Text(One));
        var (one, two) = (rig.Echo(One), rig.Echo(Two));
        var old = rig.Peer(Client, Proxy);
        old.Send("a"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Text(Two));
        var young = rig.Peer("192.0.2.2:5000", Proxy);
        young.Send("b"u8);
        old.Send("c"u8);   // finishes where it is, by default
        rig.Kit.RunUntilIdle();

        Assert.Equal(["a", "c"], Texts(one));
        Assert.Equal(["b"], Texts(two));
        Assert.Equal(["a", "c"], old.ReceivedText);
        var line = Assert.Single(rig.LinesOf("reloaded"));
        Assert.Contains("upstreams-added=p/10.0.0.2:53 upstreams-removed=p/10.0.0.1:53", line);
    }

    [Fact]
    public void Close_ends_the_sessions_of_a_removed_upstream_and_no_others()
    {
        using var rig = new ReloadRig(Text(One, Two, "close"));
        rig.Echo(One);
        rig.Echo(Two);
        var (first, second) = (rig.Peer(Client, Proxy), rig.Peer("192.0.2.2:5000", Proxy));
        first.Send("a"u8);
        rig.Kit.RunUntilIdle();
        second.Send("a"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Text(Two, "close"));

        Assert.Equal(CloseReason.UpstreamRemoved, rig.Kit.ExpectSessionClosed(first.EndPoint));
        Assert.Equal(Two, Assert.Single(rig.Kit.OpenSessions).Upstream);
    }

    [Fact]
    public void Re_pick_moves_a_datagram_session_and_what_was_unanswered_still_arrives()
    {
        using var rig = new ReloadRig(Text(One, "re-pick"));
        var slow = rig.Kit.UdpPeer(One);
        var two = rig.Echo(Two);
        var client = rig.Peer(Client, Proxy);
        client.Send("a"u8);
        client.Send("b"u8);
        rig.Kit.RunUntilIdle();
        var session = rig.Kit.SessionOf(client.EndPoint);

        rig.Apply(Text(Two, "re-pick"));
        client.Send("c"u8);
        rig.Kit.RunUntilIdle();
        slow.Received.ToList().ForEach(late => slow.SendTo(late.From, "late"u8));
        rig.Kit.RunUntilIdle();

        Assert.Equal(["c", "late", "late"], client.ReceivedText);
        Assert.Equal(["c"], Texts(two));
        Assert.Same(session, Assert.Single(rig.Kit.OpenSessions));
        Assert.Equal((Two, 0), (session.Upstream, session.Drops));
        Assert.Equal(3, rig.Kit.Network.OpenSockets);   // the listener's two, and one to the upstream
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void Answers_of_upstreams_removed_one_after_another_all_arrive_up_to_eight_upstreams()
    {
        const int Removed = 9;
        using var rig = new ReloadRig(Text("10.0.1.0:53", "re-pick"));
        var slow = Enumerable.Range(0, Removed).Select(i => rig.Kit.UdpPeer($"10.0.1.{i}:53")).ToList();
        var client = rig.Peer(Client, Proxy);
        for (var i = 0; i < Removed; i++)
        {
            client.Send("a"u8);
            rig.Kit.RunUntilIdle();
            rig.Apply(Text(i == Removed - 1 ? Two : $"10.0.1.{i + 1}:53", "re-pick"));
        }

        slow.ForEach(upstream => upstream.SendTo(upstream.Received[0].From, "late"u8));
        rig.Kit.RunUntilIdle();

        Assert.Equal(Enumerable.Repeat("late", 8), client.ReceivedText);
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void Re_pick_begins_at_the_endpoint_of_the_new_upstream_whatever_the_old_one_went_over_to()
    {
        var text = Text(One, "re-pick").Replace("type = proxy", "type = proxy, upstream-replies = follow");
        using var rig = new ReloadRig(text);
        var (one, transfer) = (rig.Kit.UdpPeer(One), rig.Kit.UdpPeer("10.0.0.1:40000"));
        one.OnReceived = datagram => transfer.SendTo(datagram.From, "from 40000"u8);
        var two = rig.Echo(Two);
        var client = rig.Peer(Client, Proxy);
        client.Send("a"u8);
        rig.Kit.RunUntilIdle();
        client.Send("b"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["b"], Texts(transfer));

        rig.Apply(text.Replace(One, Two));
        client.Send("c"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["c"], Texts(two));
        Assert.Equal(["from 40000", "c"], client.ReceivedText);
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void Answers_of_a_removed_upstream_are_waited_for_5_seconds()
    {
        using var rig = new ReloadRig(Text(One, "re-pick"));
        rig.Kit.UdpPeer(One);
        rig.Echo(Two);
        var client = rig.Peer(Client, Proxy);
        client.Send("a"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Text(Two, "re-pick"));
        client.Send("b"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(4, rig.Kit.Network.OpenSockets);
        rig.Kit.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(3, rig.Kit.Network.OpenSockets);
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void A_session_that_ends_with_its_last_answer_does_so_when_that_comes_from_a_removed_upstream()
    {
        using var rig = new ReloadRig(Text(One, "re-pick, responses = 1"));
        var slow = rig.Kit.UdpPeer(One);
        var client = rig.Peer(Client, Proxy);
        client.Send("a"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Text(Two, "re-pick, responses = 1"));
        slow.SendTo(slow.Received[0].From, "late"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["late"], client.ReceivedText);
        Assert.Equal(CloseReason.Done, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeftAfterStop();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void An_answer_of_the_new_upstream_is_no_answer_of_the_removed_one(int unanswered)
    {
        using var rig = new ReloadRig(Text(One, "re-pick, responses = 1"));
        var slow = rig.Kit.UdpPeer(One);
        rig.Echo(Two);
        var client = rig.Peer(Client, Proxy);
        for (var i = 0; i < unanswered; i++)
        {
            client.Send("a"u8);
        }

        rig.Kit.RunUntilIdle();
        rig.Apply(Text(Two, "re-pick, responses = 1"));
        client.Send("b"u8);
        rig.Kit.RunUntilIdle();
        for (var i = 0; i < unanswered; i++)
        {
            Assert.Single(rig.Kit.OpenSessions);
            slow.SendTo(slow.Received[i].From, "late"u8);
            rig.Kit.RunUntilIdle();
        }

        Assert.Equal(["b", .. Enumerable.Repeat("late", unanswered)], client.ReceivedText);
        Assert.Equal(CloseReason.Done, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void What_a_removed_upstream_never_answers_does_not_keep_the_session()
    {
        using var rig = new ReloadRig(Text(One, "re-pick, responses = 1"));
        rig.Kit.UdpPeer(One);
        rig.Echo(Two);
        var client = rig.Peer(Client, Proxy);
        for (var i = 0; i < 3; i++)
        {
            client.Send("a"u8);
        }

        rig.Kit.RunUntilIdle();
        rig.Apply(Text(Two, "re-pick, responses = 1"));
        rig.Kit.Advance(TimeSpan.FromSeconds(5.1));
        Assert.Single(rig.Kit.OpenSessions);
        client.Send("c"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["c"], client.ReceivedText);
        Assert.Equal(CloseReason.Done, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void A_session_that_waits_for_nothing_but_a_removed_upstream_ends_when_that_is_given_up()
    {
        using var rig = new ReloadRig(Text(One, "re-pick, responses = 1"));
        rig.Kit.UdpPeer(One);
        rig.Echo(Two);
        var client = rig.Peer(Client, Proxy);
        client.Send("a"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Text(Two, "re-pick, responses = 1"));
        client.Send("b"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Single(rig.Kit.OpenSessions);
        rig.Kit.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Equal(["b"], client.ReceivedText);
        Assert.Equal(CloseReason.Done, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void All_answers_to_a_datagram_arrive_from_a_removed_upstream()
    {
        using var rig = new ReloadRig(Text(One, "re-pick, responses = 2"));
        var slow = rig.Kit.UdpPeer(One);
        var two = rig.Echo(Two);
        var client = rig.Peer(Client, Proxy);
        client.Send("a"u8);
        rig.Kit.RunUntilIdle();
        slow.SendTo(slow.Received[0].From, "first"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Text(Two, "re-pick, responses = 2"));
        client.Send("b"u8);
        rig.Kit.RunUntilIdle();
        two.SendTo(two.Received[0].From, "b again"u8);
        rig.Kit.RunUntilIdle();
        Assert.Single(rig.Kit.OpenSessions);
        slow.SendTo(slow.Received[0].From, "second"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["first", "b", "b again", "second"], client.ReceivedText);
        Assert.Equal(CloseReason.Done, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeftAfterStop();
    }

    [Theory]
    [InlineData("finish", false)]
    [InlineData("re-pick", false)]
    [InlineData("close", true)]
    public void A_stream_to_a_removed_upstream_finishes_or_closes(string removal, bool closes)
    {
        using var rig = new ReloadRig(Text(One, removal));
        var server = rig.Kit.TcpServer(One);
        server.OnAccepted = peer => peer.OnReceived = (self, bytes) => self.Send(bytes.Span);
        var client = rig.Stream(Client, Proxy);
        client.Send("a"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Text(Two, removal));
        if (closes)
        {
            Assert.Equal(CloseReason.UpstreamRemoved, rig.Kit.ExpectSessionClosed(client.EndPoint));
            Assert.True(client.IsReset);
        }
        else
        {
            client.Send("b"u8);
            rig.Kit.RunUntilIdle();
            Assert.Equal("ab", client.ReceivedText);
        }

        rig.AssertNothingLeftAfterStop();
    }

    [Theory]
    [InlineData("finish", false)]
    [InlineData("re-pick", true)]
    [InlineData("close", true)]
    public void A_stream_that_still_connects_to_a_removed_upstream_goes_to_another(string removal, bool moves)
    {
        using var rig = new ReloadRig(Text(One, removal));
        rig.Kit.Network.SetBlackHole(IPEndPoint.Parse(One));
        var server = rig.Kit.TcpServer(Two);
        server.OnAccepted = peer => peer.OnReceived = (self, bytes) => self.Send(bytes.Span);
        var client = rig.Stream(Client, Proxy);
        client.Send("a"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Text(Two, removal));
        rig.Kit.RunUntilIdle();

        Assert.Equal(moves ? "a" : "", client.ReceivedText);
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void A_changed_policy_applies_to_new_picks()
    {
        using var rig = new ReloadRig(Text(One, Two, "finish"));
        rig.Echo(One);
        rig.Echo(Two);
        rig.Apply(Text(One, Two, "finish").Replace("pick = round-robin", "pick = hash"));

        for (var i = 0; i < 8; i++)
        {
            rig.Peer($"192.0.2.1:{6000 + i}", Proxy).Send("x"u8);
            rig.Kit.RunUntilIdle();
        }

        Assert.Single(rig.Kit.OpenSessions.Select(session => session.Upstream).Distinct());
    }

    [Fact]
    public void A_live_session_goes_by_the_routes_new_settings()
    {
        using var rig = new ReloadRig(Text(One));
        rig.Echo(One);
        var client = rig.Peer(Client, Proxy);
        client.Send("a"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Text(One, "finish, responses = 1"));
        client.Send("b"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["a", "b"], client.ReceivedText);
        Assert.Equal(CloseReason.Done, rig.Kit.ExpectSessionClosed(client.EndPoint));
    }

    [Fact]
    public void Names_that_are_new_are_asked_at_once_and_those_that_stay_keep_what_they_led_to()
    {
        using var rig = new ReloadRig(Text("one.test:53"));
        rig.Resolver.Names["one.test"] = ["10.0.0.1"];
        rig.Resolver.Names["two.test"] = ["10.0.0.2"];
        rig.Kit.Advance(TimeSpan.FromSeconds(6));
        rig.Echo(One);
        rig.Echo(Two);

        rig.Resolver.Silent.Add("one.test");
        rig.Apply(Text("one.test:53", "two.test:53", "finish"));

        for (var i = 0; i < 4; i++)
        {
            rig.Peer($"192.0.2.1:{6000 + i}", Proxy).Send("x"u8);
            rig.Kit.RunUntilIdle();
        }

        Assert.Equal([One, Two], rig.Kit.OpenSessions.Select(session => session.Upstream).Distinct().Order());
        var asked = rig.Resolver.Asked;
        rig.Apply(Text("one.test:53", "two.test:53", "finish"));
        Assert.Equal(asked, rig.Resolver.Asked);   // nothing changed: nobody is asked
    }

    [Fact]
    public void A_route_that_is_gone_takes_its_upstreams_with_it_and_may_come_back()
    {
        using var rig = new ReloadRig(Text(One, "close"));
        rig.Echo(One);
        var client = rig.Peer(Client, Proxy);
        client.Send("a"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply("""
            router {
              listeners.a { bind = ["udp://198.51.100.1:9000", "tcp://198.51.100.1:9000"], route = p }
              routes.p { type = echo }
            }
            """);
        Assert.Equal(CloseReason.UpstreamRemoved, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.Apply(Text(One, "close"));
        client.Send("b"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["a", "b"], client.ReceivedText);
        Assert.Equal(One, Assert.Single(rig.Kit.OpenSessions).Upstream);
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void An_upstream_name_that_leads_to_a_listener_added_later_is_left_off_from_then_on()
    {
        using var rig = new ReloadRig(Text("one.test:53"));
        rig.Resolver.Names["one.test"] = ["198.51.100.1"];
        rig.Kit.Advance(TimeSpan.FromSeconds(6));
        var listener = """listeners.x { bind = "udp://198.51.100.1:53", route = p }""";

        rig.Apply(Text("one.test:53").Replace("routes", listener + "\n routes"));
        rig.Peer(Client, Proxy).Send("x"u8);
        rig.Kit.RunUntilIdle();

        Assert.Single(rig.LinesOf("upstream-refused"));
        Assert.Equal(1, rig.FiguresOf("a").Drops[DropReason.UpstreamUnavailable]);
    }

    [Fact]
    public void An_upstream_at_a_listeners_address_over_the_other_transport_is_used()
    {
        var listener = """listeners.x { bind = "tcp://198.51.100.1:53", route = e }, routes.e { type = echo }""";
        using var rig = new ReloadRig(Text("198.51.100.1:53")
            .Replace(", \"tcp://198.51.100.1:9000\"", "").Replace("routes.p", listener + "\n routes.p"));

        rig.Peer(Client, Proxy).Send("x"u8);
        rig.Kit.RunUntilIdle();

        Assert.Empty(rig.LinesOf("upstream-refused"));
        Assert.Equal(0, rig.FiguresOf("a").Drops.GetValueOrDefault(DropReason.UpstreamUnavailable));
    }

    [Theory]
    [InlineData("off", "127.0.0.1", true)]
    [InlineData("on", "127.0.0.1", false)]
    [InlineData("off", "::1", false)]
    public void A_wildcard_that_takes_no_IPv4_is_no_listener_of_an_IPv4_upstream(
        string dualStack, string address, bool isUsed)
    {
        var listener = $$"""
            listeners.x { bind = "udp://[::]:53", dual-stack = {{dualStack}}, route = e }, routes.e { type = echo }
            """;
        using var rig = new ReloadRig(Text("one.test:53").Replace("routes.p", listener + "\n routes.p"));
        rig.Resolver.Names["one.test"] = [address];
        rig.Kit.Advance(TimeSpan.FromSeconds(6));

        rig.Peer(Client, Proxy).Send("x"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(isUsed ? 0 : 1, rig.LinesOf("upstream-refused").Count);
        Assert.Equal(isUsed ? 0 : 1, rig.FiguresOf("a").Drops.GetValueOrDefault(DropReason.UpstreamUnavailable));
    }

    [Fact]
    public void An_upstream_at_an_address_that_a_listener_has_given_up_is_used_once_it_is_free()
    {
        var listener = """listeners.x { bind = "udp://198.51.100.1:53", route = e }, routes.e { type = echo }""";
        using var rig = new ReloadRig(Text(One).Replace("routes.p", listener + "\n routes.p"));
        rig.Apply(Text("198.51.100.1:53"));
        rig.Kit.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(rig.LinesOf("listener-removed"));

        rig.Peer(Client, Proxy).Send("x"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(0, rig.FiguresOf("a").Drops.GetValueOrDefault(DropReason.UpstreamUnavailable));
    }

    private static IEnumerable<string> Texts(UdpPeer peer) => peer.ReceivedText;

    private static string Text(string upstream, string removal = "finish") => Text(upstream, "", removal);

    private static string Text(string upstream, string other, string removal) => $$"""
        router {
          listeners.a { bind = ["udp://198.51.100.1:9000", "tcp://198.51.100.1:9000"], route = p }
          routes.p {
            type = proxy
            upstreams = ["{{upstream}}"{{(other.Length > 0 ? $", \"{other}\"" : "")}}]
            pick = round-robin, on-upstream-removed = {{removal}}
          }
        }
        """;
}
