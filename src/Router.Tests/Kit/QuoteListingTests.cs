using System.Text;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Kit;

/// <summary>Asks an actor of the program for what its peer wants to know.</summary>
public sealed class QuoteHandler(IActorRef quotes) : SessionHandler
{
    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        foreach (var payload in batch)
        {
            quotes.Tell(Encoding.UTF8.GetString(payload), session.Self);
        }
    }

    public override void OnMessage(SessionContext session, object message) =>
        session.Reply(Encoding.UTF8.GetBytes((string)message));
}

public sealed class QuoteTests() : RouterActorTestKit(seed: 42)
{
    [Fact]
    public void A_peer_gets_what_the_actor_answers()
    {
        var quotes = CreateTestProbe();
        var peer = Kit.UdpPeer("192.0.2.7:5000", to: Kit.BindUdp(() => new QuoteHandler(quotes)));

        peer.Send("ACME"u8);
        Kit.RunUntilIdle();
        quotes.ExpectMsg("ACME");

        quotes.Reply("12.50");
        Kit.RunUntilIdle();
        Assert.Equal(["12.50"], peer.ReceivedText);
    }
}
