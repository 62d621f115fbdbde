using Router.Net;
using Router.TestKit.Net;

namespace Router.Tests.Net;

/// <summary>Trains to and from an upstream, through this machine's kernel.</summary>
public sealed unsafe class ConnectedTrainTests : IDisposable
{
    private readonly ScriptedCalls _calls = new();
    private readonly NetRig _rig;
    private readonly DatagramProbe _upstream;
    private readonly List<byte[]> _got = [];

    public ConnectedTrainTests()
    {
        _rig = new NetRig(new LinuxNetwork(_calls, coalesce: true, receiveTrains: true));
        _upstream = _rig.Bind("127.0.0.1:0");
    }

    public void Dispose()
    {
        _rig.Dispose();
        Assert.Equal(0, _calls.Left);
    }

    [Fact]
    public void Equal_payloads_leave_together_a_shorter_one_ends_the_run_and_a_longer_or_empty_one_starts_another()
    {
        using var socket = Connect(_upstream.Address);

        Assert.Equal([3, 2, 1, 1], Send(socket, [64, 64, 10, 65, 64, 0, 65]));
        _rig.Until(() => _upstream.Got.Count == 7);

        Assert.Equal([64, 64, 10, 65, 64, 0, 65], _upstream.Got.Select(got => got.Length));
        Assert.Equal(2, _upstream.Trains);
    }

    [Fact]
    public void A_run_is_no_longer_than_a_message_may_be()
    {
        using var socket = Connect(_upstream.Address);

        Assert.Equal([64, 6], Send(socket, [.. Enumerable.Repeat(8, 70)]));
        Assert.Equal([2, 1], Send(socket, [30_000, 30_000, 30_000]));
        _rig.Until(() => _upstream.Got.Count == 73);
    }

    [Fact]
    public void Trains_are_received_once_one_has_been_sent()
    {
        using var socket = Connect(_upstream.Address);
        _upstream.Echoes = true;
        foreach (var trains in (int[])[0, 1])
        {
            Reply(socket, 5);
            Assert.Equal(trains, ReceiveAll(socket, 5));
            Assert.Equal([5], Send(socket, [64, 64, 64, 64, 20]));
            _rig.Until(() => _upstream.Got.Count == 5 * (trains + 1));
            Assert.Equal(1, ReceiveAll(socket, 5));
            Assert.Equal([64, 64, 64, 64, 20], _got.TakeLast(5).Select(payload => payload.Length));
        }
    }

    [Theory]
    [InlineData(Errno.EIO)]
    [InlineData(Errno.EINVAL)]
    [InlineData(Errno.EMSGSIZE)]
    public void A_way_that_refuses_a_train_gets_datagrams_singly_from_then_on(Errno refusal)
    {
        using var socket = Connect(_upstream.Address);
        _calls.Fail(LinuxCall.SendMany, refusal);

        Assert.Equal([1, 1, 1], Send(socket, [8, 8, 8]));
        Assert.Equal([1, 1], Send(socket, [8, 8]));
        _rig.Until(() => _upstream.Got.Count == 5);

        Assert.Equal([[3]], _calls.Offers);
    }

    [Fact]
    public void Another_failure_of_a_train_is_the_first_payloads()
    {
        using var socket = Connect(_upstream.Address);
        _calls.Fail(LinuxCall.SendMany, Errno.EINTR, Errno.ECONNREFUSED);

        Assert.Equal([-(int)Errno.ECONNREFUSED], Send(socket, [8, 8]));
        Assert.Equal([2], Send(socket, [8, 8]));
        _rig.Until(() => _upstream.Got.Count == 2);
    }

    [Fact]
    public void A_long_segment_is_not_gathered_on_its_way_to_another_host()
    {
        var abroad = new LinuxNetwork(_calls, coalesce: true);
        Assert.Equal(0, abroad.ConnectDatagram(NetRig.At("192.0.2.1:9"), out var socket));
        using var owned = socket!;
        _calls.Fail(LinuxCall.Send, Errno.EAGAIN).Fail(LinuxCall.SendMany, Errno.EAGAIN);

        Assert.Equal([-(int)Errno.EAGAIN], Send(owned, [1233, 1233]));
        Assert.Equal([-(int)Errno.EAGAIN], Send(owned, [1232, 1232]));

        Assert.Equal([[2]], _calls.Offers);
    }

    private ConnectedDatagramSocket Connect(SocketAddr remote)
    {
        Assert.Equal(0, _rig.Network.ConnectDatagram(remote, out var socket));
        return socket!;
    }

    /// <summary>Sends payloads of these sizes.</summary>
    /// <returns>What each call returned, the first failure the last of them.</returns>
    private static List<int> Send(ConnectedDatagramSocket socket, int[] sizes)
    {
        var bytes = new byte[sizes.Sum()];
        var results = new List<int>();
        var vectors = stackalloc IoVector[100];
        fixed (byte* start = bytes)
        {
            for (var done = 0; done < sizes.Length && (results.Count == 0 || results[^1] > 0); done += results[^1])
            {
                for (var i = done; i < sizes.Length; i++)
                {
                    vectors[i - done] = new IoVector { Base = start, Length = (nuint)sizes[i] };
                }

                results.Add(socket.SendRun(vectors, sizes.Length - done));
            }
        }

        return results;
    }

    /// <summary>The upstream sends datagrams of 32 bytes.</summary>
    private void Reply(ConnectedDatagramSocket socket, int count)
    {
        for (var i = 0; i < count; i++)
        {
            _upstream.Add(new byte[32], socket.LocalAddress);
        }

        _upstream.Socket.Send(_upstream.Queue);
    }

    /// <summary>Receives until so many datagrams have come.</summary>
    /// <returns>Trains among them.</returns>
    private int ReceiveAll(ConnectedDatagramSocket socket, int count)
    {
        var buffer = new byte[DatagramBatch.SlotBytes];
        var trains = 0;
        var target = _got.Count + count;
        fixed (byte* bytes = buffer)
        {
            while (_got.Count < target)
            {
                var length = socket.ReceiveRun(bytes, buffer.Length, out var segment);
                Assert.True(length > 0, ((Errno)(-length)).ToString());
                trains += segment > 0 && segment < length ? 1 : 0;
                _got.AddRange(buffer.AsSpan(0, length).ToArray().Chunk(segment > 0 ? segment : length));
            }
        }

        return trains;
    }
}
