using Akka.Actor.Internal;
using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Listeners;

/// <summary>
/// What datagram and stream listeners share: they own a shard, supervise its sessions, and survive their own failures.
/// </summary>
/// <remarks>
/// A listener that fails is restarted with the same shard: socket, sessions and counters stay, and no session is
/// stopped.
/// Sessions are restarted within their budget, then stopped; a failed stream session is stopped at once unless its
/// handler is restart-safe.
/// </remarks>
internal abstract class ListenerActor(Shard shard, IListenerEvents events, string sessionDispatcher) : ActorBase
{
    private readonly SessionActors _sessionActors = new(shard, Context, sessionDispatcher);
    private readonly SessionWalk _drain = new(shard, SessionVisits.Drain);
    private readonly SessionWalk _rearm = new(shard, SessionVisits.Rearm);
    private readonly Dictionary<Route, SessionWalk> _changes = [];   // of routes, one that is under way each

    /// <summary>Kept from the beginning: Akka's own is of whose turn it is.</summary>
    private readonly IActorContext _context = Context;

    protected IListenerEvents Events => events;

    protected override SupervisorStrategy SupervisorStrategy() => new SessionStrategy(shard);

    protected override void PreStart()
    {
        KeepSpares();
        Attach();
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

    protected override void PostRestart(Exception reason)
    {
        KeepSpares();
        Attach();
    }

    /// <summary>Takes the shard's socket over, or registers it with the loop the first time.</summary>
    protected abstract void Attach();

    protected abstract void Drain();

    protected abstract void Retry();

    protected abstract void OnReadable();

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
                OnDrain();
                break;
            case ApplyTerms applied:
                OnTerms(applied);
                break;
            case DrainRemoved removed when removed.Shards.Contains(shard):
                shard.EndReason = CloseReason.ListenerRemoved;
                OnDrain();
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
            default:
                return false;
        }

        return true;
    }

    /// <summary>What drained because it was removed is in use again.</summary>
    protected virtual void Revive() => shard.IsDraining = false;

    /// <summary>Told again and again, since a session that has something under way now will have done with it: but a
    /// round that is under way goes on.</summary>
    private void OnDrain()
    {
        Drain();
        if (!_drain.IsUnderWay)
        {
            _drain.Begin();
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

    private void OnTerms(ApplyTerms applied)
    {
        if (!applied.Shards.TryGetValue(shard, out var terms))
        {
            return;
        }

        if (shard.EndReason == CloseReason.ListenerRemoved)
        {
            shard.EndReason = CloseReason.Shutdown;
            Revive();
        }

        if (shard.Apply(terms))
        {
            _rearm.Begin();
        }

        _context.Sender.Tell(applied.Done, ActorRefs.NoSender);
    }

    /// <summary>Starts a session's actor; its context is its first message.</summary>
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

        session.Actor = null;   // until it has its session
        session.Ref.Tell(session, ActorRefs.NoSender);
        session.Arm();
        shard.Events.Opened(session);
    }

    /// <summary>All sessions' actors have stopped: ends those whose actor never came to know its session.</summary>
    protected void EndUnstarted()
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

    /// <summary>On a loop: an actor on the pool has its end on another thread.</summary>
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

    /// <summary>Restarts within the budget what may be restarted, and notes kills, which the session itself is not told
    /// of: whether it is restarted or stopped for one.</summary>
    /// <remarks>The budget is ours: Akka's own goes by a clock that no test can turn, and by numbers that no reload
    /// reaches.</remarks>
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
