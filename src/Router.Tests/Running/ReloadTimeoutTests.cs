using System.Net;
using Router.Diagnostics;

namespace Router.Tests.Running;

/// <summary>A proxy's timeouts that a reload makes shorter, and the sessions that wait by them.</summary>
public sealed class ReloadTimeoutTests
{
    private const string Proxy = "198.51.100.1:9000";
    private const string One = "10.0.0.1:53";
    private const string Two = "10.0.0.2:53";
    private const string Client = "192.0.2.1:5000";

    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(10);

    [Theory]
    [InlineData("1h", false)]
    [InlineData("1h", true)]
    [InlineData("infinite", false)]
    [InlineData("infinite", true)]
    public void A_session_whose_upstream_is_silent_for_longer_than_is_allowed_now_ends(string before, bool isTcp)
    {
        using var rig = new ReloadRig(Silence(before));
        var client = Ask(rig, isTcp);
        rig.Kit.Advance(TimeSpan.FromSeconds(10));
        Assert.Single(rig.Kit.OpenSessions);

        rig.Apply(Silence("5s"));
        rig.Kit.Advance(AtOnce);

        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client));
        rig.AssertNothingLeftAfterStop();
    }

    [Theory]
    [InlineData("1h", false)]
    [InlineData("1h", true)]
    [InlineData("infinite", false)]
    [InlineData("infinite", true)]
    public void Silence_counts_from_when_the_upstream_was_asked(string before, bool isTcp)
    {
        using var rig = new ReloadRig(Silence(before));
        var client = Ask(rig, isTcp);
        rig.Kit.Advance(TimeSpan.FromSeconds(10));

        rig.Apply(Silence("12s"));

        rig.Kit.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Single(rig.Kit.OpenSessions);
        rig.Kit.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_limit_that_was_taken_away_and_comes_back_holds_for_what_was_asked_before(bool isTcp)
    {
        using var rig = new ReloadRig(Silence("5s"));
        var client = Ask(rig, isTcp);
        rig.Apply(Silence("infinite"));
        rig.Kit.Advance(TimeSpan.FromSeconds(10));
        Assert.Single(rig.Kit.OpenSessions);

        rig.Apply(Silence("8s"));
        rig.Kit.Advance(AtOnce);

        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_session_whose_upstream_owes_nothing_stays(bool isTcp)
    {
        using var rig = new ReloadRig(Silence("1h"));
        rig.Echo(One);
        rig.Kit.TcpServer(One).OnAccepted = peer => peer.OnReceived = (self, bytes) => self.Send(bytes.Span);
        Send(rig, isTcp);
        rig.Kit.Advance(TimeSpan.FromSeconds(10));

        rig.Apply(Silence("1s"));
        rig.Kit.Advance(TimeSpan.FromSeconds(10));

        Assert.Single(rig.Kit.OpenSessions);
    }

    [Fact]
    public void A_connection_that_takes_longer_than_is_allowed_now_goes_to_the_next_upstream_at_once()
    {
        using var rig = new ReloadRig(Connect("10m"));
        rig.Kit.Network.SetBlackHole(IPEndPoint.Parse(One));
        rig.Kit.TcpServer(Two).OnAccepted = peer => peer.OnReceived = (self, bytes) => self.Send(bytes.Span);
        var client = rig.Stream(Client, Proxy);
        client.Send("a"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("", client.ReceivedText);

        rig.Apply(Connect("5s"));
        rig.Kit.Advance(AtOnce);

        Assert.Equal("a", client.ReceivedText);
        Assert.Equal(Two, Assert.Single(rig.Kit.OpenSessions).Upstream);
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void A_connection_that_is_late_to_an_upstream_that_is_removed_goes_to_another_with_all_its_tries()
    {
        const string Rest = "pick = round-robin, on-upstream-removed = re-pick, next-upstream-tries = 1";
        using var rig = new ReloadRig(Text($"upstreams = \"{One}\", connect-timeout = 10m, {Rest}"));
        rig.Kit.Network.SetBlackHole(IPEndPoint.Parse(One));
        rig.Kit.TcpServer(Two).OnAccepted = peer => peer.OnReceived = (self, bytes) => self.Send(bytes.Span);
        var client = rig.Stream(Client, Proxy);
        client.Send("a"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(10));

        rig.Apply(Text($"upstreams = \"{Two}\", connect-timeout = 5s, {Rest}"));
        rig.Kit.Advance(AtOnce);

        Assert.Equal("a", client.ReceivedText);
        Assert.Equal(Two, Assert.Single(rig.Kit.OpenSessions).Upstream);
        rig.AssertNothingLeftAfterStop();
    }

    [Theory]
    [InlineData("10m", "12s", 0.001)]   // seen before the first look at the client
    [InlineData("10m", "12s", 10)]
    [InlineData("11s", "12s", 10)]
    public void A_connection_has_the_time_that_is_allowed_now_from_its_beginning(
        string before, string after, double reloadedAt)
    {
        using var rig = new ReloadRig(Connect(before));
        rig.Kit.Network.SetBlackHole(IPEndPoint.Parse(One));
        rig.Kit.Network.SetBlackHole(IPEndPoint.Parse(Two));
        rig.Stream(Client, Proxy);
        rig.Kit.Advance(TimeSpan.FromSeconds(reloadedAt));

        rig.Apply(Connect(after));

        rig.Kit.Advance(TimeSpan.FromSeconds(11.9 - reloadedAt));
        Assert.Equal(One, Assert.Single(rig.Kit.OpenSessions).Upstream);
        rig.Kit.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(Two, Assert.Single(rig.Kit.OpenSessions).Upstream);
        rig.Kit.Advance(TimeSpan.FromSeconds(12));
        Assert.Equal(CloseReason.UpstreamFailed, Assert.Single(rig.Kit.ClosedSessions).Reason);
    }

    /// <summary>A session that asks an upstream which says nothing.</summary>
    private static IPEndPoint Ask(ReloadRig rig, bool isTcp)
    {
        rig.Kit.UdpPeer(One);
        rig.Kit.TcpServer(One);
        return Send(rig, isTcp);
    }

    private static IPEndPoint Send(ReloadRig rig, bool isTcp)
    {
        if (isTcp)
        {
            rig.Stream(Client, Proxy).Send("x"u8);
        }
        else
        {
            rig.Peer(Client, Proxy).Send("x"u8);
        }

        rig.Kit.RunUntilIdle();
        return IPEndPoint.Parse(Client);
    }

    private static string Silence(string timeout) => Text($"upstreams = \"{One}\", upstream-idle-timeout = {timeout}");

    private static string Connect(string timeout) =>
        Text($"upstreams = [\"{One}\", \"{Two}\"], pick = round-robin, connect-timeout = {timeout}");

    private static string Text(string keys) => $$"""
        router {
          listeners.a {
            bind = ["udp://198.51.100.1:9000", "tcp://198.51.100.1:9000"], route = p, idle-timeout = 1d
          }
          routes.p { type = proxy, {{keys}} }
        }
        """;
}
