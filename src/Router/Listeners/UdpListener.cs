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
    }

    protected override void OnReadable()
    {
        var received = _shard.Receive(_open);
        if (received < 0 && SocketErrors.Classify((Errno)(-received)) == SocketErrorClass.Fatal)
        {
            Lose((Errno)(-received));
        }
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

        var result = ListenerBinder.Bind(
            _shard.Loop.Network, _request, _shard.Address, makeGroup: false, _shard.SharesPort, out var socket);
        if (result < 0)
        {
            _retry.Start(Self);
            return;
        }

        _shard.Replace((DatagramSocket)socket!);
        _retry.Reset();
        Register(_shard.Socket);
        Events.SocketRebound(_shard.Listener, _shard.Address);
    }

    protected override void Refresh() => _shard.CountKernelDrops();

    private SessionContext? Open(UdpShard shard, int slot)
    {
        var batch = shard.Batch!;
        ref var peer = ref batch.Peer(slot);
        var refusal = shard.Refuse(peer) ?? (shard.SessionCount.TryTake() ? null : DropReason.MaxSessions);
        if (refusal is { } reason)
        {
            shard.Counters.Drops.Add(reason, batch.Datagrams(slot));
            return null;
        }

        var session = new SessionContext(shard, SessionTransport.Udp, peer, batch.Local(slot));
        Start(session);
        return session;
    }

    private void Lose(Errno errno)
    {
        _shard.CountKernelDrops();
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
