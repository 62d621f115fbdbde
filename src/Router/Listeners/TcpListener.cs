using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Listeners;

/// <summary>A stream listener's state on one loop, which outlives restarts of its actor.</summary>
internal sealed class TcpShard : Shard
{
    public TcpShard(ShardSetup setup, StreamListener socket)
        : base(setup)
    {
        Socket = socket;
        Address = socket.LocalAddress;
        OverflowsAtStart = setup.Loop.Network.ReadAcceptOverflows();
    }

    /// <summary>Of the network namespace, before anybody was told that this listens.</summary>
    public long OverflowsAtStart { get; }

    public StreamListener Socket { get; set; }

    /// <summary>Made by the first actor.</summary>
    public AcceptWatch? Watch { get; set; }

    /// <summary>Descriptors or memory ran out: accepting waits for a session to end, or for the back-off.</summary>
    public bool IsSuspended { get; set; }

    /// <summary>Since when, by the loop's clock.</summary>
    public long SuspendedMs { get; set; }

    /// <summary>When a suspension was last logged; -1 for never.</summary>
    public long SuspensionLoggedMs { get; set; } = -1;

    /// <summary>The present suspension was logged, so its end will be too.</summary>
    public bool IsSuspensionLogged { get; set; }

    public override bool IsSocketClosed => Socket.IsClosed;

    public override void Release() => Socket.Dispose();

    public override SessionList OpenSessions { get; } = new();

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
            Actor.Tell(new RetryListener(), ActorRefs.NoSender);
        }
    }
}

/// <summary>Owns one listening socket: accepts connections, opens a session for each.</summary>
internal sealed class TcpListener : ListenerActor
{
    /// <summary>Connections accepted in one turn; the rest wait in the backlog until the next pass.</summary>
    private const int AcceptsPerTurn = 64;

    /// <summary>Suspensions are logged once in this time. At the limit every session that ends lets one connection in,
    /// and the next one suspends again.</summary>
    private const int SuspensionLogMs = 1_000;

    private readonly TcpShard _shard;
    private readonly AcceptWatch _watch;

    public TcpListener(TcpShard shard, BindRequest request, IListenerEvents events, string sessionDispatcher)
        : base(shard, request, events, sessionDispatcher)
    {
        _shard = shard;
        _watch = shard.Watch ??= new AcceptWatch(shard, events);
    }

    protected override IoSocket Socket => _shard.Socket;

    protected override bool NeedsSocket => !_shard.IsDraining;

    protected override void PostStop()
    {
        _watch.Stop();
        base.PostStop();
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
        RetryTimer.Reset();
        _shard.Socket.Dispose();
    }

    protected override void Retry()
    {
        if (_shard is { IsSuspended: true, IsDraining: false, Socket.IsClosed: false })
        {
            Resume();
        }
        else
        {
            base.Retry();
        }
    }

    /// <returns>0, or a negative errno: connections cannot be watched now.</returns>
    private int Open(StreamSocket connection)
    {
        if (!_shard.SessionCount.TryTake())
        {
            _shard.Counters.Drops.Add(DropReason.MaxSessions);
            if (_shard.Traces is { HasPeers: true } traces)
            {
                traces.OnRefused(_shard, connection.PeerAddress, DropReason.MaxSessions, 1, default);
            }

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
                return true;   // that connection is gone: accept(2) passes its network errors on
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
        var backoffMs = RetryTimer.Start(Self);
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

    /// <summary>Tries one connection. Accepting is resumed, and the log says so, only when that works.</summary>
    private void Resume()
    {
        _watch.OnWaiting();
        var result = _shard.Socket.Accept(out var connection);
        if (result < 0 && SocketErrors.Classify((Errno)(-result)) == SocketErrorClass.Exhausted)
        {
            RetryTimer.Start(Self);
            return;
        }

        _shard.IsSuspended = false;
        RetryTimer.Reset();
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

    protected override void Replace(IoSocket socket) => _shard.Socket = (StreamListener)socket;
}
