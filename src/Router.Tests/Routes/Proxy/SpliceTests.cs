using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Router.Diagnostics;
using Router.Net;
using Router.Sessions;
using Router.TestKit.Net;
using Router.TestKit.Simulation;

namespace Router.Tests.Routes;

/// <summary>When a TCP proxy moves bytes through a pipe, and what it does when that fails.</summary>
public sealed class SpliceTests
{
    private const int Bulk = 8 << 20;

    private readonly byte[] _buffer = new byte[1 << 20];

    [Fact]
    public void Small_messages_are_copied_and_bulk_goes_through_a_pipe_until_it_is_over()
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        Chat(100);
        Assert.Equal((0, 0L), (rig.Calls.Splices, rig.Loop.Pipes.Refusals));

        Assert.True(Bytes(1).AsSpan().SequenceEqual(Carry(rig, upstream, client, Bytes(1))));
        Assert.InRange(rig.Calls.Splices, 2, int.MaxValue);
        Assert.Equal(1, rig.Loop.Pipes.Taken);

        Chat(100);
        Assert.Equal(0, rig.Loop.Pipes.Taken);
        var splices = rig.Calls.Splices;
        Chat(100);
        Assert.Equal(splices, rig.Calls.Splices);

        void Chat(int count)
        {
            for (var i = 0; i < count; i++)
            {
                upstream.Send("small"u8);
                rig.Until(() => client.Available == 5);
                Assert.Equal(5, client.Receive(_buffer));
            }
        }
    }

    [Fact]
    public void A_byte_that_went_through_a_pipe_counts_in_the_access_record()
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        Carry(rig, client, upstream, Bytes(1));
        Carry(rig, upstream, client, Bytes(2).AsSpan(1).ToArray());

        Assert.Equal(2, rig.Loop.Pipes.Taken);
        Assert.Equal((Bulk, Bulk - 1), (rig.Shard.Counters.BytesIn, rig.Shard.Counters.BytesOut));
    }

    [Fact]
    public void With_no_pipe_left_bulk_is_copied()
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server, pipes: 1);
        using var first = rig.NewTcpClient();
        using var firstUpstream = rig.Accept(server);
        using var second = rig.NewTcpClient();
        using var secondUpstream = rig.Accept(server);

        Carry(rig, first, firstUpstream, Bytes(1));
        Assert.Equal(Bytes(2), Carry(rig, second, secondUpstream, Bytes(2)));

        Assert.Equal(1, rig.Loop.Pipes.Taken);
        const int LargeReadsMost = Bulk / (32 * 1024);
        Assert.InRange(rig.Loop.Pipes.Refusals, 1, (LargeReadsMost / 256) + 1);   // not asked for at every read
    }

    [Theory]
    [InlineData(LinuxCall.Pipe, Errno.EMFILE)]
    [InlineData(LinuxCall.SetPipeSize, Errno.EPERM)]
    internal void With_a_pipe_refused_bulk_is_copied(LinuxCall call, Errno errno)
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        rig.Calls.Fail(call, [.. Enumerable.Repeat(errno, 1000)]);

        Assert.Equal(Bytes(1), Carry(rig, client, upstream, Bytes(1)));

        Assert.Equal(0, rig.Calls.Splices);
        Assert.InRange(rig.Loop.Pipes.Refusals, 1, 1000);
    }

    [Theory]
    [InlineData(0, Errno.EINVAL)]
    [InlineData(0, Errno.ENOSYS)]
    [InlineData(0, Errno.EPERM)]
    [InlineData(0, Errno.ENOMEM)]
    [InlineData(1, Errno.EINVAL)]
    [InlineData(2, Errno.EINVAL)]
    [InlineData(3, Errno.EINVAL)]
    internal void What_cannot_be_spliced_is_copied_and_not_a_byte_is_lost(int callsBefore, Errno errno)
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        rig.Calls.Pass(LinuxCall.Splice, callsBefore).Fail(LinuxCall.Splice, errno);

        Assert.Equal(Bytes(1), Carry(rig, client, upstream, Bytes(1)));

        Assert.Equal(callsBefore + 1, rig.Calls.Splices);   // and is not tried again
        Assert.Equal((0, 0), (rig.Loop.Pipes.Taken, rig.Loop.Buffers.Rented));
    }

    [Fact]
    public void Splices_that_block_are_interrupted_or_move_little_only_take_longer()
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        var random = new SeededRandom(7);
        for (var i = 0; i < 200; i++)
        {
            switch (random.Next(4))
            {
                case 0:
                    rig.Calls.Fail(LinuxCall.Splice, Errno.EAGAIN);
                    break;
                case 1:
                    rig.Calls.Fail(LinuxCall.Splice, Errno.EINTR);
                    break;
                case 2:
                    rig.Calls.Shorten(1 + random.Next(100_000));
                    break;
                default:
                    rig.Calls.Pass(LinuxCall.Splice);
                    break;
            }
        }

        // How much of it is spliced is up to the kernel: what comes in small pieces is copied.
        for (var i = 1; rig.Calls.Splices < 20; i++)
        {
            Assert.InRange(i, 1, 100);
            Assert.Equal(Bytes(i), Carry(rig, upstream, client, Bytes(i)));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Urgent_data_ends_the_splicing_and_nothing_behind_it_is_lost(bool toUpstream)
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        var (from, to) = toUpstream ? (client, upstream) : (upstream, client);
        Carry(rig, from, to, Bytes(1));
        Assert.Equal(1, rig.Loop.Pipes.Taken);

        from.Send("!"u8, SocketFlags.OutOfBand);
        from.Send("tail"u8);
        rig.Until(() => to.Available == 4);   // while the stream goes on
        to.Receive(_buffer);
        Carry(rig, from, to, Bytes(2));
        from.Send("!"u8, SocketFlags.OutOfBand);
        from.Send("end"u8);
        from.Shutdown(SocketShutdown.Send);   // and at its end
        rig.Until(() => to.Available == 3);

        Assert.Equal(3, to.Receive(_buffer));
        Assert.Equal("end"u8, _buffer.AsSpan(0, 3));
        rig.Until(() => to.Poll(0, SelectMode.SelectRead));
        Assert.Equal(0, to.Receive(_buffer));
    }

    [Theory]
    [InlineData(true, CloseReason.Reset)]
    [InlineData(false, CloseReason.UpstreamFailed)]
    public void A_reset_behind_bulk_is_passed_on_as_a_reset(bool toUpstream, CloseReason reason)
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        var (from, to) = toUpstream ? (client, upstream) : (upstream, client);
        Carry(rig, from, to, Bytes(1));
        Assert.Equal(1, rig.Loop.Pipes.Taken);

        from.LingerState = new LingerOption(enable: true, seconds: 0);
        from.Send(Bytes(2).AsSpan(0, 10_000));
        from.Close();
        rig.Until(() => rig.Closed.Count == 1);

        Assert.Equal(reason, rig.Closed[0]);
        rig.Until(() => to.Poll(0, SelectMode.SelectRead));
        int received;
        SocketError error;
        while ((received = to.Receive(_buffer, 0, _buffer.Length, SocketFlags.None, out error)) > 0)
        {
        }

        Assert.Equal((0, SocketError.ConnectionReset), (received, error));
        Assert.Equal(rig.SocketsAtStart, rig.Calls.OpenSockets.Count);
    }

    /// <summary>All that a connection may end with, see tcp(7) and icmp(7): the call that meets it takes it
    /// away.</summary>
    [Theory]
    [InlineData(Errno.ECONNRESET)]
    [InlineData(Errno.ETIMEDOUT)]
    [InlineData(Errno.EPIPE)]
    [InlineData(Errno.ECONNABORTED)]
    [InlineData(Errno.ECONNREFUSED)]
    [InlineData(Errno.EHOSTUNREACH)]
    [InlineData(Errno.ENETUNREACH)]
    [InlineData(Errno.ENETDOWN)]
    [InlineData(Errno.EHOSTDOWN)]
    [InlineData(Errno.ENOPROTOOPT)]
    [InlineData(Errno.EOPNOTSUPP)]
    [InlineData(Errno.EPROTO)]
    [InlineData(Errno.EACCES)]
    [InlineData(Errno.EMSGSIZE)]
    [InlineData(Errno.ENOTCONN)]
    public void A_stream_s_error_that_a_splice_meets_breaks_the_session(Errno errno)
    {
        foreach (var splicesBefore in (int[])[2, 3])   // a splice from the upstream, then one to the client
        {
            using var server = LoopbackRig.NewTcpServer();
            using var rig = Rig(server);
            using var client = rig.NewTcpClient();
            using var upstream = rig.Accept(server);
            rig.Calls.Pass(LinuxCall.Splice, splicesBefore).Fail(LinuxCall.Splice, errno);
            var bytes = Bytes(1);
            var sent = 0;
            rig.Until(() =>
            {
                TrySend(upstream, bytes, ref sent);
                while (rig.Closed.Count == 0 && client.Available > 0)
                {
                    client.Receive(_buffer);
                }

                return rig.Closed.Count == 1;
            });

            Assert.True(rig.Closed[0] is CloseReason.UpstreamFailed or CloseReason.Reset);
            Assert.Equal(rig.SocketsAtStart, rig.Calls.OpenSockets.Count);
        }
    }

    [Theory]
    [InlineData(true, CloseReason.UpstreamFailed)]
    [InlineData(false, CloseReason.Reset)]
    public void A_stream_that_takes_no_more_breaks_as_it_does_with_copying(bool toUpstream, CloseReason reason)
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        rig.Calls.Pass(LinuxCall.Splice, 3).Fail(LinuxCall.Splice, Errno.EPIPE);
        var (from, to) = toUpstream ? (client, upstream) : (upstream, client);
        var bytes = Bytes(1);
        var sent = 0;
        rig.Until(() =>
        {
            TrySend(from, bytes, ref sent);
            while (rig.Closed.Count == 0 && to.Available > 0)
            {
                to.Receive(_buffer);
            }

            return rig.Closed.Count == 1;
        });

        Assert.Equal(reason, rig.Closed[0]);
        Assert.Equal(rig.SocketsAtStart, rig.Calls.OpenSockets.Count);
    }

    /// <summary>Both ways at once, in pieces and with pauses by the seed, each direction ending at its own
    /// time.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10)]
    public void Whatever_the_sizes_and_pauses_every_byte_arrives_and_every_descriptor_comes_back(int seed)
    {
        var random = new SeededRandom((ulong)seed);
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server, pipes: random.Next(3));
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        for (var i = random.Next(100); i > 0; i--)
        {
            rig.Calls.Pass(LinuxCall.Splice, random.Next(8)).Shorten(1 + random.Next(60_000));
            rig.Calls.Pass(LinuxCall.Splice, random.Next(8)).Fail(LinuxCall.Splice, Errno.EAGAIN);
        }

        var up = new Way(client, upstream, Bytes(seed).AsSpan(0, random.Next(Bulk / 2)).ToArray());
        var down = new Way(upstream, client, Bytes(seed + 100).AsSpan(0, random.Next(Bulk)).ToArray());
        rig.Until(() =>
        {
            up.Step(random, _buffer);
            down.Step(random, _buffer);
            return up.IsOver && down.IsOver;
        });

        Assert.Equal(up.Bytes, up.Got.ToArray());
        Assert.Equal(down.Bytes, down.Got.ToArray());
        rig.Until(() => rig.Closed.Count == 1);
        Assert.True(rig.Closed[0] is CloseReason.Peer or CloseReason.Upstream);
        Assert.Equal((up.Bytes.Length, down.Bytes.Length), (rig.Shard.Counters.BytesIn, rig.Shard.Counters.BytesOut));
        Assert.Equal(rig.SocketsAtStart, rig.Calls.OpenSockets.Count);
        Assert.Equal((0, 0), (rig.Loop.Pipes.Taken, rig.Loop.Buffers.Rented));
    }

    private static LoopbackRig Rig(Socket server, int pipes = 4) =>
        new(SessionTransport.Tcp, null, null, pipes, (IPEndPoint)server.LocalEndPoint!);

    private static byte[] Bytes(int seed)
    {
        var bytes = new byte[Bulk];
        var random = new SeededRandom((ulong)seed);
        foreach (ref var eight in MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan()))
        {
            eight = random.NextUInt64();
        }

        return bytes;
    }

    private static void TrySend(Socket socket, byte[] bytes, ref int sent)
    {
        if (sent < bytes.Length)
        {
            sent += socket.Send(
                bytes.AsSpan(sent, Math.Min(1 << 20, bytes.Length - sent)), SocketFlags.None, out _);
        }
    }

    private byte[] Carry(LoopbackRig rig, Socket from, Socket to, byte[] bytes)
    {
        var got = new MemoryStream();
        var sent = 0;
        rig.Until(() =>
        {
            TrySend(from, bytes, ref sent);
            if (to.Available > 0)
            {
                got.Write(_buffer, 0, to.Receive(_buffer));
            }

            return got.Length == bytes.Length;
        });
        return got.ToArray();
    }

    /// <summary>One direction: who sends what to whom, and how far it is.</summary>
    private sealed class Way(Socket from, Socket to, byte[] bytes)
    {
        private int _sent;
        private int _sendPause;
        private int _readPause;
        private bool _finished;

        public byte[] Bytes => bytes;

        public MemoryStream Got { get; } = new();

        public bool IsOver { get; private set; }

        public void Step(SeededRandom random, byte[] buffer)
        {
            if (_sendPause-- <= 0)
            {
                _sendPause = Pause(random);
                Send(random);
            }

            if (_readPause-- <= 0 && !IsOver && to.Poll(0, SelectMode.SelectRead))
            {
                _readPause = Pause(random);
                var received = to.Receive(buffer.AsSpan(0, Size(random)));
                Got.Write(buffer, 0, received);
                IsOver = received == 0;
            }
        }

        private void Send(SeededRandom random)
        {
            if (_sent < bytes.Length)
            {
                var length = Math.Min(Size(random), bytes.Length - _sent);
                _sent += from.Send(bytes.AsSpan(_sent, length), SocketFlags.None, out _);
            }
            else if (!_finished)
            {
                _finished = true;
                from.Shutdown(SocketShutdown.Send);
            }
        }

        private static int Pause(SeededRandom random) => random.Next(8) == 0 ? random.Next(50) : 0;

        private static int Size(SeededRandom random) =>
            1 + random.Next(random.Next(10) switch { 0 => 100, 1 => 10_000, _ => 1 << 20 });
    }
}
