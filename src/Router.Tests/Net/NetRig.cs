using System.Net;
using System.Runtime.InteropServices;
using Router.Loop;
using Router.Net;

namespace Router.Tests.Net;

/// <summary>One loop, driven by the test, over real loopback sockets.</summary>
internal sealed class NetRig : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly List<IDisposable> _owned = [];

    public NetRig(INetwork network)
    {
        Network = network;
        Loop = new IoLoop(0, network, TimeProvider.System, new IoLoopOptions()) { OnFault = Faults.Add };
    }

    public INetwork Network { get; }

    public IoLoop Loop { get; }

    public List<Exception> Faults { get; } = [];

    public static SocketAddr At(string endPoint) => SocketAddr.From(IPEndPoint.Parse(endPoint));

    public T Own<T>(T item)
        where T : IDisposable
    {
        _owned.Add(item);
        return item;
    }

    public DatagramProbe Bind(string endPoint, bool dualStack = false, int receiveBuffer = 0)
    {
        var result = Network.BindDatagram(
            At(endPoint), new DatagramOptions(receiveBuffer, 0, dualStack), out var socket);
        Assert.Equal(0, result);
        return Own(new DatagramProbe(Loop, socket!));
    }

    public ConnectedProbe Connect(SocketAddr remote)
    {
        Assert.Equal(0, Network.ConnectDatagram(remote, out var socket));
        return Own(new ConnectedProbe(Loop, socket!));
    }

    public AcceptProbe Listen(string endPoint, int backlog = 16, bool dualStack = false)
    {
        Assert.Equal(0, Network.Listen(At(endPoint), new StreamListenOptions(backlog, dualStack), out var listener));
        return Own(new AcceptProbe(Loop, listener!));
    }

    public StreamProbe ConnectStream(SocketAddr remote)
    {
        var result = Network.ConnectStream(remote, out var socket);
        Assert.Contains(result, (int[])[0, -(int)Errno.EINPROGRESS]);
        return Own(new StreamProbe(Loop, socket!, connecting: true));
    }

    /// <summary>A connection through the network under test: both its ends.</summary>
    public (StreamProbe Client, StreamProbe Server) StreamPair()
    {
        var listener = Listen("127.0.0.1:0");
        var client = ConnectStream(listener.Socket.LocalAddress);
        Until(() => listener.Accepted.Count == 1 && client.Connected);
        return (client, Own(new StreamProbe(Loop, listener.Accepted[0], connecting: false)));
    }

    /// <summary>Drives the loop until the condition holds; fails the test after a time no healthy run
    /// needs.</summary>
    public void Until(Func<bool> condition)
    {
        var limit = new Limit();
        Loop.Schedule(limit, Loop.NowMs + (long)Patience.TotalMilliseconds);
        while (!condition())
        {
            Assert.False(limit.Passed, "waited in vain");
            Loop.RunOnce(block: true);
        }

        Loop.Cancel(limit);
    }

    /// <summary>Some passes in which nothing is expected to happen.</summary>
    public void Settle()
    {
        for (var i = 0; i < 20; i++)
        {
            Loop.RunOnce(block: false);
        }
    }

    public void Dispose()
    {
        for (var i = _owned.Count - 1; i >= 0; i--)
        {
            _owned[i].Dispose();
        }

        Assert.Equal(0, Loop.Sockets);
        Loop.Dispose();
        Assert.Empty(Faults);
    }

    private sealed class Limit : LoopTimer
    {
        public bool Passed { get; private set; }

        internal override void OnTimer() => Passed = true;
    }
}

internal sealed record Received(byte[] Payload, int Length, SocketAddr Peer, LocalAddr Local);

/// <summary>A bound socket that keeps what comes.</summary>
internal sealed unsafe class DatagramProbe : IIoReceiver, IDisposable
{
    private readonly DatagramBatch _batch = new(64);

    public DatagramProbe(IoLoop loop, DatagramSocket socket)
    {
        Socket = socket;
        Assert.Equal(0, loop.Register(socket, this, IoReadiness.Readable));
    }

    public DatagramSocket Socket { get; }

    public DatagramQueue Queue { get; } = new(512);

    public List<Received> Got { get; } = [];

    public List<int> Batches { get; } = [];

    /// <summary>Slots that held more than one datagram.</summary>
    public int Trains { get; private set; }

    public bool Echoes { get; set; }

    public SocketAddr Address => Socket.LocalAddress;

    public void Add(ReadOnlySpan<byte> payload, in SocketAddr peer, in LocalAddr local = default)
    {
        payload.CopyTo(new Span<byte>(Queue.Reserve(payload.Length), payload.Length));
        Queue.Commit(payload.Length, peer, local);
    }

    public void Send(ReadOnlySpan<byte> payload, in SocketAddr peer, in LocalAddr local = default)
    {
        Add(payload, peer, local);
        Socket.Send(Queue);
    }

    public void OnReady(IoSocket socket, IoReadiness ready)
    {
        var count = Socket.Receive(_batch);
        Assert.InRange(count, 0, _batch.Capacity);
        Assert.Equal(count, _batch.Count);
        Batches.Add(count);
        for (var i = 0; i < count; i++)
        {
            Trains += _batch.Datagrams(i) > 1 ? 1 : 0;
            Take(i);
        }

        Socket.Send(Queue);
    }

    public void Dispose()
    {
        Socket.Dispose();
        Queue.Dispose();
        _batch.Dispose();
    }

    private void Take(int slot)
    {
        if (_batch.Length(slot) < 0)
        {
            var cut = new Span<byte>(_batch.Payload(slot), -_batch.Length(slot)).ToArray();
            Got.Add(new Received(cut, _batch.Length(slot), _batch.Peer(slot), _batch.Local(slot)));
            return;
        }

        for (var place = DatagramBatch.PlaceOf(slot); ; place++)
        {
            var payload = _batch.PayloadAt(place);
            Got.Add(new Received(payload.ToArray(), payload.Length, _batch.Peer(slot), _batch.Local(slot)));
            if (Echoes)
            {
                Echo(payload, _batch.Peer(slot), _batch.Local(slot));
            }

            if (_batch.IsLast(place))
            {
                return;
            }
        }
    }

    private void Echo(ReadOnlySpan<byte> payload, in SocketAddr peer, in LocalAddr local)
    {
        if (Queue.IsFull)
        {
            Socket.Send(Queue);
        }

        fixed (byte* bytes = &MemoryMarshal.GetReference(payload))
        {
            Queue.Add(bytes, payload.Length, peer, local);
        }
    }
}

/// <summary>A connected datagram socket that keeps what comes and which errors it tells.</summary>
internal sealed unsafe class ConnectedProbe : IIoReceiver, IDisposable
{
    private readonly byte[] _buffer = new byte[65_536];

    public ConnectedProbe(IoLoop loop, ConnectedDatagramSocket socket)
    {
        Socket = socket;
        Assert.Equal(0, loop.Register(socket, this, IoReadiness.Readable));
    }

    public ConnectedDatagramSocket Socket { get; }

    public List<byte[]> Got { get; } = [];

    public List<Errno> Errors { get; } = [];

    public int Capacity { get; set; } = 65_536;

    public int Send(ReadOnlySpan<byte> payload)
    {
        fixed (byte* bytes = payload)
        {
            return Socket.Send(bytes, payload.Length);
        }
    }

    public void OnReady(IoSocket socket, IoReadiness ready)
    {
        fixed (byte* bytes = _buffer)
        {
            var result = Socket.Receive(bytes, Capacity);
            if (result >= 0)
            {
                Got.Add(_buffer.AsSpan(0, result).ToArray());
            }
            else if (result != -(int)Errno.EAGAIN)
            {
                Errors.Add((Errno)(-result));
            }
        }
    }

    public void Dispose() => Socket.Dispose();
}

/// <summary>One end of a connection.</summary>
internal sealed unsafe class StreamProbe : IIoReceiver, IDisposable
{
    private readonly byte[] _buffer = new byte[65_536];

    public StreamProbe(IoLoop loop, StreamSocket socket, bool connecting)
    {
        Socket = socket;
        Connected = !connecting;
        Assert.Equal(0, loop.Register(socket, this, connecting ? IoReadiness.Writable : IoReadiness.Readable));
    }

    public StreamSocket Socket { get; }

    public bool Connected { get; private set; }

    public int? ConnectResult { get; private set; }

    public List<byte> Got { get; } = [];

    public bool Ended { get; private set; }

    public Errno Error { get; private set; }

    public bool Writable { get; set; }

    public int Send(ReadOnlySpan<byte> payload)
    {
        fixed (byte* bytes = payload)
        {
            return Socket.Send(bytes, payload.Length);
        }
    }

    public void OnReady(IoSocket socket, IoReadiness ready)
    {
        if (!Connected)
        {
            ConnectResult = Socket.ConnectResult();
            Connected = ConnectResult == 0;
            socket.Loop!.SetInterest(socket, Connected ? IoReadiness.Readable : IoReadiness.None);
            if (!Connected)
            {
                socket.Dispose();
            }

            return;
        }

        Writable |= (ready & IoReadiness.Writable) != 0;
        if ((ready & IoReadiness.Readable) != 0)
        {
            Read();
        }
    }

    public void Dispose() => Socket.Dispose();

    private void Read()
    {
        fixed (byte* bytes = _buffer)
        {
            var result = Socket.Receive(bytes, _buffer.Length);
            if (result > 0)
            {
                Got.AddRange(_buffer.AsSpan(0, result));
            }
            else if (result == 0)
            {
                Ended = true;
                Socket.Loop!.SetInterest(Socket, Socket.Interest & ~IoReadiness.Readable);
            }
            else if (result != -(int)Errno.EAGAIN)
            {
                Error = (Errno)(-result);
                Socket.Dispose();
            }
        }
    }
}

/// <summary>A listening socket that keeps what it accepts.</summary>
internal sealed class AcceptProbe : IIoReceiver, IDisposable
{
    public AcceptProbe(IoLoop loop, StreamListener socket)
    {
        Socket = socket;
        Assert.Equal(0, loop.Register(socket, this, IoReadiness.Readable));
    }

    public StreamListener Socket { get; }

    public List<StreamSocket> Accepted { get; } = [];

    public List<Errno> Errors { get; } = [];

    public void OnReady(IoSocket socket, IoReadiness ready)
    {
        var result = Socket.Accept(out var connection);
        if (result == 0)
        {
            Accepted.Add(connection!);
        }
        else
        {
            Assert.Null(connection);
            Errors.Add((Errno)(-result));
        }
    }

    public void Dispose()
    {
        Socket.Dispose();
        foreach (var connection in Accepted)
        {
            connection.Dispose();
        }
    }
}
