using System.Text;
using Router.Diagnostics;
using Router.Routes;
using Router.TestKit;

namespace Router.Tests.Sessions;

/// <summary>Sessions whose datagrams come in trains see what they would see without.</summary>
public sealed class DatagramTrainTests
{
    private static readonly string[] Texts =
        ["aaaa", "bbbb", "cc", "dddd", "", "", "eeee", "ffff", "longer than those"];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_datagram_is_answered_in_order_and_counted_singly(bool trains)
    {
        using var kit = new RouterTestKit(seed: 1);
        kit.Network.DeliversTrains = trains;
        var listener = kit.BindUdp(new EchoRoute("echo"));
        var one = kit.UdpPeer("192.0.2.7:5000", listener);
        var two = kit.UdpPeer("192.0.2.8:5000", listener);
        foreach (var text in Texts)
        {
            one.Send(Encoding.UTF8.GetBytes(text));
        }

        two.Send("aaaa"u8);
        one.Send("last"u8);
        kit.RunUntilIdle();

        Assert.Equal([.. Texts, "last"], one.ReceivedText);
        Assert.Equal(["aaaa"], two.ReceivedText);
        kit.Advance(TimeSpan.FromMinutes(1));
        var closed = kit.ClosedSessions.Single(session => session.Peer.Equals(one.EndPoint));
        Assert.Equal((Texts.Length + 1L, Texts.Length + 1L), (closed.PayloadsReceived, closed.PayloadsSent));
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_train_longer_than_the_send_queue_is_answered_whole()
    {
        const int Count = 1000;
        using var kit = new RouterTestKit(seed: 1);
        kit.Network.DeliversTrains = true;
        var peer = kit.UdpPeer("192.0.2.7:5000", kit.BindUdp(new EchoRoute("echo")));
        for (var i = 0; i < Count; i++)
        {
            peer.Send(Encoding.UTF8.GetBytes($"{i:0000}"));
        }

        kit.RunUntilIdle();

        Assert.Equal(Enumerable.Range(0, Count).Select(i => $"{i:0000}"), peer.ReceivedText);
    }

    [Fact]
    public void Every_datagram_of_a_refused_train_is_a_drop()
    {
        using var kit = new RouterTestKit(seed: 1);
        kit.Network.DeliversTrains = true;
        var listener = kit.BindUdp(new EchoRoute("echo"), limits: kit.Limits with { MaxSessions = 1 });
        kit.UdpPeer("192.0.2.7:5000", listener).Send("first"u8);
        var late = kit.UdpPeer("192.0.2.8:5000", listener);
        for (var i = 0; i < 7; i++)
        {
            late.Send("late"u8);
        }

        kit.RunUntilIdle();

        Assert.Equal(7, listener.Drops(DropReason.MaxSessions));
        Assert.Empty(late.Received);
    }

    [Fact]
    public void A_handler_that_fails_within_a_train_gets_the_rest_of_it()
    {
        using var kit = new RouterTestKit(seed: 1);
        kit.Network.DeliversTrains = true;
        var listener = kit.BindUdp(() => new ScriptHandler
        {
            Received = (session, text) =>
                session.Reply(text == "bad!" ? throw new InvalidOperationException(text) : text),
        });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        foreach (var text in (string[])["one.", "two.", "bad!", "four", "five"])
        {
            peer.Send(Encoding.UTF8.GetBytes(text));
        }

        kit.RunUntilIdle();

        Assert.Equal(["one.", "two.", "four", "five"], peer.ReceivedText);
        Assert.Equal(1, listener.Drops(DropReason.HandlerFailed));
    }
}
