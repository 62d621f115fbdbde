#pragma warning disable IDE0052 // the example as the documentation has it: its count is for the reader
using Router.Diagnostics;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Kit;

/// <summary>The documentation's example, as written there.</summary>
public sealed class EchoListingTests
{
    [Fact]
    public void Echo_session_replies_in_order_and_closes_when_idle()
    {
        using var kit = new RouterTestKit(seed: 42);    // one thread, virtual clock, in-memory sockets
        var peer = kit.UdpPeer("192.0.2.7:5000", to: kit.BindUdp(() => new EchoHandler()));

        peer.Send("one"u8);
        peer.Send("two"u8);
        kit.RunUntilIdle();
        Assert.Equal(["one", "two"], peer.ReceivedText);

        kit.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(CloseReason.Idle, kit.ExpectSessionClosed(peer.EndPoint));
        kit.AssertNoLeakedBuffers();
    }
}

/// <summary>Sends every payload back to its peer. One instance per session.</summary>
public sealed class EchoHandler : SessionHandler
{
    private long _payloadsEchoed;

    public override void OnOpened(SessionContext session) =>
        session.IdleTimeout = TimeSpan.FromSeconds(30);

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        foreach (var payload in batch)      // UDP: one datagram each; TCP: next bytes in order
        {
            session.Reply(payload);         // copied before return
        }

        _payloadsEchoed += batch.Count;
    }
}
