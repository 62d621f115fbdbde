using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Listeners;

/// <summary>
/// Owns one bound datagram socket: receives in batches, finds or opens the session of each datagram, tells it its
/// share.
/// </summary>
internal sealed class UdpListener : ListenerActor
{
    private readonly UdpShard _shard;
    private readonly BindRequest _request;
    private readonly RetryTimer _retry;
    private readonly Func<UdpShard, int, SessionContext?> _open;

    public UdpListener(UdpShard shard, BindRequest request, IListenerEvents events, string sessionDispatcher)
        : base(shard, events, sessionDispatcher)
    {
        _shard = shard;
        _request = request;
        _retry = new RetryTimer(shard.Loop);
        _open = Open;
        shard.ListenerEvents = events;
        if (shard.Settings.Socket != SessionSocket.Shared && !shard.Address.IsUnix)
        {
            shard.Sockets ??= new SessionSockets(shard, events);
        }
    }

    protected override void Attach()
    {
        _shard.Actor = Self;
        if (_shard.Socket.Loop is null)
        {
            Register(_shard.Socket);
        }
    }

    protected override void PostStop()
    {
        EndUnstarted();
        _retry.Reset();
        _shard.Dispose();
        _shard.OnStopped?.Invoke(_shard);
    }

    protected override void OnReadable()
    {
        var received = _shard.Receive(_open);
        if (received < 0 && SocketErrors.Classify((Errno)(-received)) == SocketErrorClass.Fatal)
        {
            Lose((Errno)(-received));
        }
    }

    protected override bool Receive(object message)
    {
        if (message is StrayDatagram stray)
        {
            _shard.Take(stray, Open);
            return true;
        }

        return base.Receive(message);
    }

    protected override void Drain() => _shard.IsDraining = true;

    /// <summary>
    /// Binds anew after the socket was lost: sessions keep their place, and answer from the new socket.
    /// </summary>
    protected override void Retry()
    {
        if (!_shard.Socket.IsClosed)
        {
            return;
        }

        var isAlone = !_shard.SharesPort;
        var result = ListenerBinder.Bind(
            _shard.Loop.Network, _request, _shard.Address, makeGroup: isAlone && _request.JoinedBySessions,
            joinGroup: !isAlone, out var socket);
        if (result < 0)
        {
            _retry.Start(Self);
            return;
        }

        _shard.Replace((DatagramSocket)socket!);
        if (_request.JoinedBySessions && isAlone)
        {
            // A shard among others cannot have its place back: its sessions pass on what comes to the wrong one.
            _ = _shard.Loop.Network.FixShards([_shard.Socket]);
        }

        _retry.Reset();
        Register(_shard.Socket);
        Events.SocketRebound(_shard.Listener, _shard.Address);
    }

    protected override void Refresh() => _shard.CountKernelDrops();

    private SessionContext? Open(UdpShard shard, int slot)
    {
        var batch = shard.Batch;
        return Open(batch.Peer(slot), batch.Local(slot), batch.First(slot), batch.Datagrams(slot));
    }

    private SessionContext? Open(StrayDatagram stray) => Open(stray.From, stray.Local, stray.Payload, count: 1);

    /// <param name="peer">Who is new.</param>
    /// <param name="local">Where it sent to.</param>
    /// <param name="first">Its first datagram.</param>
    /// <param name="count">Datagrams that are dropped if it must not come in.</param>
    private SessionContext? Open(in SocketAddr peer, in LocalAddr local, ReadOnlySpan<byte> first, int count)
    {
        var refusal = _shard.Refuse(peer, first) ?? (_shard.SessionCount.TryTake() ? null : DropReason.MaxSessions);
        if (refusal is { } reason)
        {
            _shard.Counters.Drops.Add(reason, count);
            return null;
        }

        var session = SessionStart.ForPeer(_shard, _request.Transport, peer, local);
        _shard.Sockets?.Open(session);
        Start(session);
        return session;
    }

    private void Lose(Errno errno)
    {
        _shard.CountKernelDrops();
        _shard.Sockets?.OnLost();
        _shard.Socket.Dispose();
        Events.SocketLost(_shard.Listener, _shard.Address, errno, _retry.Start(Self));
    }

    private void Register(DatagramSocket socket)
    {
        var result = _shard.Loop.Register(socket, _shard, IoReadiness.Readable);
        if (result < 0)
        {
            Lose((Errno)(-result));
        }
    }
}
