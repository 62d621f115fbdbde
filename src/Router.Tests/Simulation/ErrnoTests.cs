using System.Text;
using Router.Net;
using Router.Routes;
using Router.TestKit;
using Router.TestKit.Simulation;
using Router.Tests.Sessions;

namespace Router.Tests.Simulation;

/// <summary>Whatever the kernel answers, wherever: the loop goes on, and a fresh peer is served.</summary>
public sealed class ErrnoTests
{
    private static readonly Errno[] Errnos =
    [
        Errno.EINTR, Errno.EAGAIN, Errno.ENOBUFS, Errno.ENOMEM, Errno.EMFILE, Errno.ENFILE, Errno.ECONNREFUSED,
        Errno.ECONNRESET, Errno.ECONNABORTED, Errno.EHOSTUNREACH, Errno.ENETDOWN, Errno.EPERM, Errno.EMSGSIZE,
        Errno.EPIPE, Errno.EPROTO,
        Errno.ETIMEDOUT, Errno.EIO, Errno.EINVAL, Errno.ENOSPC,
    ];

    public static TheoryData<NetworkOperation, Errno> DatagramCases => Cases(
        NetworkOperation.DatagramReceive, NetworkOperation.DatagramSend);

    public static TheoryData<NetworkOperation, Errno> StreamCases => Cases(
        NetworkOperation.Accept, NetworkOperation.StreamReceive, NetworkOperation.StreamSend, NetworkOperation.Watch);

    [Theory]
    [MemberData(nameof(DatagramCases))]
    public void Datagrams_are_served_after_an_error(NetworkOperation operation, Errno errno)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(new EchoRoute("echo"));
        var old = kit.UdpPeer("192.0.2.7:5000", listener);
        old.Send("before"u8);
        kit.RunUntilIdle();

        kit.Network.Faults.Inject(operation, errno, times: 3);
        for (var i = 0; i < 5; i++)
        {
            old.Send("during"u8);
            kit.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(0, kit.Network.Faults.PendingOf(operation));
        var fresh = kit.UdpPeer("192.0.2.8:5000", listener);
        old.Send("after"u8);
        fresh.Send("after"u8);
        kit.RunUntilIdle();
        Assert.Equal("after", old.ReceivedText[^1]);
        Assert.Equal(["after"], fresh.ReceivedText);
        Assert.Equal(2, listener.Sessions);
        Assert.Equal(0, listener.Restarts);
        kit.Stop();
        kit.AssertNoLeakedBuffers();
    }

    [Theory]
    [MemberData(nameof(StreamCases))]
    public void Streams_are_served_after_an_error(NetworkOperation operation, Errno errno)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(() => new ScriptHandler());
        var old = kit.TcpPeer("192.0.2.7:5000", listener);
        old.Send("before "u8);
        kit.RunUntilIdle();

        kit.Network.Faults.Inject(operation, errno, times: 3);
        for (var i = 0; i < 8; i++)
        {
            var other = kit.TcpPeer($"192.0.2.9:{5000 + i}", listener);
            other.Send("x"u8);
            old.Send("x"u8);
            kit.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(0, kit.Network.Faults.PendingOf(operation));
        var fresh = kit.TcpPeer("192.0.2.8:5000", listener);
        fresh.Send("after"u8);
        kit.RunUntilIdle();
        Assert.Equal("after", fresh.ReceivedText);
        kit.Stop();
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_transient_error_costs_no_datagram_and_no_byte()
    {
        using var kit = new RouterTestKit(seed: 1);
        foreach (var errno in (Errno[])[Errno.EINTR, Errno.EAGAIN])
        {
            kit.Network.Faults.InjectAtRandom(NetworkOperation.DatagramReceive, errno, 0.3);
            kit.Network.Faults.InjectAtRandom(NetworkOperation.StreamReceive, errno, 0.3);
            kit.Network.Faults.InjectAtRandom(NetworkOperation.StreamSend, errno, 0.3);
            kit.Network.Faults.InjectAtRandom(NetworkOperation.Accept, errno, 0.3);
            var udp = kit.UdpPeer($"192.0.2.7:{6000 + (int)errno}", kit.BindUdp(new EchoRoute("echo")));
            var tcp = kit.TcpPeer($"192.0.2.7:{6000 + (int)errno}", kit.BindTcp(new EchoRoute("echo")));
            var expected = Enumerable.Range(0, 500).Select(i => $"{i},").ToArray();
            foreach (var text in expected)
            {
                udp.Send(Encoding.ASCII.GetBytes(text));
                tcp.Send(Encoding.ASCII.GetBytes(text));
                kit.RunPass();
            }

            kit.RunUntilIdle();
            Assert.Equal(expected, udp.ReceivedText);
            Assert.Equal(string.Concat(expected), tcp.ReceivedText);
        }
    }

    private static TheoryData<NetworkOperation, Errno> Cases(params NetworkOperation[] operations)
    {
        var cases = new TheoryData<NetworkOperation, Errno>();
        foreach (var operation in operations)
        {
            foreach (var errno in Errnos)
            {
                cases.Add(operation, errno);
            }
        }

        return cases;
    }
}
