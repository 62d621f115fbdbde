using Router.Diagnostics;
using Router.Routes;
using Router.TestKit;

namespace Router.Tests.Routes;

/// <summary>Answers made of the peer, the time and a count.</summary>
public sealed class ReplyTemplateTests
{
    [Fact]
    public void Every_session_is_told_its_own_peer_and_its_own_count()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(Route(ReplyPart.Peer, ReplyPart.Of("#"u8.ToArray()), ReplyPart.Count));
        var first = kit.UdpPeer("192.0.2.7:5000", listener);
        var second = kit.UdpPeer("192.0.2.8:65535", listener);
        first.Send("a"u8);
        first.Send("b"u8);
        second.Send("c"u8);
        first.Send("d"u8);
        kit.RunUntilIdle();

        Assert.Equal(["192.0.2.7:5000#1", "192.0.2.7:5000#2", "192.0.2.7:5000#3"], first.ReceivedText);
        Assert.Equal(["192.0.2.8:65535#1"], second.ReceivedText);
    }

    [Fact]
    public void An_IPv6_peer_is_written_in_brackets()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(Route(ReplyPart.Peer), "[2001:db8::1]:9");
        var peer = kit.UdpPeer("[2001:db8::7]:5000", listener);
        peer.Send("a"u8);
        kit.RunUntilIdle();

        Assert.Equal(["[2001:db8::7]:5000"], peer.ReceivedText);
    }

    [Fact]
    public void The_time_is_the_clocks_in_UTC_and_moves()
    {
        using var kit = new RouterTestKit(seed: 1);
        var peer = kit.UdpPeer("192.0.2.7:5000", kit.BindUdp(Route(ReplyPart.Time)));
        var expected = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            peer.Send("a"u8);
            kit.RunUntilIdle();
            expected.Add(LogFields.TimeOf(kit.Time.GetUtcNow()));
            kit.Advance(TimeSpan.FromMilliseconds(1_234));
        }

        Assert.Equal(expected, peer.ReceivedText);
        Assert.NotEqual(expected[0], expected[1]);
    }

    [Fact]
    public void A_stream_is_answered_once_per_read()
    {
        using var kit = new RouterTestKit(seed: 1);
        var peer = kit.TcpPeer("192.0.2.7:5000", kit.BindTcp(Route(ReplyPart.Count, ReplyPart.Of("\n"u8.ToArray()))));
        for (var i = 0; i < 3; i++)
        {
            peer.Send("x"u8);
            kit.RunUntilIdle();
        }

        Assert.Equal("1\n2\n3\n", System.Text.Encoding.ASCII.GetString(peer.Received.Span));
    }

    [Theory]
    [InlineData(1, 64, true)]
    [InlineData(1, 65, false)]
    [InlineData(30, 90, true)]
    [InlineData(30, 91, false)]
    [InlineData(0, 64, true)]
    public void A_template_stays_within_the_amplification_budget(int asked, int answered, bool passes)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(Route(ReplyPart.Count, ReplyPart.Of(new byte[answered - 1])));
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send(new byte[asked]);
        kit.RunUntilIdle();

        Assert.Equal(passes ? 1 : 0, peer.Received.Count);
        Assert.Equal(passes ? 0 : 1, listener.Drops(DropReason.Amplification));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_earlier_datagrams_left_of_the_budget_lengthens_no_answer(bool isTemplate)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(isTemplate
            ? Route(ReplyPart.Count, ReplyPart.Of(new byte[71]))
            : new ReplyRoute("reply", new byte[72]));
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        for (var i = 0; i < 5; i++)
        {
            peer.Send("x"u8);   // 64 bytes each: more than 72 of two
            peer.Send([]);
            kit.RunUntilIdle();
        }

        Assert.Empty(peer.Received);
        Assert.Equal(10, listener.Drops(DropReason.Amplification));
        peer.Send(new byte[25]);
        kit.RunUntilIdle();
        Assert.Single(peer.Received);
    }

    [Fact]
    public void The_longest_answer_of_every_part_has_room()
    {
        var template = new ReplyTemplate([ReplyPart.Peer, ReplyPart.Time, ReplyPart.Count]);
        var peer = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535"u8.ToArray();

        Assert.Equal(
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:655359999-12-31T23:59:59.999Z9223372036854775807",
            System.Text.Encoding.ASCII.GetString(template.Render(peer, DateTimeOffset.MaxValue, long.MaxValue)));
    }

    [Fact]
    public void A_template_that_could_outgrow_a_datagram_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new ReplyTemplate([ReplyPart.Of(new byte[65_500]), ReplyPart.Count]));

    private static ReplyRoute Route(params ReplyPart[] parts) => new("reply", new ReplyTemplate(parts));
}
