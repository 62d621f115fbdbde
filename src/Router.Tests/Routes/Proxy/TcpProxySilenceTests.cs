using Router.Diagnostics;

namespace Router.Tests.Routes;

/// <summary>What <c>upstream-idle-timeout</c> takes for silence, over TCP.</summary>
public sealed class TcpProxySilenceTests
{
    private const string One = "10.0.0.1:80";
    private const string Client = "192.0.2.1:4000";

    [Fact]
    public void A_silent_upstream_ends_the_session_only_while_it_owes_something()
    {
        using var rig = new ProxyRig(
            [One], settings => settings with { UpstreamIdleTimeout = TimeSpan.FromSeconds(2) });
        var server = rig.Kit.TcpServer(One);
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        client.Send("one"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(1));
        server.Accepted[0].Send("answer"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(10));
        Assert.Single(rig.Kit.OpenSessions);

        client.Send("two"u8);
        rig.Kit.Advance(TimeSpan.FromMilliseconds(1_990));
        Assert.Single(rig.Kit.OpenSessions);
        rig.Kit.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void An_upstream_that_is_not_read_is_not_silent()
    {
        using var rig = new ProxyRig(
            [One], settings => settings with { UpstreamIdleTimeout = TimeSpan.FromSeconds(2) });
        var server = rig.Kit.TcpServer(One);
        var client = rig.Kit.TcpPeer(Client, rig.BindTcp());
        rig.Kit.RunUntilIdle();
        client.IsReading = false;
        server.Accepted[0].Send(new byte[8 << 20]);
        rig.Kit.RunUntilIdle();
        client.Send("more"u8);   // and passed on: its answer waits behind what the client does not take

        rig.Kit.Advance(TimeSpan.FromSeconds(5));
        Assert.Single(rig.Kit.OpenSessions);
        client.IsReading = true;
        rig.Kit.RunUntilIdle();
        client.Send("again"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(rig.Kit.OpenSessions);

        rig.Kit.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client.EndPoint));
    }

    [Fact]
    public void A_limit_of_silence_that_a_reload_takes_away_ends_no_session()
    {
        using var rig = new ProxyRig(
            [One], settings => settings with { UpstreamIdleTimeout = TimeSpan.FromSeconds(2) });
        rig.Kit.TcpServer(One);
        rig.Kit.TcpPeer(Client, rig.BindTcp()).Send("ask"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(1));
        rig.Route.Apply(rig.Route.Settings with { UpstreamIdleTimeout = Timeout.InfiniteTimeSpan });

        rig.Kit.Advance(TimeSpan.FromSeconds(10));
        Assert.Single(rig.Kit.OpenSessions);
    }
}
