using System.Text;
using Router.Cluster.Packs;
using Router.Cluster.Relay;
using Router.Diagnostics;
using Router.TestKit;

namespace Router.Tests.Cluster.Relay;

/// <summary>Strays between two members, on virtual time.</summary>
public sealed class RelayTests : RelayRig
{
    private const string Peer = "192.0.2.1:4000";

    private readonly RelayMemberRig _one;
    private readonly RelayMemberRig _two;
    private readonly UdpPeer _upstream;
    private readonly UdpPeer _peer;

    public RelayTests()
    {
        (_one, _two) = (Member("one").Bind(Proxy(Kit)), Member("two").Bind(Proxy(Kit)));
        _upstream = Kit.UdpPeer(Upstream);
        _upstream.OnReceived = datagram => _upstream.SendTo(datagram.From, datagram.Payload);
        _peer = Kit.UdpPeer(Peer, _one.Listener);
        Meet(_one, _two);
    }

    [Fact]
    public void A_stray_goes_to_the_member_that_has_its_session_and_its_answers_come_back_the_same_way()
    {
        Say(_one, "a");
        Say(_two, "b", "c", "");
        Say(_two, "d");

        Assert.Equal(["a", "b", "c", "", "d"], _upstream.Received.Select(TextOf));
        Assert.Single(_upstream.Received.Select(static datagram => datagram.From).Distinct());
        Assert.Equal(["a", "b", "c", "", "d"], _peer.ReceivedText);
        Assert.Equal(_two.Listener.EndPoint, _peer.Received[^1].From);
        Assert.Equal(4, _two.Listener.PayloadsSent);
        Assert.Equal((1, 1), (_two.Figures.Relaying, _one.Figures.Relayed));
        Assert.Equal((1, 1, 4, 4), (_two.Figures.Asked, _two.Figures.Found, _two.Figures.Passed, _two.Figures.Answers));
        Assert.Equal((4, 4), (_one.Figures.Taken, _one.Figures.Returned));
        Assert.Contains(
            Kit.OpenSessions, static session => session.Upstream!.StartsWith("member:", StringComparison.Ordinal));
    }

    [Fact]
    public void When_the_peers_datagrams_come_directly_again_its_answers_leave_directly()
    {
        Say(_one, "a");
        Say(_two, "b");
        Say(_one, "c");
        Assert.Equal(_one.Listener.EndPoint, _peer.Received[^1].From);
        Say(_two, "d");
        Assert.Equal(_two.Listener.EndPoint, _peer.Received[^1].From);
        _upstream.SendTo(_upstream.Received[0].From, "later"u8);
        Kit.RunUntilIdle();
        Assert.Equal(_two.Listener.EndPoint, _peer.Received[^1].From);
        Assert.Equal(["a", "b", "c", "d", "later"], _peer.ReceivedText);
    }

    /// <summary>Answers of one length that are no multiple of the send queue's alignment come as a train.</summary>
    [Fact]
    public void A_train_of_answers_is_whole_when_the_peers_datagrams_come_directly_again()
    {
        Say(_one, "a");
        Say(_two, "b");
        _upstream.OnReceived = null;
        Say(_one, "c");
        var train = Enumerable.Range(0, 8).Select(static i => new string((char)('0' + i), 100)).ToArray();
        foreach (var answer in train)
        {
            _upstream.SendTo(_upstream.Received[0].From, Encoding.UTF8.GetBytes(answer));
        }

        Kit.RunUntilIdle();
        Assert.Equal(["a", "b", .. train], _peer.ReceivedText);
        Assert.Equal(_one.Listener.EndPoint, _peer.Received[^1].From);
    }

    [Fact]
    public void A_peer_that_nobody_knows_gets_a_session_here_and_what_it_sent_meanwhile_arrives()
    {
        Say(_two, "a", "b");
        Assert.Equal(["a", "b"], _peer.ReceivedText);
        Assert.Equal(_two.Listener.EndPoint, _peer.Received[0].From);
        Assert.Equal((1, 0, 0), (_two.Figures.Asked, _two.Figures.Found, _two.Figures.Unanswered));
        Assert.Equal(0, _one.Listener.Sessions);
        Assert.Equal(Upstream, Assert.Single(Kit.OpenSessions).Upstream);
        Assert.DoesNotContain(_two.Span.Loops, static loop => loop.Figures.Relaying > 0);
    }

    [Fact]
    public void Nobody_is_asked_when_the_last_change_of_the_members_is_long_ago()
    {
        Kit.Advance(Defaults.StraysFor);
        Kit.Advance(TimeSpan.FromSeconds(1));
        Say(_one, "a");
        Say(_two, "b");
        Assert.Equal(0, _two.Figures.Asked);
        Assert.Equal(2, _upstream.Received.Select(static datagram => datagram.From).Distinct().Count());
    }

    [Fact]
    public void A_member_that_drains_has_the_others_ask_again()
    {
        Say(_one, "a");
        Kit.Advance(TimeSpan.FromSeconds(20));
        Say(_one, "a");
        for (var i = 0; i < 20; i++)   // the session is to live on
        {
            Kit.Advance(TimeSpan.FromSeconds(20));
            Say(_one, "a");
        }

        Assert.False(_two.Span.IsLooking);
        _one.Span.OnDraining();
        Kit.RunUntilIdle();
        Say(_two, "b");
        Assert.Equal(1, _two.Figures.Found);
    }

    [Fact]
    public void When_the_session_ends_the_relay_ends_and_the_peers_next_datagram_begins_anew()
    {
        Say(_one, "a");
        Say(_two, "b");
        var session = Kit.OpenSessions.First(static session => session.Upstream == Upstream);
        session.Close();
        Kit.RunUntilIdle();
        Assert.Equal([CloseReason.Done, CloseReason.RelayEnded], Kit.ClosedSessions.Select(static each => each.Reason));
        Assert.Equal((0, 0), (_two.Figures.Relaying, _one.Figures.Relayed));

        Say(_two, "c");
        Assert.Equal(["a", "b", "c"], _peer.ReceivedText);
        Assert.Equal(2, _upstream.Received.Select(static datagram => datagram.From).Distinct().Count());
    }

    [Fact]
    public void What_a_session_answered_last_arrives_before_its_relay_ends()
    {
        var (three, four) = (Responding("three"), Responding("four"));
        Meet(three, four);
        _upstream.OnReceived = null;
        Say(three, "a");
        Say(four, "b");
        var from = _upstream.Received[0].From;
        _upstream.SendTo(from, "1"u8);
        _upstream.SendTo(from, "2"u8);   // ends it
        Kit.RunUntilIdle();
        Assert.Equal(["1", "2"], _peer.ReceivedText);
        Assert.Empty(Kit.OpenSessions);
    }

    [Fact]
    public void When_the_stray_is_idle_the_member_that_has_its_session_forgets_the_way()
    {
        Say(_one, "a");
        Say(_two, "b");
        for (var i = 0; i < 4; i++)
        {
            Kit.Advance(TimeSpan.FromSeconds(10));
            Say(_one, "direct");
        }

        Assert.Equal(CloseReason.Idle, Kit.ExpectSessionClosed(_peer.EndPoint));
        Assert.Equal((0, 0), (_two.Figures.Relaying, _one.Figures.Relayed));
        Say(_two, "again");
        Assert.Equal("again", _peer.ReceivedText[^1]);
        Assert.Single(_upstream.Received.Select(static datagram => datagram.From).Distinct());
    }

    [Fact]
    public void When_the_member_that_has_the_session_is_gone_it_begins_anew_with_the_next_datagram()
    {
        Say(_one, "a");
        Say(_two, "b");
        _two.Span.Table.Remove(_one.Span.Actor, uid: 1);
        Say(_two, "c", "d");
        Assert.Equal(["a", "b", "c", "d"], _peer.ReceivedText);
        Assert.Equal(2, _upstream.Received.Select(static datagram => datagram.From).Distinct().Count());
        Assert.Equal(0, _two.Figures.Relaying);
        Assert.Contains(Kit.OpenSessions, static session => session.Upstream == Upstream);
    }

    [Fact]
    public void Another_member_at_the_place_of_one_that_is_gone_is_not_taken_for_it()
    {
        Say(_one, "a");
        Say(_two, "b");
        _two.Span.Table.Add(_one.Span.Actor, uid: 2);
        _two.Span.Table.Remove(_one.Span.Actor, uid: 1);   // of before
        Kit.Advance(TimeSpan.FromSeconds(1));
        Say(_two, "c");
        Assert.Equal("c", _peer.ReceivedText[^1]);
        Assert.Equal(0, _two.Figures.Relaying);
        Assert.Single(_two.Span.Table.Peers);
    }

    [Fact]
    public async Task A_relay_that_ends_says_so_and_is_not_asked_any_more()
    {
        Say(_one, "a");
        Say(_two, "b");
        var stopped = _one.Span.StopAsync(TimeSpan.FromSeconds(1));
        Kit.RunUntilIdle();
        await stopped;
        Say(_two, "c");
        Assert.Equal(["a", "b", "c"], _peer.ReceivedText);
        Assert.Empty(_two.Span.Table.Peers);
    }

    [Fact]
    public void A_member_that_is_none_is_not_heard()
    {
        Say(_one, "a");
        var stranger = CreateTestProbe();
        _one.Span.Actor.Tell(new RelayHello(RelayHelloKind.Asks), stranger.Ref);
        _one.Span.Actor.Tell(new Pack(new byte[8]), stranger.Ref);
        Kit.RunUntilIdle();
        stranger.ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void With_direct_return_answers_leave_from_the_member_that_has_the_session()
    {
        var (three, four) = (Member("three").Bind(Proxy(Kit), isDirect: true), Member("four"));
        four.Bind(Proxy(Kit), isDirect: true);
        Meet(three, four);
        Say(three, "a");
        Say(four, "b");
        Assert.Equal(["a", "b"], _peer.ReceivedText);
        Assert.Equal(three.Listener.EndPoint, _peer.Received[^1].From);
        Assert.Equal((1, 0), (three.Figures.Taken, three.Figures.Returned));
    }

    [Fact]
    public void A_peer_is_found_whatever_address_of_the_members_it_sends_to()
    {
        var (three, four) = (Member("three"), Member("four"));
        three.Bind(Proxy(Kit), endPoint: "0.0.0.0:7001");
        four.Bind(Proxy(Kit), endPoint: "0.0.0.0:7002");
        Meet(three, four);
        _peer.SendTo(System.Net.IPEndPoint.Parse("198.51.100.1:7001"), "a"u8);
        Kit.RunUntilIdle();
        _peer.SendTo(System.Net.IPEndPoint.Parse("198.51.100.2:7002"), "b"u8);
        Kit.RunUntilIdle();
        Assert.Equal(1, four.Figures.Found);
        Assert.Equal(["a", "b"], _peer.ReceivedText);
        Assert.Equal("198.51.100.2:7002", _peer.Received[^1].From.ToString());
    }

    [Fact]
    public void A_relayed_peer_whose_flow_moves_on_to_a_third_member_is_answered_from_there()
    {
        var three = Member("three").Bind(Proxy(Kit));
        Meet(_one, _two, three);
        Say(_one, "a");
        Say(_two, "b");
        Say(three, "c");
        Say(_two, "d");
        Assert.Equal(["a", "b", "c", "d"], _peer.ReceivedText);
        Assert.Equal(
            new[] { _one, _two, three, _two }.Select(static member => member.Listener.EndPoint),
            _peer.Received.Select(static datagram => datagram.From));
        Assert.Single(_upstream.Received.Select(static datagram => datagram.From).Distinct());
        Assert.Equal(2, _one.Figures.Relayed);

        Kit.OpenSessions.First(static session => session.Upstream == Upstream).Close();
        Kit.RunUntilIdle();
        Assert.Empty(Kit.OpenSessions);
    }

    [Fact]
    public void Large_batches_and_the_longest_datagrams_arrive_in_order()
    {
        Say(_one, "a");
        var sent = Enumerable.Range(0, 300).Select(static i => $"{i}").ToArray();
        Say(_two, sent);
        Assert.Equal(["a", .. sent], _peer.ReceivedText);

        var longest = new byte[65_507];
        new Random(3).NextBytes(longest);
        _peer.SendTo(_two.Listener.EndPoint, longest);
        _peer.SendTo(_two.Listener.EndPoint, longest);
        Kit.RunUntilIdle();
        Assert.Equal(longest, _peer.Received[^1].Payload);
        Assert.Equal(longest, _peer.Received[^2].Payload);
        Kit.AssertNoLeakedBuffers();
    }

    private RelayMemberRig Responding(string name) => Member(name).Bind(new Routes.ProxyRig(
        [Upstream],
        static settings => settings with { Responses = 1, Pick = Router.Upstreams.PickPolicy.Hash },
        kit: Kit));

    private void Say(RelayMemberRig to, params string[] texts)
    {
        foreach (var text in texts)
        {
            _peer.SendTo(to.Listener.EndPoint, Encoding.UTF8.GetBytes(text));
        }

        Kit.RunUntilIdle();
    }

    private static string TextOf(ReceivedDatagram datagram) => Encoding.UTF8.GetString(datagram.Payload);
}
