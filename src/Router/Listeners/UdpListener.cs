using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Listeners;

/// <summary>Owns one bound datagram socket: receives in batches, and gives each session its datagrams.</summary>
internal sealed class UdpListener : ListenerActor
{
    private readonly UdpShard _shard;
    private readonly BindRequest _request;
    private readonly Func<UdpShard, int, SessionContext?> _open;

    public UdpListener(UdpShard shard, BindRequest request, IListenerEvents events, string sessionDispatcher)
        : base(shard, request, events, sessionDispatcher)
    {
        _shard = shard;
        _request = request;
        _open = Open;
        shard.ListenerEvents = events;
        if (shard.Settings.Socket != SessionSocket.Shared && !shard.Address.IsUnix)
        {
            shard.Sockets ??= new SessionSockets(shard, events);
        }
    }

    protected override IoSocket Socket => _shard.Socket;

    protected override void PreStart()
    {
        base.PreStart();
        _shard.Relay?.Add(_shard);
    }

    protected override void PostStop()
    {
        _shard.Relay?.Remove(_shard);
        base.PostStop();
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

    /// <summary>Sessions keep their place, and answer from the new socket.</summary>
    protected override void Replace(IoSocket socket)
    {
        _shard.Replace((DatagramSocket)socket);
        if (_request.JoinedBySessions && !_shard.SharesPort)
        {
            // A shard among others cannot have its place back: its sessions pass on what comes to the wrong one.
            _ = _shard.Loop.Network.FixShards([_shard.Socket]);
        }
    }

    protected override void OnSocketLost()
    {
        _shard.CountKernelDrops();
        _shard.Sockets?.OnLost();
    }

    protected override void Refresh() => _shard.CountKernelDrops();

    private SessionContext? Open(UdpShard shard, int slot)
    {
        var batch = shard.Batch;
        return Open(batch.Peer(slot), batch.Local(slot), batch.First(slot), batch.Datagrams(slot));
    }

    private SessionContext? Open(StrayDatagram stray) => Open(stray.From, stray.Local, stray.Payload, count: 1);

    /// <param name="peer">The new peer.</param>
    /// <param name="local">Where it sent to.</param>
    /// <param name="first">Its first datagram.</param>
    /// <param name="count">Datagrams that are dropped if it gets no session.</param>
    private SessionContext? Open(in SocketAddr peer, in LocalAddr local, ReadOnlySpan<byte> first, int count)
    {
        var refusal = _shard.Refuse(peer, first) ?? (_shard.SessionCount.TryTake() ? null : DropReason.MaxSessions);
        if (refusal is { } reason)
        {
            _shard.Counters.Drops.Add(reason, count);
            if (_shard.Traces is { HasPeers: true } traces)
            {
                traces.OnRefused(_shard, peer, reason, count, first);
            }

            return null;
        }

        var session = SessionStart.ForPeer(_shard, _request.Transport, peer, local);
        _shard.Sockets?.Open(session);
        Start(session);
        return session;
    }
}
