using System.Net.Sockets;
using Router.Net;
using Router.Tests.Loop;

namespace Router.Tests.Net;

public sealed class PortableDatagramTests : DatagramContract
{
    private protected override INetwork CreateNetwork() => new PortableNetwork();
}

public sealed class PortableStreamTests : StreamContract
{
    private protected override INetwork CreateNetwork() => new PortableNetwork();

    private protected override (bool, int, int, int, int) KeepAliveOf(StreamSocket socket)
    {
        var inner = ((IPortableSocket)socket).Inner;
        var userTimeout = new byte[sizeof(int)];
        inner.GetRawSocketOption(Libc.SolTcp, Libc.TcpUserTimeout, userTimeout);
        return (Of(SocketOptionLevel.Socket, SocketOptionName.KeepAlive) != 0,
            Of(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime),
            Of(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval),
            Of(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount),
            BitConverter.ToInt32(userTimeout));

        int Of(SocketOptionLevel level, SocketOptionName name) => (int)inner.GetSocketOption(level, name)!;
    }
}

public sealed class PortableIoLoopTests : IoLoopContract
{
    private protected override INetwork CreateNetwork() => new PortableNetwork();
}

/// <summary>As on Windows, where there is no poll(2).</summary>
public sealed class PortableSelectTests : IoLoopContract
{
    private protected override INetwork CreateNetwork() => new PortableNetwork(selects: true, sendsFromChosen: true);
}

public sealed class PortableNetworkTests
{
    [Theory]
    [InlineData("0.0.0.0:0")]
    [InlineData("[::]:0")]
    public void Where_no_source_can_be_chosen_a_wildcard_is_refused_with_advice(string wildcard)
    {
        var network = new PortableNetwork(selects: false, sendsFromChosen: false);
        var options = new DatagramOptions(0, 0, DualStack: true);

        Assert.Equal(-(int)Errno.ENOPROTOOPT, network.BindDatagram(NetRig.At(wildcard), options, out var refused));
        Assert.Null(refused);
        Assert.Contains(
            "bind each address by itself", ErrnoText.Describe(Errno.ENOPROTOOPT, SocketOperation.Bind),
            StringComparison.Ordinal);

        Assert.Equal(0, network.BindDatagram(NetRig.At("127.0.0.1:0"), options, out var one));
        one!.Dispose();
        Assert.Equal(0, network.Listen(NetRig.At(wildcard), new StreamListenOptions(1, true), out var listener));
        listener!.Dispose();
    }

    [Fact]
    public void With_more_sockets_than_the_limit_of_descriptors_allows_to_poll_they_are_polled_in_parts()
    {
        var network = new PortableNetwork();
        using var poller = new LimitedPoller(limit: 40);
        var sockets = new List<DatagramSocket>();
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(
                0, network.BindDatagram(NetRig.At("127.0.0.1:0"), new DatagramOptions(0, 0, false), out var socket));
            Assert.Equal(0, poller.Add(socket!, IoReadiness.Readable));
            sockets.Add(socket!);
        }

        Assert.Equal(0, poller.Wait(timeoutMs: 0));
        Assert.Equal(0, poller.Wait(timeoutMs: 5));
        using var client = new DatagramQueue(2);
        foreach (var to in (int[])[3, 99])
        {
            client.Commit(0, sockets[to].LocalAddress, default);
        }

        sockets[0].Send(client);
        Assert.Equal(2, poller.Wait(timeoutMs: 1_000));

        sockets.ForEach(poller.Remove);
        sockets.ForEach(static socket => socket.Dispose());
        poller.Wake();
        Assert.Equal(0, poller.Wait(timeoutMs: -1));
    }

    private sealed unsafe class LimitedPoller(int limit) : PollPoller
    {
        protected override int Poll(PollEntry* entries, int count, int timeoutMs) =>
            count > limit ? -(int)Errno.EINVAL : base.Poll(entries, count, timeoutMs);
    }
}
