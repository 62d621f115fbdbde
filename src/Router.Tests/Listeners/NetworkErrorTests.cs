using System.Net;
using Router.Diagnostics;
using Router.Listeners;
using Router.Net;
using Router.Sessions;
using Router.TestKit;
using Router.TestKit.Net;
using Router.TestKit.Simulation;
using Router.Tests.Routes;
using Router.Tests.Sessions;
using Router.Tests.Upstreams;

namespace Router.Tests.Listeners;

/// <summary>Failures of sockets that a kernel cannot be brought to at will: what is said, and what stays.</summary>
public sealed class NetworkErrorTests
{
    [Theory]
    [InlineData(Errno.EAFNOSUPPORT)]
    [InlineData(Errno.EMFILE)]
    [InlineData(Errno.ENFILE)]
    [InlineData(Errno.ENOBUFS)]
    [InlineData(Errno.ENOMEM)]
    public void A_bind_that_fails_says_what_to_do(Errno errno)
    {
        var calls = new ScriptedCalls();
        var network = new LinuxNetwork(calls, coalesce: false);   // asks the kernel what it can: before the failure
        calls.Fail(LinuxCall.Socket, errno);

        var bound = ListenerBinder.BindAll(network, 1, [Request(SessionTransport.Udp)], out var faults);

        Assert.Empty(bound);
        Assert.Equal(errno, Assert.Single(faults).Errno);
        Assert.NotEmpty(ErrnoText.Advice(errno, SocketOperation.Bind));
    }

    [Theory]
    [InlineData(SessionTransport.Udp)]
    [InlineData(SessionTransport.Tcp)]
    public void Loops_that_cannot_share_a_port_are_refused(SessionTransport transport)
    {
        using var kit = new RouterTestKit(seed: 1);
        var bind = transport == SessionTransport.Udp ? NetworkOperation.BindDatagram : NetworkOperation.Listen;
        kit.Network.Faults.Inject(bind, Errno.EOPNOTSUPP, after: 1);

        ListenerBinder.BindAll(kit.Network, 2, [Request(transport)], out var faults);

        Assert.Equal(Errno.EOPNOTSUPP, Assert.Single(faults).Errno);
        Assert.Equal(0, kit.Network.OpenSockets);
    }

    [Theory]
    [InlineData(Errno.EMFILE)]
    [InlineData(Errno.ENFILE)]
    [InlineData(Errno.ENOBUFS)]
    [InlineData(Errno.ENOMEM)]
    public void Accepting_is_suspended_and_says_why(Errno errno) =>
        AssertSuspends(NetworkOperation.Accept, errno, lost: 0);

    [Fact]
    public void A_connection_that_cannot_be_watched_suspends_accepting() =>
        AssertSuspends(NetworkOperation.Watch, Errno.ENOSPC, lost: 1);

    [Theory]
    [InlineData(Errno.EPERM)]
    [InlineData(Errno.EACCES)]
    [InlineData(Errno.EMSGSIZE)]
    [InlineData(Errno.ENETUNREACH)]
    [InlineData(Errno.EHOSTUNREACH)]
    public void A_datagram_that_is_refused_says_why(Errno errno)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new ScriptHandler());
        var peer = kit.UdpPeer("192.0.2.7:5000", to: listener);
        kit.Network.Faults.Inject(NetworkOperation.DatagramSend, errno, 3);

        for (var i = 0; i < 4; i++)
        {
            peer.Send("a"u8);
            kit.RunUntilIdle();
        }

        Assert.Single(peer.Received);
        Assert.Equal(3, listener.Drops(DropReason.SendRefused));
        Assert.Equal([$"{listener.Name} send-refused {errno} count=1"], kit.ListenerEvents);
        kit.Advance(TimeSpan.FromSeconds(2));
        kit.Network.Faults.Inject(NetworkOperation.DatagramSend, errno);
        peer.Send("a"u8);
        kit.RunUntilIdle();
        Assert.Equal($"{listener.Name} send-refused {errno} count=3", kit.ListenerEvents[1]);
    }

    [Theory]
    [InlineData(Errno.ENOBUFS)]
    [InlineData(Errno.ENOMEM)]
    public void A_datagram_without_a_buffer_is_a_counted_drop(Errno errno)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new ScriptHandler());
        kit.Network.Faults.Inject(NetworkOperation.DatagramSend, errno);

        kit.UdpPeer("192.0.2.7:5000", to: listener).Send("a"u8);
        kit.RunUntilIdle();

        Assert.Equal(1, listener.Drops(DropReason.SendFull));
        Assert.Equal(1, listener.Sessions);
    }

    [Theory]
    [InlineData(SessionTransport.Udp, Errno.EHOSTUNREACH)]
    [InlineData(SessionTransport.Udp, Errno.EAFNOSUPPORT)]
    [InlineData(SessionTransport.Udp, Errno.EPERM)]
    [InlineData(SessionTransport.Udp, Errno.EMFILE)]
    [InlineData(SessionTransport.Tcp, Errno.EHOSTUNREACH)]
    [InlineData(SessionTransport.Tcp, Errno.EAFNOSUPPORT)]
    [InlineData(SessionTransport.Tcp, Errno.EADDRNOTAVAIL)]
    [InlineData(SessionTransport.Tcp, Errno.ENFILE)]
    public void An_upstream_that_fails_is_named(SessionTransport transport, Errno errno)
    {
        using var rig = new ProxyRig(["10.0.0.1:80"]);
        var records = new UpstreamRecords();
        rig.Group.Events = records;
        var isUdp = transport == SessionTransport.Udp;
        rig.Kit.Network.Faults.Inject(
            isUdp ? NetworkOperation.ConnectDatagram : NetworkOperation.ConnectStream, errno);

        Open(rig, isUdp);

        Assert.Equal(
            [$"web: 10.0.0.1:80 failed 1: {ErrnoText.Describe(errno, SocketOperation.Connect)}"], records.Lines);
    }

    [Fact]
    public void An_upstream_that_does_not_answer_is_named()
    {
        using var rig = new ProxyRig(["10.0.0.1:80"]);
        var records = new UpstreamRecords();
        rig.Group.Events = records;
        rig.Kit.Network.SetBlackHole(IPEndPoint.Parse("10.0.0.1:80"));

        Open(rig, isUdp: false);
        rig.Kit.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(
            [$"web: 10.0.0.1:80 failed 1: {ErrnoText.Describe(Errno.ETIMEDOUT, SocketOperation.Connect)}"],
            records.Lines);
    }

    private static void Open(ProxyRig rig, bool isUdp)
    {
        if (isUdp)
        {
            rig.Kit.UdpPeer("192.0.2.7:5000", to: rig.BindUdp()).Send("a"u8);
        }
        else
        {
            rig.Kit.TcpPeer("192.0.2.7:5000", to: rig.BindTcp());
        }

        rig.Kit.RunUntilIdle();
    }

    private static BindRequest Request(SessionTransport transport) => new(
        "l", transport, SocketAddr.From(IPAddress.Loopback, 0), 0, 0, Backlog: 16, DualStack: false);

    private static void AssertSuspends(NetworkOperation operation, Errno errno, int lost)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(() => new ScriptHandler());
        kit.RunUntilIdle();
        kit.Network.Faults.Inject(operation, errno);

        var peers = new[] { kit.TcpPeer("192.0.2.7:5000", to: listener), kit.TcpPeer("192.0.2.8:5000", to: listener) };
        kit.RunUntilIdle();
        Assert.Contains(kit.ListenerEvents, record =>
            record.Contains("accept-suspended", StringComparison.Ordinal)
            && record.Contains(errno.ToString(), StringComparison.Ordinal));
        Assert.Equal(lost, listener.Drops(DropReason.NoResources));

        kit.Advance(TimeSpan.FromSeconds(1));
        Array.ForEach(peers, static peer => peer.Send("a"u8));
        kit.RunUntilIdle();
        Assert.Equal(peers.Length - lost, listener.Sessions);
    }
}
