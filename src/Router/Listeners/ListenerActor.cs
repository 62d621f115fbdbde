using Akka.Actor.Internal;
using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Listeners;

/// <summary>What datagram and stream listeners share: they own a shard with its socket, supervise its sessions, and
/// survive their own failures.</summary>
/// <remarks>
/// A listener that fails is restarted with the same shard: socket, sessions and counters stay, and no session is
/// stopped. Sessions are restarted within their budget, then stopped; a failed stream session is stopped at once unless
/// its handler is restart-safe.
/// </remarks>
internal abstract class ListenerActor(
    Shard shard, BindRequest request, IListenerEvents events, string sessionDispatcher) : ActorBase
{
    private readonly SessionActors _sessionActors = new(shard, Context, sessionDispatcher);
    private readonly SessionWalk _drain = new(shard, SessionVisits.Drain);
    private readonly SessionWalk _rearm = new(shard, SessionVisits.Rearm);
    private SessionWalk? _long;   // made with the first
    private readonly Dictionary<Route, SessionWalk> _changes = [];   // of routes, one that is under way each

    /// <summary>Kept because Akka's <c>Context</c> is that of whoever has the turn, and a session may have its turn
    /// within the listener's.</summary>
    private readonly IActorContext _context = Context;

    protected IListenerEvents Events => events;

    protected RetryTimer RetryTimer { get; } = new(shard.Loop);

    protected abstract IoSocket Socket { get; }

    /// <summary>Whether a closed socket is to be replaced.</summary>
    protected virtual bool NeedsSocket => true;

    protected override SupervisorStrategy SupervisorStrategy() => new SessionStrategy(shard);

    protected override void PreStart()
    {
        KeepSpares();
        shard.Actor = Self;
        if (Socket.Loop is null && NeedsSocket)
        {
            Register();
        }
    }

    /// <summary>Sessions live on: neither stopped nor disturbed by their listener's failure.</summary>
    protected override void PreRestart(Exception reason, object? message)
    {
        Events.Restarted(shard.Listener, shard.Address, reason);
        foreach (var spare in shard.Spares)
        {
            _context.Stop(spare.Ref);   // it would be restarted with the others, and nobody would know it
        }

        shard.SpareSessions.Remove(shard);
    }

    protected override void PostRestart(Exception reason) => PreStart();

    protected override void PostStop()
    {
        EndUnstarted();
        RetryTimer.Reset();
        shard.Release();
        shard.OnStopped?.Invoke(shard);
    }

    protected abstract void Drain();

    protected abstract void OnReadable();

    /// <summary>Goes on with a fresh socket, bound to the address of the one that was lost.</summary>
    protected abstract void Replace(IoSocket socket);

    protected virtual void OnSocketLost()
    {
    }

    /// <summary>Binds again where the socket was lost.</summary>
    protected virtual void Retry()
    {
        if (!NeedsSocket || !Socket.IsClosed)
        {
            return;
        }

        var makesGroup = request.JoinedBySessions && !shard.SharesPort;
        var result = ListenerBinder.Bind(
            shard.Loop.Network, request, shard.Address, makesGroup, shard.SharesPort, out var socket);
        if (result < 0)
        {
            RetryTimer.Start(Self);
            return;
        }

        Replace(socket!);
        RetryTimer.Reset();
        Register();
        Events.SocketRebound(shard.Listener, shard.Address);
    }

    /// <summary>The socket broke: tries for another one until there is one.</summary>
    protected void Lose(Errno errno)
    {
        OnSocketLost();
        Socket.Dispose();
        Events.SocketLost(shard.Listener, shard.Address, errno, RetryTimer.Start(Self));
    }

    protected virtual void Refresh()
    {
    }

    protected override bool Receive(object message)
    {
        switch (message)
        {
            case IoSocket socket:
                socket.Pending = IoReadiness.None;
                if (!socket.IsClosed)
                {
                    OnReadable();
                }

                break;
            case RetryListener:
                Retry();
                break;
            case DrainListener:
                if (shard.EndReason == CloseReason.Admin)
                {
                    shard.EndReason = CloseReason.Shutdown;
                }

                OnDrain();
                break;
            case ConfigureShards change:
                OnConfiguration(change);
                break;
            case DrainRemoved removed when removed.Shards.Contains(shard):
                shard.EndReason = CloseReason.ListenerRemoved;
                OnDrain();
                break;
            case DrainShards drained when drained.Shards.Contains(shard):
                shard.EndReason = CloseReason.Admin;
                OnDrain();
                break;
            case ResumeShards resumed when resumed.Shards.Contains(shard) && shard.EndReason == CloseReason.Admin:
                shard.EndReason = CloseReason.Shutdown;
                shard.IsDraining = false;
                _drain.Stop();
                Retry();
                break;
            case StopShards stopped when stopped.Shards.Contains(shard):
                _context.Stop(_context.Self);
                break;
            case RouteChanged changed:
                OnRouteChanged(changed);
                break;
            case RefreshFigures:
                Refresh();
                break;
            case TellLongSessions told:
                OnLongSessions(told.AgeMs);
                break;
            default:
                return false;
        }

        return true;
    }

    /// <summary>Comes again and again, since a session that has something under way now will have finished later. A
    /// round of asking sessions that is not over goes on.</summary>
    private void OnDrain()
    {
        Drain();
        if (!_drain.IsUnderWay)
        {
            _drain.Begin();
        }
    }

    /// <summary>A round that is not over goes on.</summary>
    private void OnLongSessions(long ageMs)
    {
        if (_long is not { IsUnderWay: true })
        {
            _long = new SessionWalk(shard, session => SessionVisits.TellLong(session, ageMs));
            _long.Begin();
        }
    }

    private void OnRouteChanged(RouteChanged changed)
    {
        foreach (var (route, walk) in _changes)
        {
            if (!walk.IsUnderWay)
            {
                _changes.Remove(route);
            }
        }

        if (!_changes.TryGetValue(changed.Route, out var told))
        {
            told = new SessionWalk(shard, session => SessionVisits.ChangeRoute(session, changed));
            _changes[changed.Route] = told;
        }

        told.Begin();
    }

    private void OnConfiguration(ConfigureShards change)
    {
        if (!change.Shards.TryGetValue(shard, out var configuration))
        {
            return;
        }

        if (shard.EndReason == CloseReason.ListenerRemoved)
        {
            shard.EndReason = CloseReason.Shutdown;
            shard.IsDraining = false;   // a datagram shard: a stream shard that drains has no socket to come back to
        }

        if (shard.Apply(configuration))
        {
            _rearm.Begin();
        }

        _context.Sender.Tell(change.Done, ActorRefs.NoSender);
    }

    private void Register()
    {
        var result = shard.Loop.Register(Socket, shard, IoReadiness.Readable);
        if (result < 0)
        {
            Lose((Errno)(-result));
        }
    }

    /// <summary>Starts a session's actor. Its first message is its context.</summary>
    protected void Start(SessionContext session)
    {
        shard.SessionsOpen++;
        shard.SpareSessions.OnOpened();
        shard.Counters.SessionsOpened++;
        lock (shard.Starting)   // uncontended on a loop
        {
            shard.Starting.Add(session);
        }

        if (session.Actor is null)
        {
            session.Ref = _sessionActors.Make();
        }

        if (shard.Traces is { HasPeers: true } traces)
        {
            traces.OnBegins(session);
        }

        session.Actor = null;   // until it has its session
        session.Ref.Tell(session, ActorRefs.NoSender);
        session.Arm();
        shard.Events.Opened(session);
    }

    /// <summary>All sessions' actors have stopped. Ends the sessions whose actor never got its first message.</summary>
    private void EndUnstarted()
    {
        foreach (var session in shard.Starting.ToArray())
        {
            SessionEnd.OnActorStopped(session);
        }

        shard.Starting.Clear();
        shard.SpareSessions.Remove(shard);
        foreach (var walk in _changes.Values.Append(_drain).Append(_rearm))
        {
            walk.Stop();
        }
    }

    /// <summary>Not for sessions on the pool, whose actors end on another thread.</summary>
    private void KeepSpares()
    {
        if (shard.Settings.OnPool)
        {
            return;
        }

        shard.MakeSpare = () =>
        {
            var spare = new SessionContext { Ref = _sessionActors.Make() };
            spare.Ref.Tell(spare, ActorRefs.NoSender);
        };
        shard.SpareSessions.Add(shard);
    }

    /// <summary>Restarts sessions within their budget. It notes kills, since the session itself is not told that it is
    /// restarted or stopped for one.</summary>
    /// <remarks>The budget is not Akka's, which goes by a clock that no test controls and by numbers that no reload can
    /// change.</remarks>
    private sealed class SessionStrategy(Shard shard) : OneForOneStrategy(
        static failure => failure is HandlerFailedException { MayRestart: false } ? Directive.Stop : Directive.Restart,
        loggingEnabled: false)
    {
        public override void ProcessFailure(
            IActorContext context,
            bool restart,
            IActorRef child,
            Exception cause,
            ChildRestartStats stats,
            IReadOnlyCollection<ChildRestartStats> children)
        {
            if (restart && shard.MayRestart(child))
            {
                RestartChild(child, cause, suspendFirst: false);
            }
            else
            {
                context.Stop(child);
            }
        }

        protected override Directive Handle(IActorRef child, Exception exception)
        {
            if (exception is ActorKilledException)
            {
                shard.Killed[child] = exception;
            }

            return base.Handle(child, exception);
        }
    }
}
