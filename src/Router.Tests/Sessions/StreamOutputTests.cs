using System.Net;
using Router.Loop;
using Router.Net;
using Router.Sessions;
using Router.TestKit;
using Router.TestKit.Simulation;

namespace Router.Tests.Sessions;

public sealed class StreamOutputTests
{
    [Fact]
    public void What_the_socket_takes_at_once_is_not_kept()
    {
        using var rig = new Rig();

        Assert.Equal(0, rig.Write("hello"u8));

        Assert.False(rig.Output.HasUnsent);
        Assert.Equal("hello", rig.Peer.ReceivedText);
        Assert.Equal(0, rig.Buffers.Rented);
    }

    [Fact]
    public void What_it_does_not_take_is_kept_watched_for_and_sent_in_order()
    {
        using var rig = new Rig();
        rig.Peer.IsReading = false;
        var sent = new byte[300_000];
        rig.Random.Fill(sent);
        rig.Write(sent.AsSpan(0, 200_000));
        rig.Write(sent.AsSpan(200_000));

        Assert.Equal(300_000 - rig.Network.StreamBufferBytes, rig.Output.UnsentBytes);
        Assert.Equal(1, rig.Buffers.Rented);
        Assert.True((rig.Socket.Interest & IoReadiness.Writable) != 0);

        rig.Peer.IsReading = true;
        for (var i = 0; i < 20 && rig.Output.HasUnsent; i++)
        {
            Assert.Equal(0, rig.Output.Flush());
        }

        Assert.False(rig.Output.HasUnsent);
        Assert.True((rig.Socket.Interest & IoReadiness.Writable) == 0);
        Assert.True(rig.Peer.Received.Span.SequenceEqual(sent));
        Assert.Equal(0, rig.Buffers.Rented);
    }

    [Theory]
    [InlineData(Errno.EAGAIN)]
    [InlineData(Errno.EINTR)]
    [InlineData(Errno.ENOBUFS)]
    [InlineData(Errno.ENOMEM)]
    public void An_error_that_passes_keeps_the_bytes(Errno errno)
    {
        using var rig = new Rig();
        rig.Network.Faults.Inject(NetworkOperation.StreamSend, errno, times: 2);

        Assert.Equal(0, rig.Write("kept"u8));
        Assert.Equal(4, rig.Output.UnsentBytes);
        Assert.Equal(0, rig.Output.Flush());
        Assert.Equal(4, rig.Output.UnsentBytes);
        Assert.Equal(0, rig.Output.Flush());
        Assert.Equal("kept", rig.Peer.ReceivedText);
    }

    [Theory]
    [InlineData(Errno.EPIPE)]
    [InlineData(Errno.ECONNRESET)]
    [InlineData(Errno.ETIMEDOUT)]
    public void An_error_that_stays_is_returned(Errno errno)
    {
        using var rig = new Rig();
        rig.Network.Faults.Inject(NetworkOperation.StreamSend, Errno.EAGAIN);
        rig.Network.Faults.Inject(NetworkOperation.StreamSend, errno, times: 2);

        Assert.Equal(0, rig.Write("a"u8));
        Assert.Equal(-(int)errno, rig.Output.Flush());
        rig.Output.Release();
        Assert.Equal(-(int)errno, rig.Write("b"u8));
        Assert.Equal(0, rig.Buffers.Rented);
    }

    [Fact]
    public void The_end_of_stream_goes_out_behind_what_is_unsent()
    {
        using var rig = new Rig();
        rig.Network.Faults.Inject(NetworkOperation.StreamSend, Errno.EAGAIN);
        rig.Write("last"u8);

        rig.Output.Finish();
        rig.Output.Finish();
        Assert.True(rig.Output.IsFinished);
        Assert.False(rig.Peer.HasFinished);

        rig.Output.Flush();
        Assert.Equal("last", rig.Peer.ReceivedText);
        Assert.True(rig.Peer.HasFinished);
        Assert.Throws<CheckFailedException>(() => rig.Write("more"u8));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_writes_flushes_and_short_writes_keep_every_byte_in_order(ulong seed)
    {
        using var rig = new Rig(seed);
        rig.Network.Faults.ShortWrites = 0.4;
        rig.Network.Faults.InjectAtRandom(NetworkOperation.StreamSend, Errno.EAGAIN, 0.2);
        var sent = new MemoryStream();
        for (var step = 0; step < 500; step++)
        {
            var bytes = new byte[1 + rig.Random.Next(4_000)];
            rig.Random.Fill(bytes);
            sent.Write(bytes);
            Assert.Equal(0, rig.Write(bytes));
            rig.Peer.IsReading = rig.Random.Chance(0.7);
            Assert.Equal(0, rig.Output.Flush());
            Assert.Equal(sent.Length, rig.Peer.Received.Length + rig.Output.UnsentBytes + rig.InBetween);
        }

        rig.Peer.IsReading = true;
        rig.Output.Finish();
        while (rig.Output.HasUnsent)
        {
            rig.Output.Flush();
        }

        Assert.True(rig.Peer.Received.Span.SequenceEqual(sent.ToArray()));
        Assert.True(rig.Peer.HasFinished);
        Assert.Equal(0, rig.Buffers.Rented);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_in_the_pipe_goes_before_what_is_written_behind_it(bool refuses)
    {
        using var rig = new Rig();
        var pipe = new MemoryPipe(refuses);
        rig.Output.UsePipe(pipe);
        Assert.Equal(6, rig.Output.Fill(rig.Socket));

        Assert.Equal(0, rig.Write("later"u8));
        Assert.Equal(11, rig.Output.UnsentBytes);
        Assert.Equal(0, rig.Output.Flush());

        Assert.Equal("first later", rig.Peer.ReceivedText);
        Assert.False(rig.Output.HasUnsent);
        Assert.Equal((!refuses, 0), (rig.Output.HasPipe, rig.Buffers.Rented));
        rig.Output.Release();
    }

    /// <summary>A pipe that six bytes wait before.</summary>
    private sealed unsafe class MemoryPipe(bool refuses) : StreamPipe
    {
        private readonly byte[] _bytes = "first "u8.ToArray();

        public override int Capacity => 4096;

        public override int Fill(StreamSocket from) => Buffered = _bytes.Length;

        public override int Drain(StreamSocket to)
        {
            if (refuses)
            {
                return -(int)Errno.EINVAL;
            }

            fixed (byte* bytes = _bytes)
            {
                var sent = to.Send(bytes, Buffered);
                Buffered -= Math.Max(0, sent);
                return sent;
            }
        }

        public override int Read(byte* buffer, int capacity)
        {
            _bytes.CopyTo(new Span<byte>(buffer, capacity));
            Buffered = 0;
            return _bytes.Length;
        }

        public override void Dispose() => Buffered = 0;
    }

    private sealed class Rig : IIoReceiver, IDisposable
    {
        private static readonly IPEndPoint Server = IPEndPoint.Parse("198.51.100.1:9000");
        private readonly IoLoop _loop;
        private readonly StreamEnd _end;

        public Rig(ulong seed = 1)
        {
            Random = new SeededRandom(seed);
            var time = new VirtualTimeProvider();
            Network = new SimulatedNetwork(time, Random.Fork());
            _loop = new IoLoop(0, Network, time, new IoLoopOptions());
            var options = new StreamListenOptions(1, false);
            Assert.Equal(0, Network.Listen(SocketAddr.From(Server), options, out var listener));
            var client = IPEndPoint.Parse("192.0.2.1:5000");
            _end = Network.Connect(SocketAddr.From(client), SocketAddr.From(Server))!;
            Peer = new TcpPeer(Network, client, _end);
            Assert.Equal(0, listener!.Accept(out var socket));
            listener.Dispose();
            Socket = socket!;
            Assert.Equal(0, _loop.Register(Socket, this, IoReadiness.None));
            Output = new StreamOutput(Socket, Buffers);
        }

        public SeededRandom Random { get; }

        public SimulatedNetwork Network { get; }

        public BufferPool Buffers { get; } = new();

        public StreamSocket Socket { get; }

        public StreamOutput Output { get; }

        public TcpPeer Peer { get; }

        public int InBetween => _end.ReadableBytes;

        public unsafe int Write(ReadOnlySpan<byte> bytes)
        {
            fixed (byte* first = bytes)
            {
                return Output.Write(first, bytes.Length);
            }
        }

        public void OnReady(IoSocket socket, IoReadiness ready)
        {
        }

        public void Dispose()
        {
            Socket.Dispose();
            _loop.Dispose();
        }
    }
}
