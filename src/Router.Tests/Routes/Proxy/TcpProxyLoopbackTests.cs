using System.Net;
using System.Net.Sockets;
using Router.Diagnostics;
using Router.Net;
using Router.Sessions;
using Router.TestKit.Net;

namespace Router.Tests.Routes;

/// <summary>The TCP proxy over the kernel's sockets, where bulk is copied.</summary>
public sealed class CopyingTcpProxyLoopbackTests : TcpProxyLoopbackTests
{
    protected override int Pipes => 0;
}

/// <summary>The same where bulk goes through pipes.</summary>
public sealed class SplicingTcpProxyLoopbackTests : TcpProxyLoopbackTests
{
    protected override int Pipes => 8;
}

/// <summary>What the TCP proxy does over the kernel's sockets, however it moves bulk.</summary>
public abstract class TcpProxyLoopbackTests
{
    /// <summary>More than all of the kernel's buffers on the way take, as large as it makes them by itself.</summary>
    private const int Bulk = 32 << 20;

    /// <summary>What the loop is woken by, and the listener.</summary>
    private const int WatchedAtStart = 2;

    private readonly byte[] _buffer = new byte[256 * 1024];

    /// <summary>What the loop has of them.</summary>
    protected abstract int Pipes { get; }

    [Fact]
    public void A_thousand_round_trips_allocate_nothing()
    {
        using var server = LoopbackRig.NewTcpServer();
        var place = (IPEndPoint)server.LocalEndPoint!;
        using var rig = new LoopbackRig(SessionTransport.Tcp, LinuxCalls.Kernel, null, Pipes, place);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        RoundTrips(2_000);
        Assert.Equal(0, Allocations.Of(() => RoundTrips(1_000)));

        void RoundTrips(int count)
        {
            for (var i = 0; i < count; i++)
            {
                Move(client, upstream);
                Move(upstream, client);
            }
        }

        void Move(Socket from, Socket to)
        {
            from.Send(_buffer.AsSpan(0, 64));
            while (to.Available == 0)
            {
                rig.Loop.RunOnce(block: false);
            }

            to.Receive(_buffer);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void After_one_side_has_ended_a_megabyte_goes_the_other_way(bool clientEnds)
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        var (ending, other) = clientEnds ? (client, upstream) : (upstream, client);
        var bytes = new byte[1 << 20];
        new Random(1).NextBytes(bytes);

        ending.Shutdown(SocketShutdown.Send);
        Assert.Empty(ReadToEnd(rig, other, []));
        var got = ReadToEnd(rig, ending, bytes, other);

        Assert.Equal(bytes, got);
        rig.Until(() => rig.Closed.Count == 1);
        Assert.Equal(clientEnds ? CloseReason.Peer : CloseReason.Upstream, rig.Closed[0]);
        Assert.Equal(rig.SocketsAtStart, rig.Calls.OpenSockets.Count);
    }

    [Fact]
    public void Many_megabytes_cross_while_the_reader_is_slow_and_the_memory_held_is_bounded()
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        var bytes = new byte[Bulk];
        new Random(2).NextBytes(bytes);
        var sent = 0;
        while (TrySend(upstream, bytes, ref sent))
        {
            rig.Settle();
        }

        Assert.InRange(sent, 1, bytes.Length - 1);   // it has stopped
        Assert.Equal((Pipes > 0 ? 0 : 1, Pipes > 0 ? 1 : 0), (rig.Loop.Buffers.Rented, rig.Loop.Pipes.Taken));
        Assert.False(rig.Loop.RunOnce(block: false), "the loop is at rest while nobody reads");

        var got = new MemoryStream();
        rig.Until(() =>
        {
            TrySend(upstream, bytes, ref sent);
            while (client.Available > 0)
            {
                got.Write(_buffer, 0, client.Receive(_buffer));
            }

            return got.Length == bytes.Length;
        });
        Assert.True(bytes.AsSpan().SequenceEqual(got.ToArray()));
        Assert.Equal(0, rig.Loop.Buffers.Rented);
    }

    [Fact]
    public void What_an_upstream_answers_before_it_takes_no_more_reaches_the_client()
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        var bytes = new byte[Bulk];
        var sent = 0;
        while (TrySend(client, bytes, ref sent))
        {
            rig.Settle();
        }

        upstream.Send("too large"u8);
        while (upstream.Available > 0)
        {
            upstream.Receive(_buffer);   // so that it can be written to again, by the time that its answer is read
        }

        rig.Calls.Fail(Pipes > 0 ? LinuxCall.Splice : LinuxCall.Send, Errno.ECONNRESET);   // it has closed meanwhile
        rig.Until(() => rig.Closed.Count == 1);

        Assert.Equal(CloseReason.UpstreamFailed, rig.Closed[0]);
        Assert.Equal(9, client.Receive(_buffer));
    }

    [Fact]
    public void A_refused_connection_goes_to_the_next_upstream()
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = new LoopbackRig(
            SessionTransport.Tcp, null, LoopbackRig.Dead(SocketType.Stream), (IPEndPoint)server.LocalEndPoint!);
        using var client = rig.NewTcpClient();
        client.Send("early"u8);
        using var upstream = rig.Accept(server);
        rig.Until(() => upstream.Available == 5);

        Assert.Equal([0, 1], rig.Group.Current.Upstreams.ToArray().Select(candidate => candidate.Sessions));
    }

    [Fact]
    public void Without_an_upstream_that_accepts_the_client_is_reset()
    {
        using var rig = new LoopbackRig(SessionTransport.Tcp, null, LoopbackRig.Dead(SocketType.Stream));
        using var client = rig.NewTcpClient();
        rig.Until(() => rig.Closed.Count == 1);

        Assert.Equal(CloseReason.UpstreamFailed, rig.Closed[0]);
        Assert.Equal(
            SocketError.ConnectionReset, Assert.Throws<SocketException>(() => client.Receive(_buffer)).SocketErrorCode);
    }

    [Fact]
    public void A_session_to_an_upstream_on_this_host_is_watched_by_a_call_for_each_side()
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        rig.Until(() => rig.Calls.PollChanges == WatchedAtStart);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        client.Send("hello"u8);
        rig.Until(() => upstream.Available == 5);

        Assert.Equal(WatchedAtStart + 2, rig.Calls.PollChanges);
    }

    [Theory]
    [InlineData(Errno.ENOMEM, 0)]
    [InlineData(Errno.ENOSPC, 0)]
    [InlineData(Errno.ENOMEM, 1)]
    internal void A_side_that_cannot_be_watched_ends_the_session_and_resets_both(Errno errno, int changesBefore)
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        rig.Until(() => rig.Calls.PollChanges == WatchedAtStart);
        rig.Calls.Pass(LinuxCall.EpollControl, changesBefore).Fail(LinuxCall.EpollControl, errno);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        rig.Until(() => rig.Closed.Count == 1);

        Assert.Equal(changesBefore == 0 ? CloseReason.UpstreamFailed : CloseReason.Reset, rig.Closed[0]);
        Assert.Equal(1, rig.Shard.Counters.Drops[DropReason.NoResources]);
        AssertReset(client);
        AssertReset(upstream);
    }

    [Fact]
    public void A_connection_of_a_socket_to_itself_counts_as_refused()
    {
        var dead = LoopbackRig.Dead(SocketType.Stream);
        using var rig = new LoopbackRig(SessionTransport.Tcp, new SelfConnectingCalls(times: 1), null, dead);
        using var client = rig.NewTcpClient();
        client.Send("not an echo"u8);
        rig.Until(() => rig.Closed.Count == 1);

        Assert.Equal(CloseReason.UpstreamFailed, rig.Closed[0]);
        AssertReset(client);
    }

    [Theory]
    [InlineData(true, CloseReason.Reset)]
    [InlineData(false, CloseReason.UpstreamFailed)]
    public void A_reset_of_one_side_resets_the_other(bool clientResets, CloseReason reason)
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        rig.Settle();
        var (resetting, other) = clientResets ? (client, upstream) : (upstream, client);
        resetting.LingerState = new LingerOption(true, 0);
        resetting.Dispose();
        rig.Until(() => rig.Closed.Count == 1);

        Assert.Equal(reason, rig.Closed[0]);
        Assert.Equal(
            SocketError.ConnectionReset, Assert.Throws<SocketException>(() => other.Receive(_buffer)).SocketErrorCode);
    }

    [Fact]
    public void A_server_that_closes_behind_a_slow_client_neither_spins_the_loop_nor_loses_a_byte()
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        using var client = rig.NewTcpClient();
        using var upstream = rig.Accept(server);
        client.Shutdown(SocketShutdown.Send);
        Assert.Empty(ReadToEnd(rig, upstream, []));
        var bytes = new byte[Bulk];
        new Random(3).NextBytes(bytes);
        var sent = 0;
        while (TrySend(upstream, bytes, ref sent))
        {
            rig.Settle();
        }

        upstream.Dispose();   // both ways shut now: the kernel reports a hang-up on every pass
        rig.Settle();
        Assert.False(rig.Loop.RunOnce(block: false), "the loop is at rest while the client does not read");

        Assert.True(bytes.AsSpan(0, sent).SequenceEqual(ReadToEnd(rig, client, [])));
        rig.Until(() => rig.Closed.Count == 1);
        Assert.Equal(CloseReason.Peer, rig.Closed[0]);
    }

    [Fact]
    public void A_thousand_short_sessions_give_every_descriptor_back()
    {
        using var server = LoopbackRig.NewTcpServer();
        using var rig = Rig(server);
        for (var i = 1; i <= 1_000; i++)
        {
            using var client = rig.NewTcpClient();
            using var upstream = rig.Accept(server);
            client.Send("x"u8);
            client.Shutdown(SocketShutdown.Send);
            rig.Until(() => upstream.Available == 1);
            upstream.Dispose();   // an unread byte: a reset
            rig.Until(() => rig.Closed.Count == i);
        }

        Assert.Equal(rig.SocketsAtStart, rig.Calls.OpenSockets.Count);
        Assert.Equal(0, rig.Shard.SessionsOpen);
    }

    private LoopbackRig Rig(Socket server) =>
        new(SessionTransport.Tcp, null, null, Pipes, (IPEndPoint)server.LocalEndPoint!);

    /// <summary>Sends what fits.</summary>
    /// <returns>Whether anything did.</returns>
    private static bool TrySend(Socket socket, byte[] bytes, ref int sent)
    {
        if (sent == bytes.Length)
        {
            return false;
        }

        var taken = socket.Send(
            bytes.AsSpan(sent, Math.Min(64 * 1024, bytes.Length - sent)), SocketFlags.None, out var error);
        Assert.True(error is SocketError.Success or SocketError.WouldBlock);
        sent += error == SocketError.Success ? taken : 0;
        return error == SocketError.Success && taken > 0;
    }

    private void AssertReset(Socket socket)
    {
        var failure = Assert.Throws<SocketException>(() => socket.Receive(_buffer));
        Assert.Equal(SocketError.ConnectionReset, failure.SocketErrorCode);
    }

    /// <summary>Reads to the end of the stream, while <paramref name="sender"/> sends and then ends.</summary>
    private byte[] ReadToEnd(LoopbackRig rig, Socket reader, byte[] bytes, Socket? sender = null)
    {
        var got = new MemoryStream();
        var (sent, ended) = (0, false);
        rig.Until(() =>
        {
            if (sender is not null && !ended && !TrySend(sender, bytes, ref sent) && sent == bytes.Length)
            {
                ended = true;
                sender.Shutdown(SocketShutdown.Send);
            }

            while (reader.Poll(0, SelectMode.SelectRead))
            {
                var received = reader.Receive(_buffer);
                if (received == 0)
                {
                    return true;
                }

                got.Write(_buffer, 0, received);
            }

            return false;
        });
        return got.ToArray();
    }
}
