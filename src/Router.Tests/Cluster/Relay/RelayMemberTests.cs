using System.Net;
using System.Net.Sockets;
using System.Text;
using Router.Tests.Functional;

namespace Router.Tests.Cluster.Relay;

/// <summary>The relay of two real members, over sockets and remoting.</summary>
public sealed class RelayMemberTests : IDisposable
{
    private readonly Socket _upstream = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Socket _peer = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    public RelayMemberTests()
    {
        _upstream.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _peer.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    }

    public void Dispose()
    {
        _upstream.Dispose();
        _peer.Dispose();
    }

    [Fact]
    public async Task A_peer_that_comes_to_another_member_keeps_its_session_until_the_member_that_has_it_drains()
    {
        var route = $"type = proxy, upstreams = \"{_upstream.LocalEndPoint}\"";
        await using var one = await HostedMember.StartAsync(null, "strays = relay", route: route);
        await using var two = await HostedMember.StartAsync(one.Seed, "strays = relay", route: route);
        await one.IsAmongAsync(2);
        await two.IsAmongAsync(2);
        await Until.TrueAsync(
            () => one.Engine.Relay!.Peers.Length == 1 && two.Engine.Relay!.Peers.Length == 1,
            () => "they do not find each other's relay");

        var session = await AskAsync(one);
        Assert.Equal(session, await AskAsync(two));
        Assert.Equal(session, await AskAsync(two));
        Assert.Equal(session, await AskAsync(one));
        Assert.Equal(session, await AskAsync(two));
        Assert.Equal(1, two.Engine.Relay!.Figures.Found);
        Assert.Equal((3, 3), (one.Engine.Relay!.Figures.Taken, one.Engine.Relay.Figures.Returned));
        Assert.Equal((3, 3), (two.Engine.Relay.Figures.Passed, two.Engine.Relay.Figures.Answers));

        await one.StopAsync();
        await two.Log.Seen("session-closed");
        Assert.Contains("relay-ended", Assert.Single(two.Log.Texts("session-closed")), StringComparison.Ordinal);
        Assert.NotEqual(session, await AskAsync(two));
        Assert.Equal(0, two.Engine.Relay.Figures.Relaying);
    }

    [Fact]
    public async Task Without_a_listener_that_asks_for_it_there_is_no_relay()
    {
        await using var member = await HostedMember.StartAsync(null, "");
        Assert.Equal(ActorRefs.Nobody, member.Engine.Relay!.Actor);   // not even started
    }

    /// <summary>Sends something to a member and has the upstream answer it.</summary>
    /// <returns>Whom the upstream has seen.</returns>
    private async Task<EndPoint> AskAsync(HostedMember member)
    {
        using var patience = new CancellationTokenSource(RunningProcess.Patience);
        var buffer = new byte[100];
        await _peer.SendToAsync("ask"u8.ToArray(), SocketFlags.None, member.Udp, patience.Token);
        var asked = await _upstream.ReceiveFromAsync(
            buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), patience.Token);
        await _upstream.SendToAsync("answer"u8.ToArray(), SocketFlags.None, asked.RemoteEndPoint, patience.Token);
        var answered = await _peer.ReceiveFromAsync(
            buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), patience.Token);
        Assert.Equal("answer", Encoding.ASCII.GetString(buffer, 0, answered.ReceivedBytes));
        Assert.Equal(member.Udp, answered.RemoteEndPoint);
        return asked.RemoteEndPoint;
    }
}
