using Router.Diagnostics;
using Router.TestKit;

namespace Router.Tests.Sessions;

/// <summary>A session whose actor is killed has failed, as one whose handler throws.</summary>
public sealed class KillTests
{
    [Fact]
    public void A_killed_session_goes_on_with_a_fresh_handler()
    {
        using var kit = new RouterTestKit(seed: 1);
        var made = 0;
        var listener = kit.BindUdp(() =>
        {
            made++;
            return new ScriptHandler();
        });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("a"u8);
        kit.RunUntilIdle();
        kit.SessionOf(peer.EndPoint).Self.Tell(Kill.Instance);
        kit.RunUntilIdle();
        peer.Send("b"u8);
        kit.RunUntilIdle();

        Assert.Equal(["a", "b"], peer.ReceivedText);
        Assert.Equal((2, 1L, 1L), (made, listener.Restarts, kit.SessionsOpened));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_session_that_is_killed_beyond_its_budget_has_failed_and_that_is_told_once(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(
            () => new ScriptHandler(), limits: kit.Limits with { OnPool = onPool, MaxRestarts = 1 });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("a"u8);
        kit.RunUntilIdle();
        var self = kit.SessionOf(peer.EndPoint).Self;
        self.Tell(Kill.Instance);
        kit.RunUntilIdle();
        Assert.Empty(kit.FailureRecords);

        self.Tell(Kill.Instance);
        kit.RunUntilIdle();

        Assert.Equal(CloseReason.Failed, kit.ExpectSessionClosed(peer.EndPoint));
        Assert.IsType<ActorKilledException>(Assert.Single(kit.FailureRecords).Reason);
        Assert.Equal(1, listener.Restarts);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 5)]
    [InlineData(true, 0)]
    [InlineData(true, 5)]
    public void A_stream_session_that_is_killed_has_failed_and_that_is_told_once(bool onPool, int budget)
    {
        using var kit = new RouterTestKit(seed: 1);
        var told = new List<object>();
        var listener = kit.BindTcp(
            () => new ScriptHandler { Message = (_, message) => told.Add(message) },
            limits: kit.Limits with { OnPool = onPool, MaxRestarts = budget });
        var peer = kit.TcpPeer("192.0.2.7:5000", listener);
        kit.RunUntilIdle();
        var self = kit.SessionOf(peer.EndPoint).Self;
        self.Tell(Kill.Instance);
        self.Tell("behind it");
        kit.RunUntilIdle();

        Assert.Equal(CloseReason.Failed, kit.ExpectSessionClosed(peer.EndPoint));
        Assert.IsType<ActorKilledException>(Assert.Single(kit.FailureRecords).Reason);
        Assert.Empty(told);
        Assert.True(peer.IsReset);
    }
}
