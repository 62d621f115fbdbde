namespace Router.Actors;

/// <summary>What an actor that failed, or whose child failed, has to remember.</summary>
internal sealed class FaultState
{
    /// <summary>Set while the actor waits for its supervisor's decision: itself, or the child whose failure
    /// it escalated.</summary>
    public ActorRefBase? Perpetrator;

    /// <summary>Suspensions not yet resumed: the actor's own failure and those of its ancestors.</summary>
    public int Suspensions;

    public WaitingFor Waiting;

    public Exception? RestartCause;

    /// <summary>The next child to be told to stop; -1 when all have been.</summary>
    public int StopCursor = -1;

    /// <summary>Of children that have failed.</summary>
    public Dictionary<ActorCell, ChildRestartStats>? Stats;
}

/// <summary>What a cell waits for its stopping children for.</summary>
internal enum WaitingFor
{
    Nothing,
    Restart,
    Creation,
    Termination,
}

/// <summary>Failure, restart and the end.</summary>
internal sealed partial class ActorCell
{
    private FaultState Faults => Extras.Faults ??= new FaultState();

    private bool IsFailed => _extras?.Faults?.Perpetrator is not null;

    internal void Restart(Exception cause) => SendSystem(new RestartRequest(cause));

    internal void Suspend() => SendSystem(new SuspendRequest());

    internal void Resume(Exception? causedByFailure) => SendSystem(new ResumeRequest(causedByFailure));

    /// <summary>The actor has thrown: it is suspended with its children and its supervisor decides.</summary>
    internal void Fail(Exception cause, ActorCell? escalatedFrom = null)
    {
        if ((_flags & (CellFlags.Terminating | CellFlags.Terminated)) != 0)
        {
            PublishError(cause, "Failure of an actor that is stopping: " + cause.Message);
            return;
        }

        if (IsFailed)
        {
            return;
        }

        Faults.Perpetrator = escalatedFrom ?? (ActorRefBase)this;
        SuspendSelf();
        foreach (var child in ChildCells())
        {
            if (!ReferenceEquals(child, escalatedFrom))
            {
                child.Suspend();
            }
        }

        _parent.SendSystem(new ChildFailure(this, cause));
    }

    internal void HandleChildFailure(ActorCell child, Exception cause)
    {
        if (_extras?.Children is not { } children || !children.Contains(child))
        {
            return;
        }

        if ((_flags & CellFlags.Terminating) != 0)
        {
            Stop(child);
            return;
        }

        var stats = Faults.Stats ??= [];
        if (!stats.TryGetValue(child, out var childStats))
        {
            stats[child] = childStats = new ChildRestartStats(child);
        }

        try
        {
            var strategy = _extras.Strategy ??= _props.SupervisorStrategy
                ?? _actor?.RunSupervisorStrategy() ?? SupervisorStrategy.DefaultStrategy;
            if (!strategy.HandleFailure(this, child, cause, childStats, stats, children))
            {
                Fail(cause, escalatedFrom: child);
            }
        }
        catch (Exception e)
        {
            Fail(e, escalatedFrom: child);
        }
    }

    internal void FaultSuspend()
    {
        SuspendSelf();
        foreach (var child in ChildCells())
        {
            child.Suspend();
        }
    }

    internal void FaultResume(Exception? causedByFailure)
    {
        if (_actor is null)
        {
            FaultCreate();
            return;
        }

        var perpetrator = _extras?.Faults?.Perpetrator;
        if (causedByFailure is not null)
        {
            ClearFailure();
        }

        ResumeSelf();
        foreach (var child in ChildCells())
        {
            child.Resume(ReferenceEquals(child, perpetrator) ? causedByFailure : null);
        }
    }

    internal void FaultRecreate(Exception cause)
    {
        if ((_flags & CellFlags.Terminating) != 0)
        {
            return;
        }

        if (_actor is null)
        {
            FaultCreate();
            return;
        }

        var faults = Faults;
        if (faults.Waiting != WaitingFor.Nothing)
        {
            // One restart is under way already; this one only balances its suspension.
            FaultResume(causedByFailure: null);
            return;
        }

        if (faults.Suspensions == 0)
        {
            // Told to restart without having failed (a strategy for all children): suspend until done.
            SuspendSelf();
        }

        var message = _current?.Message;
        try
        {
            _actor.RunPreRestart(cause, message);
        }
        catch (Exception e)
        {
            var wrapped = new PreRestartException(this, e, cause, message);
            PublishError(wrapped, wrapped.Message);
        }

        AbandonAsyncHandler();
        _extras!.Timers?.CancelAll();
        if (_extras.Children is { Stopping: > 0 })
        {
            faults.Waiting = WaitingFor.Restart;
            faults.RestartCause = cause;
        }
        else
        {
            FinishRecreate(cause);
        }
    }

    internal void TerminateSelf()
    {
        if ((_flags & (CellFlags.Terminating | CellFlags.Terminated)) != 0)
        {
            return;
        }

        _flags |= CellFlags.Terminating;
        SetReceiveTimeout(null);
        AbandonAsyncHandler();
        var children = _extras?.Children?.Close() ?? 0;
        if (children == 0)
        {
            FinishTerminate();
            return;
        }

        Faults.Waiting = WaitingFor.Termination;
        Faults.StopCursor = children - 1;
        _flags |= CellFlags.SystemWork;
    }

    private void FinishRecreate(Exception cause)
    {
        var survivors = ChildCells();
        try
        {
            ClearFailure();
            ResumeSelf();
            ReleaseActor();
            _actor = NewActor();
            _actor.RunPostRestart(cause);
            foreach (var child in survivors)
            {
                child.Restart(cause);
            }
        }
        catch (Exception e)
        {
            if (_actor is not null)
            {
                ReleaseActor();
            }

            Fail(new PostRestartException(this, e, cause));
        }
    }

    /// <summary>A restart or resume of an actor that never came to be: try to create it again.</summary>
    private void FaultCreate()
    {
        SetReceiveTimeout(null);
        foreach (var child in ChildCells())
        {
            Stop(child);
        }

        if (_extras?.Children is { Stopping: > 0 })
        {
            Faults.Waiting = WaitingFor.Creation;
        }
        else
        {
            FinishCreate();
        }
    }

    private void FinishCreate()
    {
        ClearFailure();
        ResumeSelf();
        Create();
    }

    private void FinishTerminate()
    {
        if (_extras?.Faults is { } faults)
        {
            faults.Waiting = WaitingFor.Nothing;
        }

        try
        {
            _actor?.RunPostStop();
        }
        catch (Exception e)
        {
            PublishError(e, e.Message);
        }

        try
        {
            if (_actor is not null)
            {
                ReleaseActor();
            }
        }
        catch (Exception e)
        {
            PublishError(e, e.Message);
        }

        _flags |= CellFlags.Terminated;
        ReleaseCurrent();
        CloseMailbox();
        _parent.SendSystem(DeathWatchNotification.Of(this, existenceConfirmed: true));
        TellWatchers();

        // What is left of the cell is its name, for whoever still holds the reference.
        // A limit stays too: a Tell on another thread may be looking at it.
        _extras = _extras is { } extras && (extras.Path is not null || extras.MailboxCapacity > 0)
            ? new CellExtras { Path = extras.Path, MailboxCapacity = extras.MailboxCapacity }
            : null;
        _flags &= ~CellFlags.HasReceiveTimeout;
    }

    private void SuspendSelf()
    {
        Faults.Suspensions++;
        _flags |= CellFlags.Suspended;
    }

    private void ResumeSelf()
    {
        if (_extras?.Faults is { Suspensions: > 0 } faults && --faults.Suspensions == 0)
        {
            _flags &= ~CellFlags.Suspended;
        }
    }

    private void ClearFailure()
    {
        if (_extras?.Faults is { } faults)
        {
            faults.Perpetrator = null;
        }

        // An unfinished asynchronous handler still needs its message.
        if ((_flags & CellFlags.Awaiting) == 0)
        {
            ReleaseCurrent();
        }
    }
}
