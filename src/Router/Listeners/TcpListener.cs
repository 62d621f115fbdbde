using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Listeners;

/// <summary>A stream listener's state on one loop. Outlives its actor's restarts.</summary>
internal sealed class TcpShard : Shard, IIoReceiver
{
    public TcpShard(ShardSetup setup, StreamListener socket)
        : base(setup)
    {
        Socket = socket;
        Address = socket.LocalAddress;
    }

    public StreamListener Socket { get; set; }

    public bool SharesPort { get; init; }

    public IActorRef Actor { get; set; } = ActorRefs.Nobody;

    /// <summary>Made by the first actor.</summary>
    public AcceptWatch? Watch { get; set; }

    /// <summary>No descriptors: accepting waits for one to be given back, or for the back-off.</summary>
    public bool IsSuspended { get; set; }

    /// <summary>Since when, by the loop's clock.</summary>
    public long SuspendedMs { get; set; }

    /// <summary>When a suspension was last written down; -1 for never.</summary>
    public long SuspensionLoggedMs { get; set; } = -1;

    /// <summary>The suspension that is on was written down, so its end will be too.</summary>
    public bool IsSuspensionLogged { get; set; }

    public void OnReady(IoSocket socket, IoReadiness ready)
    {
        var told = socket.Pending != IoReadiness.None;
        socket.Pending |= ready;
        if (!told)
        {
            Actor.Tell(socket, ActorRefs.NoSender);
        }
    }

    public override bool IsSocketClosed => Socket.IsClosed;

    public override void Release() => Socket.Dispose();

    public override SessionList OpenSessions { get; } = new();

    /// <summary>Takes a connection's session among the open ones.</summary>
    public void Add(SessionContext session) => session.TableHash = (uint)OpenSessions.Add(session);

    public override void OnClosing(SessionContext session)
    {
        var moved = OpenSessions[OpenSessions.Count - 1];
        OpenSessions[(int)session.TableHash] = moved;
        moved.TableHash = session.TableHash;
        OpenSessions.RemoveLast();
    }

    public override void OnEnded(SessionContext session)
    {
        base.OnEnded(session);
        if (IsSuspended)
        {
            Actor.Tell(RetryListener.Instance, ActorRefs.NoSender);
        }
    }
}

/// <summary>Owns one listening socket: accepts connections, opens a session for each.</summary>
internal sealed class TcpListener : ListenerActor
{
    /// <summary>Connections accepted in one turn; the rest wait in the backlog until the next pass.</summary>
    private const int AcceptsPerTurn = 64;

    /// <summary>
    /// At the limit every descriptor that comes back lets one connection in, and the next one suspends again: that is
    /// written down once in this time.
    /// </summary>
    private const int SuspensionLogMs = 1_000;

    private readonly TcpShard _shard;
    private readonly BindRequest _request;
    private readonly RetryTimer _retry;
    private readonly AcceptWatch _watch;

    public TcpListener(TcpShard shard, BindRequest request, IListenerEvents events, string sessionDispatcher)
        : base(shard, events, sessionDispatcher)
    {
        _shard = shard;
        _request = request;
        _retry = new RetryTimer(shard.Loop);
        _watch = shard.Watch ??= new AcceptWatch(shard, events);
    }

    protected override void Attach()
    {
        _shard.Actor = Self;
        if (_shard.Socket.Loop is null && !_shard.IsDraining)
        {
            Register();
        }
    }

    protected override void PostStop()
    {
        EndUnstarted();
        _retry.Reset();
        _watch.Stop();
        _shard.Socket.Dispose();
        _shard.OnStopped?.Invoke(_shard);
    }

    protected override void OnReadable()
    {
        if (_shard.IsSuspended || _shard.IsDraining)
        {
            return;
        }

        _watch.OnWaiting();
        for (var i = 0; i < AcceptsPerTurn; i++)
        {
            var result = _shard.Socket.Accept(out var connection);
            result = result == 0 ? Open(connection!) : result;
            if (result < 0 && !OnAcceptFailed((Errno)(-result)))
            {
                return;
            }
        }
    }

    protected override void Refresh() => _watch.Look();

    protected override void Drain()
    {
        _shard.IsDraining = true;
        _retry.Reset();
        _shard.Socket.Dispose();
    }

    protected override void Retry()
    {
        if (_shard.IsDraining)
        {
            return;
        }

        if (_shard.Socket.IsClosed)
        {
            Rebind();
        }
        else if (_shard.IsSuspended)
        {
            Resume();
        }
    }

    /// <returns>0, or a negative errno: connections cannot be watched now.</returns>
    private int Open(StreamSocket connection)
    {
        if (!_shard.SessionCount.TryTake())
        {
            _shard.Counters.Drops.Add(DropReason.MaxSessions);
            connection.Abort();
            connection.Dispose();
            return 0;
        }

        var session = SessionStart.ForConnection(_shard, connection);
        _shard.Add(session);
        Start(session);
        var result = session.Route.WatchesStream ? 0 : session.Watch(connection, IoReadiness.Readable);
        if (result < 0)
        {
            _shard.Counters.Drops.Add(DropReason.NoResources);
            session.CloseNow(CloseReason.Reset);
        }

        return result;
    }

    /// <summary>Whether accepting goes on in this turn.</summary>
    private bool OnAcceptFailed(Errno errno)
    {
        switch (SocketErrors.Classify(errno))
        {
            case SocketErrorClass.Transient:
                return errno == Errno.EINTR;
            case SocketErrorClass.Peer:
                return true;   // that connection is gone already: accept(2) passes its network errors on
            case SocketErrorClass.Exhausted:
                Suspend(errno);
                return false;
            default:
                Lose(errno);
                return false;
        }
    }

    private void Suspend(Errno errno)
    {
        _shard.Loop.SetInterest(_shard.Socket, IoReadiness.None);
        var backoffMs = _retry.Start(Self);
        if (!_shard.IsSuspended)
        {
            _shard.IsSuspended = true;
            _shard.SuspendedMs = _shard.Loop.NowMs;
            _shard.Counters.AcceptSuspensions++;
            LogSuspension(errno, backoffMs);
        }
    }

    private void LogSuspension(Errno errno, long backoffMs)
    {
        var nowMs = _shard.Loop.NowMs;
        var isLate = nowMs - _shard.SuspensionLoggedMs >= SuspensionLogMs;
        _shard.IsSuspensionLogged = _shard.SuspensionLoggedMs < 0 || isLate;
        if (_shard.IsSuspensionLogged)
        {
            _shard.SuspensionLoggedMs = nowMs;
            Events.AcceptSuspended(_shard.Listener, _shard.Address, errno, backoffMs);
        }
    }

    /// <summary>Tries one connection: accepting is resumed only when it works, and said only then.</summary>
    private void Resume()
    {
        _watch.OnWaiting();
        var result = _shard.Socket.Accept(out var connection);
        if (result < 0 && SocketErrors.Classify((Errno)(-result)) == SocketErrorClass.Exhausted)
        {
            _retry.Start(Self);
            return;
        }

        _shard.IsSuspended = false;
        _retry.Reset();
        _shard.Loop.SetInterest(_shard.Socket, IoReadiness.Readable);
        if (_shard.IsSuspensionLogged)
        {
            Events.AcceptResumed(_shard.Listener, _shard.Address, _shard.Loop.NowMs - _shard.SuspendedMs);
        }

        if (result == 0 && Open(connection!) is < 0 and var refused)
        {
            OnAcceptFailed((Errno)(-refused));
        }
    }

    private void Lose(Errno errno)
    {
        _shard.Socket.Dispose();
        Events.SocketLost(_shard.Listener, _shard.Address, errno, _retry.Start(Self));
    }

    private void Rebind()
    {
        var result = ListenerBinder.Bind(
            _shard.Loop.Network, _request, _shard.Address, makeGroup: false, _shard.SharesPort, out var socket);
        if (result < 0)
        {
            _retry.Start(Self);
            return;
        }

        _shard.Socket = (StreamListener)socket!;
        _retry.Reset();
        Register();
        Events.SocketRebound(_shard.Listener, _shard.Address);
    }

    private void Register()
    {
        var result = _shard.Loop.Register(_shard.Socket, _shard, IoReadiness.Readable);
        if (result < 0)
        {
            Lose((Errno)(-result));
        }
    }
}
