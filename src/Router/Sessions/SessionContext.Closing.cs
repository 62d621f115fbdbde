using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>The end of a session: asked for once, carried out by its actor's stop, recorded once.</summary>
public sealed partial class SessionContext
{
    /// <summary>
    /// How long a closed session waits for the peer's own end, so that a late byte of the peer does not turn into a
    /// reset that destroys the last reply under way.
    /// </summary>
    private const int LingerMs = 2_000;

    private bool _ended;

    internal bool IsLingering { get; private set; }

    /// <summary>
    /// The handler failed and no fresh one is in place yet: if the actor stops now, the session has failed.
    /// </summary>
    internal bool HasFailed { get; set; }

    /// <summary>It has failed, and is a stream that may not go on with a fresh handler.</summary>
    internal bool MustEnd { get; set; }

    /// <summary>Ends the session; a stream first sends what is unsent and waits briefly for the peer's end.</summary>
    internal void Close(CloseReason reason)
    {
        if (!Loop.IsCurrent)
        {
            OnLoop(static (session, reason) => session.Close(reason), reason);
            return;
        }

        if (!BeginClose(reason))
        {
            return;
        }

        if (_carrier is { } carrier && Handler is { OwnsStream: false } && carrier.TryLinger(reason))
        {
            IsLingering = true;
            Loop.Schedule(this, Loop.NowMs + LingerMs);
            carrier.Linger();
            return;
        }

        StopActor();
    }

    /// <summary>Ends the session without waiting: the stream is broken, or the route has finished it itself.</summary>
    internal void CloseNow(CloseReason reason)
    {
        if (BeginClose(reason))
        {
            StopActor();
        }
        else if (IsLingering)
        {
            StopActor();
        }
    }

    /// <summary>The listener drains: has the session end in a turn of its own if nothing is under way now.</summary>
    /// <returns>Whether it was told so.</returns>
    internal bool TellDrain()
    {
        // On the pool the handler is another thread's; it is the program's, and such a one is never done by itself.
        var mayEnd = _shard is { IsDraining: true, Settings.OnPool: false }
            && Handler is { } handler && handler.MayEndNow(this);
        if (!mayEnd)
        {
            return false;
        }

        Ref.Tell(DrainSession.Instance, ActorRefs.NoSender);
        return true;
    }

    /// <summary>The listener drains: ends if nothing is under way.</summary>
    internal void Drain()
    {
        if (Handler is { } handler && handler.MayEndNow(this))
        {
            Close(_shard.EndReason);
        }
    }

    /// <summary>
    /// Runs when the session's actor has stopped, whoever stopped it: the one place where a session ends.
    /// </summary>
    internal void OnStopped()
    {
        BeginClose(HasFailed ? CloseReason.Failed : _shard.EndReason);
        if (HasFailed && _extras?.Failure is { } reason)   // also one that was about to close
        {
            OnLoop(static (session, reason) => session._shard.OnFailed(session, reason), reason);
        }

        try
        {
            Handler?.OnClosed(this, Closing);
        }
        catch (Exception failure)
        {
            OnLoop(static (session, failure) => session._shard.OnEndFailed(session, failure), failure);
        }
        finally
        {
            DisposeOwned();
            OnLoop(static session => session.End());
        }
    }

    /// <summary>The handler has failed: unless a fresh one takes over, that is what the session ends by.</summary>
    internal void OnFailed(Exception failure)
    {
        HasFailed = true;
        Extras.Failure = failure;
    }

    /// <summary>A fresh handler is in place.</summary>
    internal void OnRecovered()
    {
        HasFailed = false;
        if (_extras is { } extras)
        {
            extras.Failure = null;
        }
    }

    /// <summary>A fresh handler takes over.</summary>
    internal void OnRestarted(Exception reason)
    {
        Extras.Restarts++;
        OnLoop(static (session, reason) => session._shard.OnRestarted(session, reason), reason);
    }

    private bool BeginClose(CloseReason reason)
    {
        if (IsClosed)
        {
            return false;
        }

        Closing = reason;
        OnLoop(static session => session._shard.OnClosing(session));   // actors stop on the pool too
        return true;
    }

    /// <summary>There is nothing to wait for: the session ends by its actor's stop.</summary>
    internal void StopActor()
    {
        IsLingering = false;
        Loop.Cancel(this);
        if (_shard.Settings.OnPool)
        {
            Ref.Tell(PoisonPill.Instance, ActorRefs.NoSender);   // the actor's context is another thread's
        }
        else
        {
            Actor?.StopSelf();
        }
    }

    private void End()
    {
        if (_ended)
        {
            return;
        }

        _ended = true;
        Loop.Cancel(this);
        LeaveSocket();
        _carrier?.Release(Closing);
        Actor = null;
        LeaveAll();
        _shard.SessionsOpen--;
        _shard.SpareSessions.OnEnded();
        _shard.OnEnded(this);
        _shard.Counters.SessionsClosed++;
        _shard.SessionCount.Return();
        _shard.Events.Closed(this, Closing);
        if (PeerAddr.IsUnix)
        {
            UnixNames.Return(PeerAddr);
        }
    }

    /// <summary>What still waits in its mailbox is dropped with it.</summary>
    private void LeaveAll()
    {
        if (_extras is not { } extras)
        {
            return;
        }

        if (extras.WaitingMessages is > 0 and var waiting)
        {
            CountDrop(DropReason.SessionClosed, waiting);
        }

        Loop.Buffers.Abandon(extras.WaitingBuffers);
    }
}
