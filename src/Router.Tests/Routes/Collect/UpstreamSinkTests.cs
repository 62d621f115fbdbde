using Router.Net;
using Router.Routes;
using Router.TestKit.Simulation;
using Router.Tests.Upstreams;

namespace Router.Tests.Routes;

/// <summary>Windows on their way to an upstream that reads as it likes.</summary>
public sealed class UpstreamSinkTests
{
    private const string Reader = "10.0.0.1:80";

    [Fact]
    public async Task A_window_that_a_slow_reader_takes_bit_by_bit_is_sent_once()
    {
        const int Payloads = 400;
        using var rig = new CollectRig(CollectRig.Settings with { WindowMs = 0, Count = Payloads }, isSinkLate: true);
        rig.Kit.Network.StreamBufferBytes = 16 << 10;
        var server = rig.Kit.TcpServer(Reader);
        server.OnAccepted = static reader => reader.IsReading = false;
        var peer = rig.Kit.UdpPeer("192.0.2.7:5000", rig.Kit.BindUdp(rig.Route));
        for (var i = 0; i < Payloads; i++)
        {
            peer.Send(new byte[1_000]);
        }

        rig.Kit.RunUntilIdle();
        var sink = new UpstreamSink(
            TestUpstreams.Group(rig.Kit.Time, Reader), isStream: true, rig.Kit.Loops[0], rig.Kit.Time);
        var writing = sink.WriteAsync(Assert.Single(rig.Held), default).AsTask();
        rig.Kit.RunUntilIdle();
        var reader = Assert.Single(server.Accepted);
        for (var i = 0; i < 10; i++)
        {
            rig.Kit.Advance(TimeSpan.FromSeconds(3));
            reader.IsReading = true;    // takes what is there
            reader.IsReading = false;
            Assert.False(writing.IsCompleted);
        }

        reader.IsReading = true;
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                rig.Kit.RunUntilIdle();
                return writing.IsCompleted;
            },
            TimeSpan.FromSeconds(20)));
        await writing;
        Assert.Equal(Payloads, reader.ReceivedText.Count(static c => c == '\n'));
        var disposing = sink.DisposeAsync().AsTask();
        rig.Kit.RunUntilIdle();
        await disposing;
    }

    [Theory]
    [InlineData(true, NetworkOperation.ConnectStream, Errno.EADDRNOTAVAIL, true)]
    [InlineData(true, NetworkOperation.ConnectResult, Errno.ECONNREFUSED, true)]
    [InlineData(true, NetworkOperation.ConnectResult, Errno.ENOBUFS, false)]
    [InlineData(true, NetworkOperation.ConnectStream, Errno.EMFILE, false)]
    [InlineData(true, NetworkOperation.StreamSend, Errno.ECONNRESET, true)]
    [InlineData(false, NetworkOperation.ConnectDatagram, Errno.EADDRNOTAVAIL, true)]
    [InlineData(false, NetworkOperation.ConnectDatagram, Errno.EAGAIN, false)]
    [InlineData(false, NetworkOperation.ConnectedSend, Errno.ECONNREFUSED, true)]
    [InlineData(false, NetworkOperation.ConnectedSend, Errno.EPERM, false)]
    public async Task An_address_that_fails_is_avoided_if_it_is_at_fault_and_the_error_says_what_to_do(
        bool isStream, NetworkOperation operation, Errno errno, bool isAvoided)
    {
        using var rig = new CollectRig(CollectRig.Settings with { WindowMs = 0, Count = 1 }, isSinkLate: true);
        rig.Kit.TcpServer(Reader);
        rig.Kit.UdpPeer(Reader);
        rig.Kit.UdpPeer("192.0.2.7:5000", rig.Kit.BindUdp(rig.Route)).Send("line"u8);
        rig.Kit.RunUntilIdle();
        var group = TestUpstreams.Group(rig.Kit.Time, Reader);
        var sink = new UpstreamSink(group, isStream, rig.Kit.Loops[0], rig.Kit.Time);
        rig.Kit.Faults.Inject(operation, errno);

        var writing = sink.WriteAsync(Assert.Single(rig.Held), default).AsTask();
        rig.Kit.RunUntilIdle();

        var failure = await Assert.ThrowsAsync<IOException>(() => writing);
        var isConnect = operation is not (NetworkOperation.StreamSend or NetworkOperation.ConnectedSend);
        var done = isConnect ? SocketOperation.Connect : SocketOperation.Send;
        Assert.Equal(
            $"{(isConnect ? "connect" : "send")} to {Reader}: {ErrnoText.Describe(errno, done)}", failure.Message);
        Assert.Equal(isAvoided, group.Current.Upstreams[0].HasFailed(rig.Kit.Time));
    }
}
