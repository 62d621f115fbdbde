using Router.Diagnostics;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Kit;

/// <summary>A handler that awaits, tested where xunit has a context of its own.</summary>
public sealed class AwaitingHandlerTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_it_awaits_goes_on_when_the_kit_runs(bool hasContext)
    {
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(hasContext ? new NeverRun() : null);
        try
        {
            using var kit = new RouterTestKit(seed: 1);
            var peer = kit.UdpPeer("192.0.2.7:5000", kit.BindUdp(() => new Awaiting(kit.Time)));
            peer.Send("hello"u8);
            kit.RunUntilIdle();
            Assert.Empty(peer.Received);

            kit.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(["at last"], peer.ReceivedText);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    [Fact]
    public void A_connection_that_was_closed_is_open_no_more_while_it_waits_for_the_peers_end()
    {
        using var kit = new RouterTestKit(seed: 1);
        var peer = kit.TcpPeer("192.0.2.7:5000", kit.BindTcp(static () => new Closing()));
        peer.Send("hello"u8);
        kit.RunUntilIdle();

        Assert.Empty(kit.OpenSessions);
        Assert.Empty(kit.ClosedSessions);
        Assert.Equal(CloseReason.Done, kit.ExpectSessionClosed(peer.EndPoint));
        kit.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(CloseReason.Done, Assert.Single(kit.ClosedSessions).Reason);
        Assert.Throws<RouterTestKitException>(() => kit.ExpectSessionClosed(peer.EndPoint));   // told already
    }

    private sealed class Awaiting(TimeProvider time) : SessionHandler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch) => _ = AnswerAsync(session);

        private async Task AnswerAsync(SessionContext session)
        {
            var isDue = new TaskCompletionSource();
            await using var timer = time.CreateTimer(
                _ => isDue.SetResult(), null, TimeSpan.FromMilliseconds(500), Timeout.InfiniteTimeSpan);
            await isDue.Task;
            session.Reply("at last"u8);
        }
    }

    private sealed class Closing : SessionHandler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch) => session.Close();
    }

    /// <summary>As a context whose thread is the one that waits.</summary>
    private sealed class NeverRun : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
        }
    }
}
