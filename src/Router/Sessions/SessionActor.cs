using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>The session's deadline has come.</summary>
internal sealed class SessionTick
{
    public static readonly SessionTick Instance = new();
}

/// <summary>Asks a session to end now if nothing is under way; told again until it does or time is up.</summary>
internal sealed class DrainSession
{
    public static readonly DrainSession Instance = new();
}

/// <summary>Has a session look at its deadlines again: they may be nearer.</summary>
internal sealed class RearmSession
{
    public static readonly RearmSession Instance = new();
}

/// <summary>Has the sessions of a route look at what it goes by now.</summary>
internal sealed record RouteChanged(Route Route);

/// <summary>Has a session whose fresh handler could not be opened fail, if no payload does.</summary>
internal sealed class OpenFailed
{
    public static readonly OpenFailed Instance = new();
}

/// <summary>Stands in for a fresh handler that could not be opened: whatever it is called for fails.</summary>
internal sealed class UnopenedHandler(Exception failure) : SessionHandler
{
    public override bool IsRestartSafe => true;   // else there would have been no restart

    public void Fail() =>
        throw new InvalidOperationException($"the fresh handler could not be opened: {failure.Message}", failure);

    public override void OnReceived(SessionContext session, PayloadBatch batch) => Fail();

    public override void OnPeerFinished(SessionContext session) => Fail();

    public override void OnMessage(SessionContext session, object message) => Fail();

    public override void OnTimer(SessionContext session) => Fail();

    public override void OnClosed(SessionContext session, CloseReason reason) =>
        session.Route.OnAbandoned(session, reason);
}

/// <summary>Stands in when there will be no other handler: takes what still waits for a session that ends.</summary>
internal sealed class EndedHandler : SessionHandler
{
    public static readonly EndedHandler Instance = new();
}

/// <summary>A handler failed: carries what its listener's supervision decides by.</summary>
internal sealed class HandlerFailedException(Exception reason, bool mayRestart)
    : Exception($"the session's handler failed: {reason.Message}", reason)
{
    public bool MayRestart { get; } = mayRestart;
}

/// <summary>Makes session actors: one for all of a shard's sessions, so that Props are resolved once.</summary>
internal sealed class SessionActorProducer(Shard shard) : IIndirectActorProducer
{
    public Type ActorType => typeof(SessionActor);

    public ActorBase Produce() => new SessionActor(shard);

    public void Release(ActorBase actor)
    {
    }
}

/// <summary>
/// Runs one session: hands its messages to the handler. Holds nothing that a restart must keep: that is the context.
/// </summary>
/// <remarks>
/// The context comes as the first message; a restarted actor takes it back from the shard, where its predecessor left
/// it.
/// </remarks>
internal sealed class SessionActor : ActorBase
{
    /// <summary>Kept from the beginning: Akka's own are of whose turn it is, which is not this actor's where another
    /// session, a timer or the listener calls it.</summary>
    private readonly IActorContext _context = Context;

    private readonly IActorRef _self = Context.Self;
    private SessionContext? _session;

    public SessionActor(Shard shard)
    {
        lock (shard.Restarting)   // uncontended on a loop; sessions on the pool restart side by side
        {
            if (shard.Restarting.Count > 0 && shard.Restarting.Remove(_self, out var session))
            {
                _session = session;
            }
        }
    }

    public void StopSelf() => _context.Stop(_self);

    /// <summary>The session's, in its own turn or one that runs it.</summary>
    public IActorContext OwnContext => _context;

    /// <summary>Of the message that is handled now; dead letters if there is none, or nobody is named.</summary>
    public IActorRef SenderOfMessage =>
        _context is ActorCell { CurrentMessage: not null, Sender: { } sender } ? sender : _context.System.DeadLetters;

    protected override bool Receive(object message)
    {
        try
        {
            switch (message)
            {
                case DatagramRun run:
                    OnRun(run);
                    break;
                case IoSocket socket:
                    _session!.OnIo(socket);
                    break;
                default:
                    OnOther(message);
                    break;
            }
        }
        catch (Exception failure) when (failure is not HandlerFailedException)
        {
            _session?.OnFailed(failure);
            throw new HandlerFailedException(failure, MayRestart());
        }

        return true;
    }

    /// <summary>
    /// Leaves the session where the fresh actor finds it; the failed handler's children end first. PostStop is for the
    /// end, which may come while they do: so the session stays known here too.
    /// Its listener's restart restarts it too, as the children of a restarted actor are: then nothing of it has failed,
    /// and the handler stays.
    /// </summary>
    protected override void PreRestart(Exception reason, object? message)
    {
        if (_session is not { } session)
        {
            return;
        }

        NoteKill(session);
        if (session.HasFailed)
        {
            session.MustEnd = !MayRestart();
            session.Handler?.OnReplaced(session);
            session.DisposeOwned();
            session.Handler = session.MustEnd ? EndedHandler.Instance : null;
            StopChildren();
        }

        lock (session.Shard.Restarting)
        {
            session.Shard.Restarting[_self] = session;
        }
    }

    protected override void PostRestart(Exception reason)
    {
        if (_session is not { } session)
        {
            return;
        }

        session.Actor = this;
        if (!session.HasFailed)
        {
            return;
        }

        if (session.MustEnd)
        {
            session.CloseNow(CloseReason.Failed);   // killed: a failure of its own stops it before it comes here
            return;
        }

        session.OnRestarted(reason);
        try
        {
            Open(session);
            session.OnRecovered();
        }
        catch (Exception failure)
        {
            // Thrown from here it would be a failed creation, whose actor forgets its session: as a failed message
            // it counts against the budget like any other.
            session.Handler = new UnopenedHandler(failure);
            _self.Tell(OpenFailed.Instance, ActorRefs.NoSender);
        }
    }

    protected override void PostStop()
    {
        if (_session is { } session)
        {
            _session = null;
            if (session.Shard.Restarting.Count > 0)   // no less than one if this session is there
            {
                lock (session.Shard.Restarting)
                {
                    session.Shard.Restarting.Remove(_self);   // stopped while the failed handler's children ended
                }
            }

            NoteKill(session);
            session.OnStopped();
        }
    }

    /// <summary>A kill is a failure that meets no handler: its listener, which supervises, has noted it.</summary>
    private void NoteKill(SessionContext session)
    {
        if (session.Shard.Killed.TryRemove(_self, out var failure) && !session.HasFailed)
        {
            session.OnFailed(failure);
        }
    }

    private void StopChildren()
    {
        foreach (var child in _context.GetChildren())
        {
            _context.Unwatch(child);
            _context.Stop(child);
        }
    }

    private void Open(SessionContext session)
    {
        session.Handler = session.Route.CreateHandler(session);
        session.Handler.OnOpened(session);
    }

    private void OnRun(DatagramRun run)
    {
        var session = _session!;
        if (run.Count == 0)
        {
            return;   // its listener has dropped and counted it meanwhile
        }

        if (session.IsClosed)
        {
            session.CountDrop(DropReason.SessionClosed, run.Count);
        }
        else
        {
            try
            {
                session.Handler!.OnReceived(session, new PayloadBatch(run));
            }
            catch
            {
                OnRunFailed(session, run);
                throw;
            }
        }

        Consume(session, run);
    }

    /// <summary>
    /// The payload that the handler failed on is gone, and those before it are handled; those behind it come again, to
    /// the fresh handler.
    /// </summary>
    private void OnRunFailed(SessionContext session, DatagramRun run)
    {
        var (payloads, bytes, lost) = run.SkipHanded();
        session.CountDrop(DropReason.HandlerFailed, lost);
        if (run.IsDetached)
        {
            session.LeavePart(payloads, bytes);
        }

        if (run.Count == 0)
        {
            Consume(session, run);
        }
        else
        {
            _self.Tell(run, ActorRefs.NoSender);
        }
    }

    private static void Consume(SessionContext session, DatagramRun run)
    {
        run.IsConsumed = true;
        if (run.IsDetached)
        {
            session.Leave(run.Count, run.Bytes);
            run.Release();
        }
    }

    private void OnOther(object message)
    {
        switch (message)
        {
            case SessionContext opened:
                lock (opened.Shard.Starting)
                {
                    opened.Shard.Starting.Remove(opened);
                }

                _session = opened;
                opened.Actor = this;
                if (opened.IsClosed)
                {
                    StopSelf();   // its stream could not be watched
                    break;
                }

                Open(opened);
                break;
            case SessionTick:
                _session!.OnTick();
                break;
            case OpenFailed:
                (_session!.Handler as UnopenedHandler)?.Fail();   // unless a payload came first and has failed by it
                break;
            case DrainSession:
                _session!.Drain();
                break;
            case RearmSession:
                _session!.Rearm();
                break;
            case RouteChanged changed:
                OnRouteChanged(_session!, changed.Route);
                break;
            case StreamChunk chunk:
                _session!.OnChunk(chunk);
                break;
            case StreamFinished:
                _session!.Handler!.OnPeerFinished(_session);
                break;
            case StreamDrained:
                _session!.Handler!.OnDrained(_session);
                break;
            default:
                _session!.Handler!.OnMessage(_session, message);
                break;
        }
    }

    private static void OnRouteChanged(SessionContext session, Route route)
    {
        if (session.Route.Involves(route) && !session.IsClosed)
        {
            session.Handler!.OnRouteChanged(session);
        }
    }

    private bool MayRestart()
    {
        return _session is { } session
            && (session.Transport.KeepsMessages() && session.Handler is not { OwnsStream: true }
                || session.Handler is { IsRestartSafe: true, OwnsStream: false });
    }
}
