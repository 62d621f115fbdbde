using Router.Diagnostics;
using Router.TestKit;

namespace Router.Tests.Sessions;

/// <summary>What a peer that has proved nothing may be sent: one reply, and three times its bytes or 64, per
/// datagram.</summary>
public sealed class AmplificationTests
{
    [Theory]
    [InlineData(0, 64, true)]
    [InlineData(0, 65, false)]
    [InlineData(1, 64, true)]
    [InlineData(21, 64, true)]
    [InlineData(22, 66, true)]
    [InlineData(22, 67, false)]
    [InlineData(1_000, 3_000, true)]
    [InlineData(1_000, 3_001, false)]
    public void A_reply_is_at_most_three_times_the_datagram_or_64_bytes(int received, int reply, bool passes)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new ScriptHandler
        {
            Bytes = (session, _) => Assert.Equal(passes, session.Reply(new byte[reply])),
        });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send(new byte[received]);
        kit.RunUntilIdle();

        Assert.Equal(passes ? 1 : 0, peer.Received.Count);
        Assert.Equal(passes ? 0 : 1, listener.Drops(DropReason.Amplification));
        Assert.Equal(0, listener.Restarts);
    }

    [Fact]
    public void One_datagram_earns_one_reply()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new ScriptHandler
        {
            Received = (session, text) =>
            {
                for (var i = 0; i < 3; i++)
                {
                    session.Reply(text);
                }
            },
        });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        for (var i = 0; i < 10; i++)
        {
            peer.Send([]);
        }

        kit.RunUntilIdle();
        Assert.Equal(10, peer.Received.Count);
        Assert.Equal(20, listener.Drops(DropReason.Amplification));
        Assert.Equal(20, kit.SessionOf(peer.EndPoint).Drops);
    }

    [Fact]
    public void A_validated_peer_may_be_sent_anything()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new ScriptHandler
        {
            Received = (session, text) =>
            {
                if (text == "token")
                {
                    session.MarkPeerValidated();
                }

                session.Reply(new byte[1_000]);
                session.Reply(new byte[2_000]);
            },
        });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("guess"u8);
        kit.RunUntilIdle();
        Assert.Empty(peer.Received);

        peer.Send("token"u8);
        kit.RunUntilIdle();
        Assert.Equal([1_000, 2_000], peer.Received.Select(datagram => datagram.Payload.Length));
    }
}
