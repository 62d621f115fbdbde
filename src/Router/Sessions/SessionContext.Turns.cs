using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>What has the session run: sockets that are ready, and deadlines.</summary>
public sealed partial class SessionContext
{
    /// <summary>Watches a further socket for the route: its readiness comes to <see cref="SessionHandler.OnIo"/>.
    /// </summary>
    /// <returns>0 or a negative errno.</returns>
    internal int Watch(IoSocket socket, IoReadiness interest) => Loop.Register(socket, this, interest);

    void IIoReceiver.OnReady(IoSocket socket, IoReadiness ready)
    {
        if (Pool is { } pool)
        {
            pool.OnReady(ready);
            return;
        }

        var told = socket.Pending != IoReadiness.None;
        socket.Pending |= ready;
        if (!told)
        {
            Loop.Enqueue(socket);   // behind the poll: the clock is read, and those that wait have their turns in order
        }
    }

    void IIoReceiver.OnTurn(IoSocket socket)
    {
        if (Actor is { CanTurnNow: true } actor)
        {
            actor.TurnNow(socket);
        }
        else
        {
            Ref.Tell(socket, ActorRefs.NoSender);
        }
    }

    /// <summary>A deadline may have come nearer. Any thread.</summary>
    internal void Rearm() => this.OnLoop(static session => session.Arm());

    /// <summary>
    /// Puts the session into the wheel at its earliest deadline, if it has one and is not there sooner already. Loop
    /// thread.
    /// </summary>
    internal void Arm()
    {
        var due = NextDeadlineMs();
        if (due != long.MaxValue && !IsClosed && (!IsArmed || TimerDueMs > due))
        {
            Loop.Schedule(this, due);
        }
    }

    /// <summary>Lazy: most often the session was active meanwhile and only moves on in the wheel.</summary>
    internal override void OnTimer()
    {
        if (IsClosed && !IsLingering)
        {
            return;
        }

        var due = IsLingering ? 0 : NextDeadlineMs();
        if (due > Loop.NowMs)
        {
            if (due != long.MaxValue)
            {
                Loop.Schedule(this, due);
            }
        }
        else if (Actor is { CanTurnNow: true } actor && !_shard.Settings.OnPool)
        {
            actor.TickNow();
        }
        else
        {
            Ref.Tell(SessionTick.Instance, ActorRefs.NoSender);
        }
    }

    /// <summary>What ends the session now; <see cref="CloseReason.None"/> if nothing does.</summary>
    internal CloseReason EndDue => _times.EndAt(Loop.NowMs, _shard.Settings);

    /// <summary>Takes the handler's timer back if it is due.</summary>
    internal bool TryTakeTimer()
    {
        var isDue = TimerSetMs >= 0 && Loop.NowMs >= TimerSetMs;
        if (isDue)
        {
            CancelTimer();
        }

        return isDue;
    }

    private long NextDeadlineMs() => _times.NextDeadlineMs(_shard.Settings, TimerSetMs);
}
