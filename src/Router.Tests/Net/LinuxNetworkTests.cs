using Router.Net;

namespace Router.Tests.Net;

public sealed class LinuxDatagramTests : DatagramContract
{
    protected override INetwork CreateNetwork() => new LinuxNetwork();
}

public sealed class LinuxDatagramWithoutSegmentationTests : DatagramContract
{
    protected override INetwork CreateNetwork() => new LinuxNetwork(LinuxCalls.Kernel, coalesce: false);
}

public sealed class LinuxStreamTests : StreamContract
{
    protected override INetwork CreateNetwork() => new LinuxNetwork();
}

public sealed class LinuxIoLoopTests : IoLoopContract
{
    protected override INetwork CreateNetwork() => new LinuxNetwork();
}

public sealed unsafe class LinuxAllocationTests
{
    [Theory]
    [InlineData("127.0.0.1:0")]
    [InlineData("0.0.0.0:0")]
    [InlineData("[::]:0")]
    public void Ten_thousand_echoed_datagrams_allocate_nothing(string bind)
    {
        using var loop = new IoLoop(0, new LinuxNetwork(), TimeProvider.System, new IoLoopOptions());
        using var server = new Echo(loop, NetRig.At(bind));
        using var client = new Echo(loop, NetRig.At("127.0.0.1:0"));
        var target = NetRig.At($"127.0.0.1:{server.Socket.LocalAddress.Port}");
        if (server.Socket.LocalAddress.Family == SocketAddr.FamilyIPv6)
        {
            client.Dispose();
            using var six = new Echo(loop, NetRig.At("[::1]:0"));
            Measure(loop, server, six, NetRig.At($"[::1]:{server.Socket.LocalAddress.Port}"));
            return;
        }

        Measure(loop, server, client, target);
    }

    private static void Measure(IoLoop loop, Echo server, Echo client, SocketAddr target)
    {
        for (var i = 0; i < 32; i++)
        {
            client.Queue.Reserve(64);
            client.Queue.Commit(64, target, default);
        }

        client.Socket.Send(client.Queue);
        RunUntil(loop, server, 2000);

        Assert.Equal(0, Allocations.Of(() => RunUntil(loop, server, server.Echoed + 10_000)));
    }

    private static void RunUntil(IoLoop loop, Echo server, long echoed)
    {
        for (var pass = 0; server.Echoed < echoed; pass++)
        {
            Assert.True(pass < 1_000_000);
            loop.RunOnce(block: false);
        }
    }

    private sealed class Echo : IIoReceiver, IEndOfPass, IRunnable, IDisposable
    {
        private readonly DatagramBatch _batch = new(64);
        private readonly IoLoop _loop;

        public Echo(IoLoop loop, SocketAddr address)
        {
            _loop = loop;
            var result = loop.Network.BindDatagram(address, new DatagramOptions(0, 0, false), out var socket);
            Assert.Equal(0, result);
            Socket = socket!;
            loop.Register(Socket, this, IoReadiness.Readable);
        }

        public DatagramSocket Socket { get; }

        public DatagramQueue Queue { get; } = new(64);

        public long Echoed { get; private set; }

        public void OnReady(IoSocket socket, IoReadiness ready)
        {
            if (Socket.Receive(_batch) > 0)
            {
                _loop.Enqueue(this);
            }
        }

        public void Run()
        {
            for (var i = 0; i < _batch.Count; i++)
            {
                Queue.Add(_batch.Payload(i), _batch.Length(i), _batch.Peer(i), _batch.Local(i));
            }

            Echoed += _batch.Count;
            _loop.AtEndOfPass(this);
        }

        void IThreadPoolWorkItem.Execute() => Run();

        public void OnEndOfPass() => Socket.Send(Queue);

        public void Dispose()
        {
            Socket.Dispose();
            Queue.Dispose();
            _batch.Dispose();
        }
    }
}
