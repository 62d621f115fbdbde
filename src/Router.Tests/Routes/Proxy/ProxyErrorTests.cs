using Router.Diagnostics;
using Router.Net;
using Router.TestKit.Simulation;

namespace Router.Tests.Routes;

/// <summary>What an errno on the way to an upstream means for its session, and for those that come after.</summary>
public sealed class ProxyErrorTests
{
    private const string One = "10.0.0.1:80", Two = "10.0.0.2:80", Client = "192.0.2.1:4000";

    [Theory]
    [InlineData(NetworkOperation.ConnectStream, Errno.EADDRNOTAVAIL)]
    [InlineData(NetworkOperation.ConnectStream, Errno.EAFNOSUPPORT)]
    [InlineData(NetworkOperation.ConnectStream, Errno.EACCES)]
    [InlineData(NetworkOperation.ConnectStream, Errno.EINVAL)]
    [InlineData(NetworkOperation.ConnectResult, Errno.EADDRNOTAVAIL)]
    [InlineData(NetworkOperation.ConnectResult, Errno.EACCES)]
    public void A_stream_for_an_upstream_that_this_host_cannot_reach_goes_to_the_next(
        NetworkOperation operation, Errno errno)
    {
        using var rig = new ProxyRig([One, Two]);
        rig.TcpEcho(One);
        rig.TcpEcho(Two);
        var listener = rig.BindTcp();
        rig.Kit.Network.Faults.Inject(operation, errno);
        for (var port = 4000; port < 4004; port++)
        {
            var client = rig.Kit.TcpPeer($"192.0.2.1:{port}", listener);
            client.Send("served"u8);
            rig.Kit.RunUntilIdle();
            Assert.Equal("served", client.ReceivedText);
        }

        Assert.Equal([0, 4], rig.Counts);
        Assert.Equal(0, listener.AllDrops());
    }

    [Theory]
    [InlineData(NetworkOperation.ConnectStream, Errno.EAGAIN)]   // no local port
    [InlineData(NetworkOperation.ConnectStream, Errno.ENOBUFS)]
    [InlineData(NetworkOperation.ConnectResult, Errno.ENOMEM)]
    public void What_this_host_lacks_is_no_upstream_s_fault(NetworkOperation operation, Errno errno)
    {
        using var rig = new ProxyRig([One, Two]);
        rig.TcpEcho(One);
        rig.TcpEcho(Two);
        var listener = rig.BindTcp();
        rig.Kit.Network.Faults.Inject(operation, errno);
        rig.Kit.TcpPeer(Client, listener);
        rig.Kit.RunUntilIdle();
        for (var port = 4001; port < 4005; port++)
        {
            rig.Kit.TcpPeer($"192.0.2.1:{port}", listener);
            rig.Kit.RunUntilIdle();
        }

        Assert.Equal(1, listener.Drops(DropReason.NoResources));
        Assert.Equal([2, 2], rig.Counts);   // neither is avoided
    }

    [Theory]
    [InlineData(NetworkOperation.ConnectDatagram, Errno.ENETUNREACH)]
    [InlineData(NetworkOperation.ConnectDatagram, Errno.EADDRNOTAVAIL)]
    [InlineData(NetworkOperation.ConnectDatagram, Errno.EAFNOSUPPORT)]
    [InlineData(NetworkOperation.ConnectDatagram, Errno.EACCES)]
    [InlineData(NetworkOperation.ConnectDatagram, Errno.EINVAL)]
    [InlineData(NetworkOperation.ConnectedSend, Errno.ENETUNREACH)]
    [InlineData(NetworkOperation.ConnectedSend, Errno.EADDRNOTAVAIL)]
    [InlineData(NetworkOperation.ConnectedSend, Errno.EACCES)]
    [InlineData(NetworkOperation.ConnectedSend, Errno.EINVAL)]
    public void A_datagram_for_an_upstream_that_this_host_cannot_reach_goes_to_the_next(
        NetworkOperation operation, Errno errno)
    {
        using var rig = new ProxyRig([One, Two]);
        rig.UdpEcho(One);
        rig.UdpEcho(Two);
        var listener = rig.BindUdp();
        rig.Kit.Network.Faults.Inject(operation, errno);
        for (var port = 4000; port < 4004; port++)
        {
            var client = rig.Kit.UdpPeer($"192.0.2.1:{port}", listener);
            client.Send("kept"u8);
            rig.Kit.RunUntilIdle();
            Assert.Equal(["kept"], client.ReceivedText);
        }

        Assert.Equal([0, 4], rig.Counts);
        Assert.Equal(0, listener.AllDrops());
    }
}
