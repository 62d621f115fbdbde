using System.Net;
using Router.Admission;
using Router.Diagnostics;
using Router.Net;

namespace Router.Tests.Admission;

public sealed class PeerGuardTests
{
    private static readonly IPAddress[] Machine = [IPAddress.Parse("192.0.2.1"), IPAddress.Parse("2001:db8::1")];

    [Theory]
    [InlineData("198.51.100.1:53", DropReason.ResponderPort)]
    [InlineData("198.51.100.1:1023", DropReason.ResponderPort)]
    [InlineData("198.51.100.1:1900", DropReason.ResponderPort)]
    [InlineData("198.51.100.1:1024", null)]
    [InlineData("198.51.100.1:50000", null)]
    public void Privileged_and_responder_source_ports_are_not_answered(string peer, DropReason? expected)
    {
        var guard = new PeerGuard(answerPrivilegedPorts: false, [1900]);
        Assert.Equal(expected, guard.RefuseResponder(SocketAddr.From(IPEndPoint.Parse(peer))));
    }

    [Fact]
    public void Privileged_ports_are_answered_when_asked_for_but_responders_never()
    {
        var guard = new PeerGuard(answerPrivilegedPorts: true, [19]);
        Assert.Null(guard.RefuseResponder(SocketAddr.From(IPEndPoint.Parse("198.51.100.1:53"))));
        Assert.Equal(
            DropReason.ResponderPort, guard.RefuseResponder(SocketAddr.From(IPEndPoint.Parse("198.51.100.1:19"))));
    }

    [Theory]
    [InlineData("127.0.0.1:7000", true)]
    [InlineData("127.0.0.2:7000", false)]
    [InlineData("127.0.0.1:7001", false)]
    [InlineData("[::ffff:127.0.0.1]:7000", true)]
    [InlineData("0.0.0.0:7000", true)]
    [InlineData("[::]:7000", false)]
    [InlineData("[::1]:7002", false)]
    [InlineData("[::]:7002", false)]
    [InlineData("[::1]:7003", true)]
    [InlineData("[::]:7003", true)]
    [InlineData("0.0.0.0:7004", true)]
    [InlineData("192.0.2.1:7002", true)]
    [InlineData("127.9.9.9:7002", true)]
    [InlineData("[2001:db8::1]:7002", false)]
    [InlineData("[2001:db8::1]:7004", true)]
    [InlineData("198.51.100.7:7002", false)]
    [InlineData("127.0.0.1:7005", false)]
    [InlineData("0.0.0.0:7005", false)]
    [InlineData("192.0.2.1:7005", false)]
    [InlineData("[::ffff:192.0.2.1]:7005", false)]
    [InlineData("[::1]:7005", true)]
    [InlineData("[::]:7005", true)]
    [InlineData("[2001:db8::1]:7005", true)]
    public void Own_listeners_are_known_in_every_spelling(string peer, bool isOwn)
    {
        string[] bound = ["127.0.0.1:7000", "0.0.0.0:7002", "[::1]:7003", "[::]:7004", "[::]:7005"];
        var own = new OwnEndpoints(
            bound.Select(IPEndPoint.Parse), Machine, ipv6Only: [IPEndPoint.Parse("[::]:7005")]);
        var endPoint = IPEndPoint.Parse(peer);
        Assert.Equal(isOwn, own.Contains(endPoint.Address, endPoint.Port));
    }

    [Fact]
    public void A_peer_that_is_one_of_our_listeners_is_refused()
    {
        var guard = new PeerGuard(answerPrivilegedPorts: false, [])
        {
            Own = new OwnEndpoints([IPEndPoint.Parse("[::]:27123")], Machine),
        };
        Assert.Equal(DropReason.OwnListener, guard.Refuse(SocketAddr.From(IPEndPoint.Parse("127.0.0.1:27123"))));
        Assert.Equal(
            DropReason.OwnListener, guard.Refuse(SocketAddr.From(IPEndPoint.Parse("[::ffff:192.0.2.1]:27123"))));
        Assert.Null(guard.Refuse(SocketAddr.From(IPEndPoint.Parse("127.0.0.1:27124"))));
    }
}
