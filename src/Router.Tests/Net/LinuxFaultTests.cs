using Router.Net;
using Router.TestKit.Net;

namespace Router.Tests.Net;

/// <summary>What the Linux sockets do when a call fails, with the failure put where the kernel would.</summary>
public sealed class LinuxFaultTests : IDisposable
{
    private readonly ScriptedCalls _calls = new();
    private readonly NetRig _rig;

    public LinuxFaultTests() => _rig = new NetRig(new LinuxNetwork(_calls, coalesce: true));

    public void Dispose()
    {
        _rig.Dispose();
        Assert.Equal(0, _calls.Left);
    }

    [Fact]
    public void An_interrupted_receive_is_tried_again()
    {
        var server = _rig.Bind("127.0.0.1:0");
        _calls.Fail(LinuxCall.ReceiveMany, Errno.EINTR, Errno.EINTR);

        _rig.Bind("127.0.0.1:0").Send("x"u8, server.Address);
        _rig.Until(() => server.Got.Count == 1);

        Assert.Equal([1], server.Batches);
    }

    [Fact]
    public void A_pending_icmp_error_is_consumed_by_a_receive_of_nothing()
    {
        var server = _rig.Bind("127.0.0.1:0");
        _calls.Fail(LinuxCall.ReceiveMany, Errno.ECONNREFUSED, Errno.EHOSTUNREACH);

        _rig.Bind("127.0.0.1:0").Send("x"u8, server.Address);
        _rig.Until(() => server.Got.Count == 1);

        Assert.Equal([0, 0, 1], server.Batches);
    }

    [Fact]
    public void A_failure_of_the_receiving_socket_itself_is_a_negative_errno()
    {
        var server = _rig.Bind("127.0.0.1:0");
        using var batch = new DatagramBatch(4);
        _calls.Fail(LinuxCall.ReceiveMany, Errno.ENOMEM);

        Assert.Equal(-(int)Errno.ENOMEM, server.Socket.Receive(batch));
        Assert.Equal(0, batch.Count);
    }

    [Fact]
    public void A_cut_datagram_is_marked_by_a_negative_length()
    {
        var server = _rig.Bind("127.0.0.1:0");
        _calls.MarkTruncated = true;

        _rig.Bind("127.0.0.1:0").Send("cut"u8, server.Address);
        _rig.Until(() => server.Got.Count == 1);

        Assert.Equal(-3, server.Got[0].Length);
    }

    [Fact]
    public void Sending_goes_on_at_the_first_message_not_taken()
    {
        var (server, client) = Pair();
        _calls.StopEarly(3).StopEarly(1);
        AddDistinct(client, server.Address, 10);

        client.Socket.Send(client.Queue);
        _rig.Until(() => server.Got.Count == 10);

        AssertDistinct(server, Enumerable.Range(0, 10));
        Assert.Equal([3, 1, 6], _calls.Sends.Select(send => send.Length));
    }

    [Fact]
    public void An_icmp_error_met_while_sending_costs_no_datagram()
    {
        var (server, client) = Pair();
        _calls.Fail(LinuxCall.SendMany, Errno.ECONNREFUSED).StopEarly(2);
        _calls.Fail(LinuxCall.SendMany, Errno.EHOSTUNREACH, Errno.EINTR);
        AddDistinct(client, server.Address, 5);

        client.Socket.Send(client.Queue);
        _rig.Until(() => server.Got.Count == 5);

        AssertDistinct(server, Enumerable.Range(0, 5));
        Assert.Equal(0, client.Queue.DroppedRefused);
    }

    [Fact]
    public void A_datagram_refused_twice_is_counted_and_the_rest_leaves()
    {
        var (server, client) = Pair();
        _calls.StopEarly(2).Fail(LinuxCall.SendMany, Errno.EHOSTUNREACH, Errno.EHOSTUNREACH);
        _calls.StopEarly(1).Fail(LinuxCall.SendMany, Errno.EACCES);
        AddDistinct(client, server.Address, 8);

        client.Socket.Send(client.Queue);
        _rig.Until(() => server.Got.Count == 6);

        AssertDistinct(server, [0, 1, 3, 5, 6, 7]);
        Assert.Equal(2, client.Queue.DroppedRefused);
        Assert.Equal(Errno.EACCES, client.Queue.LastRefusal);
    }

    [Fact]
    public void A_full_socket_drops_and_counts_what_is_left()
    {
        var (server, client) = Pair();
        _calls.StopEarly(2).Fail(LinuxCall.SendMany, Errno.EAGAIN);
        AddDistinct(client, server.Address, 300);

        client.Socket.Send(client.Queue);
        _rig.Until(() => server.Got.Count == 2);
        _rig.Settle();

        AssertDistinct(server, [0, 1]);
        Assert.Equal(298, client.Queue.DroppedFull);
        Assert.Equal(0, client.Queue.Count);
        client.Send("next"u8, server.Address);
        _rig.Until(() => server.Got.Count == 3);
    }

    [Fact]
    public void A_full_interface_drops_its_datagram_only()
    {
        var (server, client) = Pair();
        _calls.StopEarly(1).Fail(LinuxCall.SendMany, Errno.ENOBUFS);
        AddDistinct(client, server.Address, 4);

        client.Socket.Send(client.Queue);
        _rig.Until(() => server.Got.Count == 3);

        AssertDistinct(server, [0, 2, 3]);
        Assert.Equal(1, client.Queue.DroppedFull);
    }

    [Fact]
    public void Equal_datagrams_to_one_peer_leave_as_one_message_the_last_may_be_shorter()
    {
        var (server, client) = Pair();
        int[] sizes = [.. Enumerable.Repeat(64, 70), 10, 64, 64, 65, 65, 0, 0, 20];
        foreach (var size in sizes)
        {
            client.Add(new byte[size], server.Address);
        }

        client.Socket.Send(client.Queue);
        _rig.Until(() => server.Got.Count == sizes.Length);

        Assert.Equal(sizes, server.Got.Select(got => got.Length));
        Assert.Equal([64, 7, 2, 2, 1, 1, 1], Assert.Single(_calls.Sends));
    }

    [Fact]
    public void Long_datagrams_are_gathered_up_to_what_one_message_holds()
    {
        var (server, client) = Pair();
        for (var i = 0; i < 5; i++)
        {
            client.Add(new byte[30_000], server.Address);
        }

        client.Socket.Send(client.Queue);
        _rig.Until(() => server.Got.Count == 5);

        Assert.Equal([2, 2, 1], Assert.Single(_calls.Sends));
    }

    [Fact]
    public void Away_from_this_host_only_segments_that_fit_every_path_are_gathered()
    {
        var client = _rig.Bind("127.0.0.1:0");
        var abroad = NetRig.At("192.0.2.1:9");
        foreach (var size in (int[])[1233, 1232])
        {
            _calls.Fail(LinuxCall.SendMany, Errno.EAGAIN);   // so that nothing leaves
            for (var i = 0; i < 3; i++)
            {
                client.Add(new byte[size], abroad);
            }

            client.Socket.Send(client.Queue);
        }

        Assert.Equal([[1, 1, 1], [3]], _calls.Offers);
    }

    [Fact]
    public void A_way_out_without_checksum_offload_is_not_tried_again()
    {
        var client = _rig.Bind("127.0.0.1:0");
        var abroad = NetRig.At("192.0.2.1:9");
        _calls.Fail(LinuxCall.SendMany, Errno.EIO, Errno.EAGAIN, Errno.EAGAIN, Errno.EAGAIN);
        foreach (var _ in (int[])[1, 2])
        {
            client.Add("a"u8, abroad);
            client.Add("b"u8, abroad);
            client.Socket.Send(client.Queue);
        }

        Assert.Equal([[2], [1], [1], [1, 1]], _calls.Offers);
        Assert.Equal(4, client.Queue.DroppedFull);
    }

    [Theory]
    [InlineData(Errno.EIO)]
    [InlineData(Errno.EINVAL)]
    [InlineData(Errno.EMSGSIZE)]
    public void A_refused_gathering_leaves_one_by_one(Errno refusal)
    {
        var (server, client) = Pair();
        _calls.Fail(LinuxCall.SendMany, refusal).Pass(LinuxCall.SendMany, 2);
        _calls.Fail(LinuxCall.SendMany, Errno.ECONNREFUSED).Fail(LinuxCall.SendMany, Errno.EINTR);
        for (byte i = 0; i < 6; i++)
        {
            client.Add([i], server.Address);
        }

        client.Add([6, 6], server.Address);
        client.Socket.Send(client.Queue);
        _rig.Until(() => server.Got.Count == 7);

        AssertDistinct(server, Enumerable.Range(0, 7));
        Assert.Equal(0, client.Queue.DroppedRefused + client.Queue.DroppedFull);
    }

    [Fact]
    public void Accept_is_tried_again_after_a_signal_and_tells_of_exhaustion()
    {
        var listener = _rig.Listen("127.0.0.1:0");
        _calls.Fail(LinuxCall.Accept, Errno.EINTR, Errno.EMFILE, Errno.ECONNABORTED);

        _rig.ConnectStream(listener.Socket.LocalAddress);
        _rig.Until(() => listener.Accepted.Count == 1);

        Assert.Equal([Errno.EMFILE, Errno.ECONNABORTED], listener.Errors);
    }

    [Fact]
    public void Stream_calls_are_tried_again_after_a_signal()
    {
        var (client, server) = _rig.StreamPair();
        _calls.Fail(LinuxCall.Send, Errno.EINTR).Fail(LinuxCall.Receive, Errno.EINTR);

        Assert.Equal(2, client.Send("hi"u8));
        _rig.Until(() => server.Got.Count == 2);
    }

    [Fact]
    public void An_interrupted_connect_goes_on()
    {
        var listener = _rig.Listen("127.0.0.1:0");
        _calls.Fail(LinuxCall.Connect, Errno.EINTR);

        var result = _rig.Network.ConnectStream(listener.Socket.LocalAddress, out var socket);

        Assert.Equal(-(int)Errno.EINPROGRESS, result);
        socket!.Dispose();
    }

    [Theory]
    [InlineData("127.0.0.1:0")]
    [InlineData("[::1]:0")]
    public void A_connection_on_this_host_stands_at_once(string bind)
    {
        var listener = _rig.Listen(bind);

        Assert.Equal(0, _rig.Network.ConnectStream(listener.Socket.LocalAddress, out var socket));
        Assert.Equal(0, socket!.ConnectResult());
        socket.Dispose();
    }

    [Fact]
    public void A_connection_on_this_host_that_is_not_accepted_yet_goes_on()
    {
        var listener = _rig.Listen("127.0.0.1:0");
        _calls.Fail(LinuxCall.Connect, Errno.EINPROGRESS, Errno.EALREADY);

        var result = _rig.Network.ConnectStream(listener.Socket.LocalAddress, out var socket);

        Assert.Equal(-(int)Errno.EINPROGRESS, result);
        socket!.Dispose();
    }

    [Fact]
    public void A_connection_abroad_is_asked_for_once()
    {
        _calls.Fail(LinuxCall.Connect, Errno.EINPROGRESS, Errno.ECONNREFUSED);

        var remote = NetRig.At("192.0.2.1:9");

        Assert.Equal(-(int)Errno.EINPROGRESS, _rig.Network.ConnectStream(remote, out var socket));
        Assert.Equal(-(int)Errno.ECONNREFUSED, _rig.Network.ConnectStream(remote, out _));   // the next attempt
        socket!.Dispose();
    }

    [Fact]
    public void A_connection_on_this_host_that_is_refused_is_so_at_once_and_leaves_nothing_open()
    {
        var open = _calls.OpenSockets.Count;
        _calls.Fail(LinuxCall.Connect, Errno.EINPROGRESS, Errno.ECONNREFUSED);

        Assert.Equal(-(int)Errno.ECONNREFUSED, _rig.Network.ConnectStream(NetRig.At("127.0.0.1:9"), out var socket));
        Assert.Null(socket);
        Assert.Equal(open, _calls.OpenSockets.Count);
    }

    [Fact]
    public void An_interrupted_wait_is_no_end()
    {
        _calls.Fail(LinuxCall.EpollWait, Errno.EINTR);

        Assert.False(_rig.Loop.RunOnce(block: true));
    }

    [Fact]
    public void A_socket_that_cannot_be_watched_is_refused_and_its_place_is_free_again()
    {
        Assert.Equal(0, _rig.Network.BindDatagram(
            NetRig.At("127.0.0.1:0"), new DatagramOptions(0, 0, false), out var socket));
        using var owned = socket!;
        using var batch = new DatagramBatch(1);
        _calls.Fail(LinuxCall.EpollControl, Errno.ENOSPC);

        Assert.Equal(-(int)Errno.ENOSPC, _rig.Loop.Register(owned, new Nobody(), IoReadiness.Readable));
        Assert.Null(owned.Loop);
        Assert.Equal(0, _rig.Loop.Register(owned, new Nobody(), IoReadiness.Readable));
    }

    [Fact]
    public void What_fails_on_its_way_leaves_nothing_open()
    {
        var local = NetRig.At("127.0.0.1:0");
        var remote = NetRig.At("127.0.0.1:9");
        var network = _rig.Network;
        var datagrams = new DatagramOptions(0, 0, false);
        var streams = new StreamListenOptions(1, false);
        (LinuxCall Call, Errno Errno, Func<int> Make)[] cases =
        [
            (LinuxCall.Socket, Errno.EMFILE, () => network.BindDatagram(local, datagrams, out _)),
            (LinuxCall.Bind, Errno.EACCES, () => network.BindDatagram(local, datagrams, out _)),
            (LinuxCall.Socket, Errno.EMFILE, () => network.Listen(local, streams, out _)),
            (LinuxCall.Bind, Errno.EACCES, () => network.Listen(local, streams, out _)),
            (LinuxCall.Listen, Errno.EADDRINUSE, () => network.Listen(local, streams, out _)),
            (LinuxCall.Socket, Errno.ENFILE, () => network.ConnectDatagram(remote, out _)),
            (LinuxCall.Connect, Errno.ENETUNREACH, () => network.ConnectDatagram(remote, out _)),
            (LinuxCall.Socket, Errno.ENFILE, () => network.ConnectStream(remote, out _)),
            (LinuxCall.Connect, Errno.EADDRNOTAVAIL, () => network.ConnectStream(remote, out _)),
        ];
        foreach (var (call, errno, make) in cases)
        {
            _calls.Fail(call, errno);
            Assert.Equal(-(int)errno, make());
            Assert.Empty(_calls.OpenSockets);
        }
    }

    [Fact]
    public void Every_socket_is_closed_once()
    {
        var (client, server) = _rig.StreamPair();
        var datagram = _rig.Bind("127.0.0.1:0");
        Assert.NotEmpty(_calls.OpenSockets);

        client.Socket.Abort();
        client.Socket.Abort();
        server.Dispose();
        datagram.Dispose();
        datagram.Socket.Dispose();

        Assert.Single(_calls.OpenSockets);   // the listener
        Assert.Equal(0, _calls.StrayCloses);
    }

    private (DatagramProbe Server, DatagramProbe Client) Pair() =>
        (_rig.Bind("127.0.0.1:0", receiveBuffer: 4 << 20), _rig.Bind("127.0.0.1:0"));

    /// <summary>Datagrams that cannot be gathered: each is longer than the one before it; the first byte is the
    /// number.</summary>
    private static void AddDistinct(DatagramProbe client, SocketAddr peer, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var payload = new byte[i + 1];
            payload[0] = (byte)i;
            client.Add(payload, peer);
        }
    }

    private static void AssertDistinct(DatagramProbe server, IEnumerable<int> numbers) =>
        Assert.Equal(numbers, server.Got.Select(got => (int)got.Payload[0]));

    private sealed class Nobody : IIoReceiver
    {
        public void OnReady(IoSocket socket, IoReadiness ready)
        {
        }
    }
}
