using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>The end of a session: asked for once, carried out by its actor's stop, recorded once.</summary>
internal static class SessionEnd
{
    /// <summary>
    /// How long a closed session waits for the peer's own end, so that a late byte of the peer does not turn into a
    /// reset that destroys the last reply under way.
    /// </summary>
    private const int LingerMs = 2_000;

    /// <summary>Ends the session; a stream first sends what is unsent and waits briefly for the peer's end.</summary>
    public static void Begin(SessionContext session, CloseReason reason)
    {
        var loop = session.Loop;
        if (!loop.IsCurrent)
        {
            session.OnLoop(Begin, reason);
            return;
        }

        if (session.Identified?.DefersEnd(reason) == true || !TryBegin(session, reason))
        {
            return;
        }

        if (session is { Carrier: { } carrier, Handler.OwnsStream: false } && carrier.TryLinger(reason))
        {
            session.IsLingering = true;
            loop.Schedule(session, loop.NowMs + LingerMs);
            carrier.Linger();
            return;
        }

        StopActor(session);
    }

    /// <summary>Ends the session without waiting: the stream is broken, or the route has finished it itself.</summary>
    public static void BeginNow(SessionContext session, CloseReason reason)
    {
        if (TryBegin(session, reason) || session.IsLingering)
        {
            StopActor(session);
        }
    }

    /// <summary>There is nothing to wait for: the session ends by its actor's stop.</summary>
    public static void StopActor(SessionContext session)
    {
        session.IsLingering = false;
        session.OnLoop(static session => session.Loop.Cancel(session));   // a session on the pool may end in its turn
        if (session.Shard.Settings.OnPool)
        {
            session.Ref.Tell(PoisonPill.Instance, ActorRefs.NoSender);   // the actor's context is another thread's
        }
        else
        {
            session.Actor?.StopSelf();
        }
    }

    /// <summary>
    /// Runs when the session's actor has stopped, whoever stopped it: the one place where a session ends.
    /// </summary>
    public static void OnActorStopped(SessionContext session)
    {
        TryBegin(session, session.HasFailed ? CloseReason.Failed : session.Shard.EndReason);
        if (session is { HasFailed: true, Failure: { } reason })   // also one that was about to close
        {
            session.OnLoop(static (session, reason) => session.Shard.OnFailed(session, reason), reason);
        }

        try
        {
            session.Handler?.OnClosed(session, session.Closing);
        }
        catch (Exception failure)
        {
            session.OnLoop(static (session, failure) => session.Shard.OnEndFailed(session, failure), failure);
        }
        finally
        {
            session.DisposeOwned();
            session.OnLoop(Complete);
        }
    }

    private static bool TryBegin(SessionContext session, CloseReason reason)
    {
        if (session.IsClosed)
        {
            return false;
        }

        session.Closing = reason;
        session.OnLoop(static session => session.Shard.OnClosing(session));   // actors stop on the pool too
        return true;
    }

    private static void Complete(SessionContext session)
    {
        if (session.HasEnded)
        {
            return;
        }

        session.HasEnded = true;
        session.Loop.Cancel(session);
        session.LeaveSocket();
        session.Carrier?.Release(session.Closing);
        session.Actor = null;
        session.Identified?.OnEnded();
        DropWaiting(session);
        var shard = session.Shard;
        shard.SessionsOpen--;
        shard.SpareSessions.OnEnded();
        shard.OnEnded(session);
        shard.Counters.SessionsClosed++;
        shard.Counters.ClosedBy[(int)session.Closing]++;
        shard.SessionCount.Return();
        shard.Events.Closed(session, session.Closing);
        if (session.PeerAddr.IsUnix)
        {
            UnixNames.Return(session.PeerAddr);
        }
    }

    /// <summary>What still waits in its mailbox is dropped with it.</summary>
    private static void DropWaiting(SessionContext session)
    {
        if (session.WaitingPayloads is > 0 and var waiting)
        {
            session.CountDrop(DropReason.SessionClosed, waiting);
        }

        session.Loop.Buffers.Abandon(session.WaitingBuffers);
    }
}
