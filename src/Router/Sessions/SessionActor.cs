using System.Runtime.ExceptionServices;
using Akka.Actor.Internal;
using Router.Diagnostics;
using Router.Loop;
using Router.Net;

namespace Router.Sessions;

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
/// <para>The context comes as the first message; a restarted actor takes it back from the shard, where its predecessor
/// left it.</para>
/// <para>A <b>direct turn</b> is one that the loop runs at once, past the mailbox: where the actor could take a message
/// this moment, since it is made, neither suspended nor stopping, and nothing waits. What a handler throws there is
/// told to the actor, whose own turn throws it again: so Akka's supervision decides about it, and what comes meanwhile
/// waits behind it. No turn has an ambient context: Akka's would be the listener's in a direct one.</para>
/// <para>An ended session's actor is kept for the next peer where nobody can hold its reference: nobody has read it,
/// found it by its path, or watches it, it has no children and nothing waits.</para>
/// </remarks>
internal sealed class SessionActor : ActorBase
{
    /// <summary>Kept from the beginning: Akka's own is of whose turn it is, which is not this actor's where another
    /// session, a timer or the listener calls it.</summary>
    private readonly ActorCell _cell = (ActorCell)Context;

    private readonly Shard _shard;
    private readonly SessionQueue _queue;
    private SessionContext? _session;
    private readonly bool _isOnLoop;
    private bool _isInTurn;
    private bool _isToStop;

    public SessionActor(Shard shard)
    {
        _shard = shard;
        _queue = (SessionQueue)_cell.Mailbox!.MessageQueue;
        _queue.MessagesMax = shard.Settings.MailboxMessages;
        _isOnLoop = !shard.Settings.OnPool;
        lock (shard.Restarting)   // uncontended on a loop; sessions on the pool restart side by side
        {
            if (shard.Restarting.Count > 0 && shard.Restarting.Remove(_cell.Self, out var session))
            {
                _session = session;
            }
        }
    }

    /// <summary>A turn may be run at once, past the mailbox. Its loop, between turns.</summary>
    public bool CanTurnNow => _queue.CanTurnNow && _session is not null;

    /// <summary>Null for a spare one. Its loop, or who reports that this does not turn.</summary>
    public SessionContext? Session => _session;

    /// <summary>It has no session, and may have one. Its loop, between turns.</summary>
    public bool IsSpare => _queue is { CanTurnNow: true, IsShared: false } && _session is null;

    public bool HasMessages => _queue.HasMessages;

    /// <summary>Ends the actor: at the end of its turn if it is in one or can have one soon, where it may become a
    /// spare one.</summary>
    public void StopSelf()
    {
        if (_isInTurn)
        {
            _isToStop = true;
        }
        else if (CanTurnNow && _shard.KeepsSpares)
        {
            _cell.Self.Tell(StopSession.Instance, ActorRefs.NoSender);
        }
        else
        {
            _cell.Stop(_cell.Self);
        }
    }

    /// <summary>A direct turn with datagrams.</summary>
    public void TurnNow(DatagramRun run)
    {
        var outer = Enter();
        try
        {
            OnRun(run);
        }
        catch (Exception failure)
        {
            OnRunFailed(_session!, run);
            OnTurnFailed(failure);
        }
        finally
        {
            Leave(outer, run);
        }

        StopIfAsked();
    }

    /// <summary>A direct turn with a socket that is ready.</summary>
    public void TurnNow(IoSocket socket)
    {
        var outer = Enter();
        try
        {
            SessionTurn.OnIo(_session!, socket);
        }
        catch (Exception failure)
        {
            OnTurnFailed(failure);
        }
        finally
        {
            Leave(outer, socket);
        }

        StopIfAsked();
    }

    /// <summary>A direct turn for a deadline that has come.</summary>
    public void TickNow()
    {
        var outer = Enter();
        try
        {
            SessionTurn.OnTick(_session!);
        }
        catch (Exception failure)
        {
            OnTurnFailed(failure);
        }
        finally
        {
            Leave(outer, SessionTick.Instance);
        }

        StopIfAsked();
    }

    /// <summary>The session's, in its own turn or one that runs it.</summary>
    public IActorContext OwnContext => _cell;

    /// <summary>Of the message that is handled now; dead letters if there is none, or nobody is named.</summary>
    public IActorRef SenderOfMessage =>
        _cell is { CurrentMessage: not null, Sender: { } sender } ? sender : _cell.System.DeadLetters;

    /// <summary>Goes by no behavior: see where its cell is made.</summary>
    protected override bool AroundReceive(Receive receive, object message) => Receive(message);

    protected override bool Receive(object message)
    {
        var outer = Enter();
        try
        {
            switch (message)
            {
                case DatagramRun run:
                    OnRunTold(run);
                    break;
                case IoSocket socket:
                    if (_session is { } session)
                    {
                        SessionTurn.OnIo(session, socket);
                    }

                    break;
                default:
                    OnOther(message);
                    break;
            }
        }
        catch (Exception failure) when (failure is not HandlerFailedException)
        {
            _queue.Close();   // suspended from here on, until its listener has decided
            _session?.OnFailed(failure);
            throw new HandlerFailedException(failure, MayRestart());
        }
        finally
        {
            Leave(outer, message);
            StopIfAsked();
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
            var failed = session.Handler;
            session.Handler = MayRestart() ? null : EndedHandler.Instance;
            failed?.OnReplaced(session);
            session.DisposeOwned();
            StopChildren();
        }

        lock (session.Shard.Restarting)
        {
            session.Shard.Restarting[_cell.Self] = session;
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
            session.OpenIdentified();
            session.OnRecovered();
        }
        catch (Exception failure)
        {
            // Thrown from here it would be a failed creation, whose actor forgets its session: as a failed message
            // it counts against the budget like any other.
            session.Handler = new UnopenedHandler(failure);
            _cell.Self.Tell(OpenFailed.Instance, ActorRefs.NoSender);
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
                    session.Shard.Restarting.Remove(_cell.Self);   // stopped while the failed handler's children ended
                }
            }

            NoteKill(session);
            SessionEnd.OnActorStopped(session);
        }
    }

    /// <summary>A kill is a failure that meets no handler: its listener, which supervises, has noted it.</summary>
    private void NoteKill(SessionContext session)
    {
        if (session.Shard.Killed.TryRemove(_cell.Self, out var failure) && !session.HasFailed)
        {
            session.OnFailed(failure);
        }
    }

    private void StopChildren()
    {
        foreach (var child in _cell.GetChildren())
        {
            _cell.Unwatch(child);
            _cell.Stop(child);
        }
    }

    private void OnRun(DatagramRun run)
    {
        var session = _session!;
        if (run.Count == 0)
        {
            return;   // its listener has dropped and counted it meanwhile
        }

        session.Traced?.Received(run);

        if (session.IsClosed)
        {
            session.CountDrop(DropReason.SessionClosed, run.Count);
        }
        else
        {
            session.Handler!.OnReceived(session, new PayloadBatch(run));
        }

        Consume(session, run);
    }

    private void OnRunTold(DatagramRun run)
    {
        try
        {
            OnRun(run);
        }
        catch
        {
            OnRunFailed(_session!, run);
            throw;
        }
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
            _queue.PutFirst(run);
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
            case SessionContext { HasBegun: false } spare:
                spare.Actor = this;
                _shard.SpareSessions.OnMade(_shard, spare);
                break;
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

                opened.OpenIdentified();
                break;
            case StopSession:
                _isToStop = true;
                break;
            case TurnFailed failed:
                ExceptionDispatchInfo.Throw(failed.Failure);
                break;
            case var _ when _session is null:
                break;   // it has ended meanwhile, or somebody has found a spare one by its path
            case IdentityMessage said:
                _session!.Identified?.OnMessage(said);
                break;
            case SessionTick:
                SessionTurn.OnTick(_session!);
                break;
            case OpenFailed:
                (_session!.Handler as UnopenedHandler)?.Fail();   // unless a payload came first and has failed by it
                break;
            case DrainSession:
                SessionTurn.Drain(_session!);
                break;
            case RearmSession:
                _session!.Rearm();
                break;
            case RouteChanged changed:
                SessionTurn.OnRouteChanged(_session!, changed.Route);
                break;
            case StreamChunk chunk:
                _session!.Pool!.OnChunk(chunk);
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

    /// <summary>Nothing on the way of a turn may find another actor's context, nor be one's implicit sender.</summary>
    private ActorCell? Enter()
    {
        var outer = InternalCurrentActorCellKeeper.Current;
        InternalCurrentActorCellKeeper.Current = null;
        _isInTurn = true;
        _session?.Traced?.BeginTurn();
        if (_isOnLoop)
        {
            _shard.Loop.BeginTurn(this);
        }

        return outer;
    }

    private void Leave(ActorCell? outer, object about)
    {
        _isInTurn = false;
        _session?.Traced?.EndTurn(about);
        InternalCurrentActorCellKeeper.Current = outer;
        if (_isOnLoop)
        {
            _shard.Loop.EndTurn(this, _shard);
        }
    }

    private void OnTurnFailed(Exception failure)
    {
        _session!.OnFailed(failure);
        _queue.PutFirst(new TurnFailed(failure));
        _cell.Self.Tell(RearmSession.Instance, ActorRefs.NoSender);   // has its mailbox scheduled, and does no harm
    }

    private void StopIfAsked()
    {
        if (!_isToStop)
        {
            return;
        }

        _isToStop = false;
        if (!MayBecomeSpare(_session) || !_shard.SpareSessions.HasRoom(_shard))
        {
            _cell.Stop(_cell.Self);
            return;
        }

        var session = _session!;
        _session = null;
        SessionEnd.OnActorStopped(session);
        if (!MayBecomeSpare(session) || !session.TryGiveAway())
        {
            _cell.Stop(_cell.Self);   // its handler has seen to that in its last call
            return;
        }

        var spare = session.Route.LetsGoOf(session) ? session : new SessionContext();
        spare.Reset(this, _cell.Self);
        _shard.SpareSessions.Keep(_shard, spare);
    }

    private bool MayBecomeSpare(SessionContext? session) =>
        session is { HasFailed: false, IsShared: false }
        && _queue is { CanTurnNow: true, IsShared: false }
        && _cell.ChildrenContainer.Children.Count == 0;

    private bool MayRestart() => _session is { } session
        && (session.Transport.KeepsMessages() && session.Handler is not { OwnsStream: true }
            || session.Handler is { IsRestartSafe: true, OwnsStream: false });
}
