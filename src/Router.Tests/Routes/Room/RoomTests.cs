using System.Net;
using System.Text;
using Router.Admission;
using Router.Diagnostics;
using Router.Routes;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Routes;

/// <summary>Sessions that hear each other, on one loop and on several.</summary>
public sealed class RoomTests
{
    private static readonly RoomSettings Open = new(
        RoomEntry.FirstPayload, ToSender: false, RoomsMax: 10, MembersMax: 10, PayloadMax: 100,
        Buffer: 1 << 20, RoomWhenSlow.Drop, Rule(PeerProof.None));

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void What_one_says_the_others_of_its_room_hear_on_whatever_loop(int loops)
    {
        using var kit = new RouterTestKit(seed: 1, loops);
        var listener = kit.BindUdp(new RoomRoute("room", Open));
        var red = Enumerable.Range(0, 8).Select(i => Member(kit, listener, $"127.0.0.1:{5000 + i}", "red")).ToList();
        var blue = Enumerable.Range(0, 2).Select(i => Member(kit, listener, $"127.0.0.1:{6000 + i}", "blue")).ToList();
        for (var i = 0; i < red.Count; i++)
        {
            red[i].Send(Encoding.ASCII.GetBytes($"I am {i}"));
        }

        blue[0].Send(""u8);   // an empty datagram is a payload too
        kit.RunUntilIdle();
        for (var i = 0; i < red.Count; i++)
        {
            Assert.Equal(
                Enumerable.Range(0, 8).Where(other => other != i).Select(other => $"I am {other}"),
                red[i].ReceivedText.Order());
        }

        Assert.Empty(blue[0].Received);
        Assert.Equal([""], blue[1].ReceivedText);
        Assert.Equal(0, listener.AllDrops());
    }

    [Fact]
    public void Who_says_something_hears_it_too_if_asked_for()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(new RoomRoute("room", Open with { ToSender = true }));
        var peer = Member(kit, listener, "127.0.0.1:5000", "red");
        peer.Send("me"u8);
        kit.RunUntilIdle();
        Assert.Equal(["me"], peer.ReceivedText);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Lines_of_streams_and_datagrams_are_one_room(int loops)
    {
        using var kit = new RouterTestKit(seed: 1, loops);
        var route = new RoomRoute("room", Open with { Entry = RoomEntry.FirstPayload });
        var udp = Member(kit, kit.BindUdp(route), "127.0.0.1:5000", "red");
        var listener = kit.BindTcp(route);
        var one = kit.TcpPeer("127.0.0.1:5001", listener);
        var two = kit.TcpPeer("127.0.0.1:5002", listener);
        one.Send("red\r\nfrom "u8);
        two.Send("r"u8);
        kit.RunUntilIdle();
        two.Send("ed\n"u8);
        kit.RunUntilIdle();
        one.Send("one\nand\n"u8);
        udp.Send("from udp"u8);
        kit.RunUntilIdle();
        two.Send("the last"u8);
        two.Finish();   // needs no end
        kit.RunUntilIdle();

        Assert.Equal(["from one\n", "and\n", "the last"], udp.ReceivedText);
        Assert.Equal("from udp\nthe last\n", Encoding.ASCII.GetString(one.Received.Span));
        Assert.Equal(
            ["and", "from one", "from udp"],
            Encoding.ASCII.GetString(two.Received.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
        Assert.Equal(CloseReason.Peer, kit.ExpectSessionClosed(two.EndPoint));
    }

    [Fact]
    public void The_sessions_of_a_listener_are_one_room_by_configuration()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(new RoomRoute("room", Open with { Entry = RoomEntry.Listener }));
        var (one, two) = (kit.UdpPeer("127.0.0.1:5000", listener), kit.UdpPeer("127.0.0.1:5001", listener));
        one.Send("nobody hears this"u8);
        kit.RunUntilIdle();
        two.Send("hello"u8);
        kit.RunUntilIdle();
        one.Send("hello yourself"u8);
        kit.RunUntilIdle();
        Assert.Equal(["hello"], one.ReceivedText);
        Assert.Equal(["hello yourself"], two.ReceivedText);
    }

    [Fact]
    public void A_programs_own_code_tells_the_room_or_refuses()
    {
        using var kit = new RouterTestKit(seed: 1);
        var route = new RoomRoute("room", Open with { Entry = RoomEntry.Handler }, static () => new FirstLetter());
        var listener = kit.BindUdp(route);
        var (one, two) = (kit.UdpPeer("127.0.0.1:5000", listener), kit.UdpPeer("127.0.0.1:5001", listener));
        one.Send("?"u8);
        kit.RunUntilIdle();
        Assert.Equal(1, listener.Drops(DropReason.RoomRefused));
        one.Send("red"u8);
        kit.RunUntilIdle();
        two.Send("rose"u8);
        two.Send("hello"u8);
        kit.RunUntilIdle();
        Assert.Equal(["hello"], one.ReceivedText);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a room")]
    [InlineData("../up")]
    [InlineData("r\u00e9d")]
    [InlineData("a123456789b123456789c123456789d123456789e123456789f123456789g1234")]
    public void A_first_payload_that_names_no_room_is_refused_and_counted(string name)
    {
        using var kit = new RouterTestKit(seed: 1);
        var route = new RoomRoute("room", Open);
        var udp = kit.BindUdp(route);
        var peer = kit.UdpPeer("127.0.0.1:5000", udp);
        peer.Send(Encoding.UTF8.GetBytes(name));
        var tcp = kit.BindTcp(route);
        var stream = kit.TcpPeer("127.0.0.1:5001", tcp);
        stream.Send(Encoding.UTF8.GetBytes(name + "\n"));
        kit.RunUntilIdle();

        Assert.Equal(1, udp.Drops(DropReason.RoomRefused));
        Assert.Equal(1, tcp.Drops(DropReason.RoomRefused));
        Assert.Empty(peer.Received);
        Assert.True(stream.HasFinished);
        Assert.Equal(0, route.Directory.Count);
    }

    [Fact]
    public void Rooms_and_their_members_have_limits_and_places_are_given_back()
    {
        using var kit = new RouterTestKit(seed: 1)
        {
            Limits = new ListenerLimits { IdleTimeout = TimeSpan.FromSeconds(9) },
        };
        var route = new RoomRoute("room", Open with { RoomsMax = 1, MembersMax = 2 });
        var listener = kit.BindUdp(route);
        Member(kit, listener, "127.0.0.1:5000", "red");
        var stays = Member(kit, listener, "127.0.0.1:5001", "red");
        var late = Member(kit, listener, "127.0.0.1:5002", "red");
        Member(kit, listener, "127.0.0.1:5003", "blue");
        Assert.Equal(2, listener.Drops(DropReason.RoomFull));

        kit.Advance(TimeSpan.FromSeconds(8));
        stays.Send("I am here"u8);
        kit.Advance(TimeSpan.FromSeconds(2));   // who is only spoken to is silent, and goes
        Assert.Equal(1, listener.Sessions);
        late.Send("red"u8);
        kit.RunUntilIdle();
        late.Send("hello"u8);
        kit.RunUntilIdle();
        Assert.Equal(["hello"], stays.ReceivedText);

        kit.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(0, listener.Sessions);
        Assert.Equal(0, route.Directory.Count);
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_payload_or_line_that_is_too_long_is_counted_and_the_next_one_is_said()
    {
        using var kit = new RouterTestKit(seed: 1);
        var route = new RoomRoute("room", Open);
        var udp = kit.BindUdp(route);
        var tcp = kit.BindTcp(route);
        var peer = Member(kit, udp, "127.0.0.1:5000", "red");
        var stream = kit.TcpPeer("127.0.0.1:5001", tcp);
        stream.Send("red\n"u8);
        kit.RunUntilIdle();
        peer.Send(new byte[101]);
        peer.Send(new byte[100]);
        for (var i = 0; i < 11; i++)
        {
            stream.Send("0123456789"u8);   // 110 bytes of a line
            kit.RunUntilIdle();
        }

        stream.Send("\nshort\n"u8);
        kit.RunUntilIdle();
        Assert.Equal(1, udp.Drops(DropReason.RoomRefused));
        Assert.Equal(1, tcp.Drops(DropReason.RoomRefused));
        Assert.Equal(["short\n"], peer.ReceivedText);
        Assert.Equal(101, stream.Received.Length);
        kit.AssertNoLeakedBuffers();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_slow_member_misses_payloads_or_is_closed_and_the_others_hear_everything(bool closes)
    {
        using var kit = new RouterTestKit(seed: 1)
        {
            Limits = new ListenerLimits { WriteBuffer = 4_096, IdleTimeout = Timeout.InfiniteTimeSpan },
        };
        var route = new RoomRoute("room", Open with { WhenSlow = closes ? RoomWhenSlow.Close : RoomWhenSlow.Drop });
        var udp = kit.BindUdp(route);
        var tcp = kit.BindTcp(route);
        var sender = Member(kit, udp, "127.0.0.1:5000", "red");
        var hearer = Member(kit, udp, "127.0.0.1:5001", "red");
        var slow = kit.TcpPeer("127.0.0.1:5002", tcp);
        slow.Send("red\n"u8);
        kit.RunUntilIdle();
        slow.IsReading = false;
        const int Said = 20_000;
        for (var i = 0; i < Said; i++)
        {
            sender.Send(new byte[100]);
            if (i % 100 == 0)
            {
                kit.RunUntilIdle();
            }
        }

        kit.RunUntilIdle();
        Assert.Equal(Said, hearer.Received.Count);
        Assert.InRange(tcp.Drops(DropReason.RoomSlow), 1, Said);
        Assert.Equal(closes ? 0 : 1, tcp.Sessions);
        if (closes)
        {
            Assert.Equal(1, tcp.Drops(DropReason.RoomSlow));
            Assert.Equal(CloseReason.Slow, kit.ExpectSessionClosed(slow.EndPoint));
        }
        else
        {
            slow.IsReading = true;
            kit.RunUntilIdle();
            Assert.Equal((Said - tcp.Drops(DropReason.RoomSlow)) * 101, slow.Received.Length);   // whole lines only
        }
    }

    [Fact]
    public void What_is_under_way_between_loops_has_a_limit()
    {
        using var kit = new RouterTestKit(seed: 1, loops: 2);
        var route = new RoomRoute("room", Open with { Buffer = 2_048 });
        var listener = kit.BindUdp(route);
        var peers = Enumerable.Range(0, 8).Select(i => Member(kit, listener, $"127.0.0.1:{5000 + i}", "red")).ToList();
        for (var i = 0; i < 50; i++)
        {
            peers.ForEach(static peer => peer.Send(new byte[100]));   // more in one pass than the buffer holds
        }

        kit.RunUntilIdle();
        Assert.InRange(listener.Drops(DropReason.RoomLate), 1, 8 * 50 * 8);
        Assert.Equal(
            8 * 50 * 7 - listener.Drops(DropReason.RoomLate), peers.Sum(static peer => (long)peer.Received.Count));
        Assert.Equal(0, route.Budget.Used);   // nothing is under way any more

        var late = listener.Drops(DropReason.RoomLate);
        foreach (var peer in peers)
        {
            peer.Send("again"u8);
            kit.RunUntilIdle();
        }

        Assert.Equal(late, listener.Drops(DropReason.RoomLate));
    }

    [Fact]
    public void A_UDP_peer_that_does_not_return_its_challenge_is_not_let_in_and_not_sent_more()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(new RoomRoute("room", Open with { Validation = Rule(PeerProof.RoundTrip) }));
        var forged = kit.UdpPeer("192.0.2.7:5000", listener);
        for (var i = 0; i < 10; i++)
        {
            forged.Send("red"u8);
        }

        forged.Send("challenge 00112233445566778899aabbccddeeff\n"u8);
        kit.RunUntilIdle();
        Assert.Equal(PeerValidator.ChallengesMax, forged.Received.Count);
        Assert.All(forged.Received, static datagram => Assert.InRange(datagram.Payload.Length, 1, 64));
        Assert.Equal(11 - PeerValidator.ChallengesMax, listener.Drops(DropReason.Unvalidated));

        kit.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(CloseReason.Unvalidated, kit.ExpectSessionClosed(forged.EndPoint));
    }

    [Fact]
    public void A_UDP_peer_that_returns_its_challenge_joins()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(new RoomRoute("room", Open with { Validation = Rule(PeerProof.RoundTrip) }));
        var peers = new[] { "192.0.2.7:5000", "192.0.2.8:5000" }.Select(at => kit.UdpPeer(at, listener)).ToList();
        foreach (var peer in peers)
        {
            peer.Send("hello?"u8);
            kit.RunUntilIdle();
            var challenge = Assert.Single(peer.Received).Payload;
            peer.Send([.. challenge, .. "red"u8]);
            kit.RunUntilIdle();
        }

        peers[0].Send("hello"u8);
        kit.RunUntilIdle();
        Assert.Equal("hello", peers[1].ReceivedText[^1]);
        kit.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(2, listener.Sessions);   // the time to prove it is over, and proved it was
    }

    [Theory]
    [InlineData("secret red", true)]
    [InlineData("secrets", false)]     // 's' is no room that the other is in
    [InlineData("Secret red", false)]
    [InlineData("secre", false)]
    [InlineData("", false)]
    public void A_UDP_peer_that_knows_the_token_joins_with_what_follows_it(string first, bool joins)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(new RoomRoute("room", Open with { Validation = Rule(PeerProof.Token, "secret ") }));
        var member = Member(kit, listener, "192.0.2.7:5000", "secret red");
        var peer = Member(kit, listener, "192.0.2.8:5000", first);
        member.Send("hello"u8);
        kit.RunUntilIdle();

        Assert.Equal(joins ? ["hello"] : [], peer.ReceivedText);
        Assert.Equal(joins ? 0 : 1, listener.Drops(DropReason.Unvalidated));
    }

    [Theory]
    [InlineData("127.0.0.1:5000", true)]
    [InlineData("10.1.2.3:5000", true)]
    [InlineData("11.1.2.3:5000", false)]
    public void Without_validation_only_loopback_and_the_named_networks_join(string at, bool joins)
    {
        using var kit = new RouterTestKit(seed: 1);
        var rule = new PeerValidation(
            PeerProof.None, default, [IPNetwork.Parse("10.0.0.0/8")], TimeSpan.FromSeconds(5), kit.Random);
        var route = new RoomRoute("room", Open with { Validation = rule });
        var listener = kit.BindUdp(route);
        Member(kit, listener, at, "red");
        Assert.Equal(joins ? 1 : 0, route.Directory.Count);
        Assert.Equal(joins ? 0 : 1, listener.Drops(DropReason.Unvalidated));
    }

    private static PeerValidation Rule(PeerProof proof, string token = "") => new(
        proof, Encoding.ASCII.GetBytes(token), [], TimeSpan.FromSeconds(5),
        new Router.TestKit.Simulation.SeededRandom(7));

    private static UdpPeer Member(RouterTestKit kit, KitListener listener, string endPoint, string first)
    {
        var peer = kit.UdpPeer(endPoint, listener);
        peer.Send(Encoding.ASCII.GetBytes(first));
        kit.RunUntilIdle();
        return peer;
    }

    private sealed class FirstLetter : RoomJoin
    {
        public override string? RoomOf(SessionContext session, ReadOnlySpan<byte> payload) =>
            payload is [(byte)'?', ..] ? null : $"{(char)payload[0]}";
    }
}
