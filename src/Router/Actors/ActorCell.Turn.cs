namespace Router.Actors;

/// <summary>The turn: one uninterrupted run of a bounded number of messages.</summary>
internal sealed partial class ActorCell
{
    /// <summary>Most system messages in one turn. 100,000 children that end together tell their parent so;
    /// a loop must reach its sockets in between.</summary>
    private const int SystemMessagesPerTurn = 256;

    void IThreadPoolWorkItem.Execute() => Run();

    public void Run()
    {
        var outer = _currentCell;
        _currentCell = this;
        try
        {
            RunTurn();
        }
        finally
        {
            _currentCell = outer;
        }
    }

    private void RunTurn()
    {
        // In this order: the inbox taken may count the very entry this run has come from.
        var open = CollectInbox();
        if (IsSingleThreaded)
        {
            _entries--;
        }

        if (!open)
        {
            return;
        }

        var systemLeft = SystemMessagesPerTurn;
        var userLeft = _dispatcher.Throughput;
        while (true)
        {
            if (Volatile.Read(ref _status) >= SystemPendingBit)
            {
                Interlocked.And(ref _status, ~SystemPendingBit);
                CollectInbox();
            }

            if ((_flags & CellFlags.SystemWork) != 0 && !RunSystemWork(ref systemLeft))
            {
                break;
            }

            if ((_flags & CellFlags.NoUserMessages) != 0 || userLeft == 0)
            {
                break;
            }

            if (TakeUser() is { } letter)
            {
                userLeft--;
                Invoke(letter);
            }
            else if (IsSingleThreaded || Volatile.Read(ref _inbox) is null || !CollectInbox())
            {
                break;
            }
        }

        EndTurn();
    }

    private void EndTurn()
    {
        if ((_flags & CellFlags.Terminated) != 0)
        {
            return;
        }

        var leftovers = (_flags & CellFlags.SystemWork) != 0
            || (_userHead is not null && (_flags & CellFlags.NoUserMessages) == 0);
        if (IsSingleThreaded)
        {
            if (leftovers)
            {
                EnsureQueued();
            }
        }
        else if (leftovers)
        {
            _dispatcher.Execute(this);
        }
        else
        {
            // From here on another thread may run the cell: nothing but the shared fields may be touched.
            Interlocked.And(ref _status, ~ScheduledBit);
            if (Volatile.Read(ref _inbox) is { } top && !ReferenceEquals(top, Letter.Closed))
            {
                QueueIfIdle();
            }
        }
    }

    /// <summary>Creation, the system lane, then a stop asked for by the own thread.</summary>
    /// <returns>False when the turn's share is used up and work remains.</returns>
    private bool RunSystemWork(ref int systemLeft)
    {
        if ((_flags & CellFlags.CreatePending) != 0)
        {
            _flags &= ~CellFlags.CreatePending;
            Create();
        }

        while (_extras?.SystemHead is not null)
        {
            if (systemLeft-- == 0)
            {
                systemLeft = 0;
                return false;
            }

            Apply(TakeSystem()!);
        }

        if ((_flags & CellFlags.StopPending) != 0)
        {
            _flags &= ~CellFlags.StopPending;
            TerminateSelf();
        }

        if ((_flags & CellFlags.Terminating) != 0 && !StopNextChildren())
        {
            return false;
        }

        if (_extras?.SystemHead is null && (_flags & CellFlags.StopPending) == 0)
        {
            _flags &= ~CellFlags.SystemWork;
        }

        return true;
    }

    private void Apply(SystemMessage message)
    {
        try
        {
            message.Apply(this);
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private void Invoke(Letter letter)
    {
        _current = letter;
        try
        {
            var message = letter.Message!;
            if (message is IAutoReceivedMessage)
            {
                AutoReceive(message);
            }
            else
            {
                ReceiveMessage(message);
            }
        }
        catch (Exception e)
        {
            Fail(e);
        }

        if ((_flags & CellFlags.HasReceiveTimeout) != 0 && letter.Message is not INotInfluenceReceiveTimeout)
        {
            _extras!.ReceiveTimeout?.Touch();
        }

        // A failed turn keeps its message for PreRestart, an unfinished one for the rest of the handler.
        if ((_flags & (CellFlags.Suspended | CellFlags.Awaiting)) == 0)
        {
            ReleaseCurrent();
        }
    }

    private void ReleaseCurrent()
    {
        if (_current is { } letter)
        {
            _current = null;
            MessageDispatcher.LettersOf(MessageDispatcher.BoundToThread).Return(_dispatcher, letter);
        }
    }

    private void ReceiveMessage(object message)
    {
        var handled = (_flags & CellFlags.HasBehaviors) == 0
            ? _actor!.RunReceive(message)
            : _extras!.Behaviors!.Peek()(message);
        if (!handled)
        {
            _actor!.RunUnhandled(message);
        }
    }

    private void AutoReceive(object message)
    {
        switch (message)
        {
            case TimerMessage timer:
                if (_extras?.Timers?.Accept(timer) is { } timed)
                {
                    ReceiveMessage(timed);
                }

                break;
            case ReceiveTimeoutCheck check:
                if (ReferenceEquals(check.State, _extras?.ReceiveTimeout) && check.State.IsDue())
                {
                    ReceiveMessage(Actors.ReceiveTimeout.Instance);
                }

                break;
            case Terminated terminated:
                ReceiveTerminated(terminated);
                break;
            case PoisonPill:
                Stop();
                break;
            case Kill:
                throw new ActorKilledException("Kill");
            case Identify identify:
                Sender.Tell(new ActorIdentity(identify.MessageId, this), this);
                break;
            default:
                ReceiveMessage(message);
                break;
        }
    }

    public void Become(Receive receive)
    {
        var behaviors = Extras.Behaviors ??= new Stack<Receive>();
        if (behaviors.Count > 0)
        {
            behaviors.Pop();
        }

        behaviors.Push(receive);
        _flags |= CellFlags.HasBehaviors;
    }

    public void BecomeStacked(Receive receive)
    {
        var behaviors = Extras.Behaviors ??= new Stack<Receive>();
        if (behaviors.Count == 0)
        {
            behaviors.Push(_actor is { } actor ? actor.RunReceive : Constructed);
        }

        behaviors.Push(receive);
        _flags |= CellFlags.HasBehaviors;

        // Called from a constructor: the instance is known only when the message comes.
        bool Constructed(object message) => _actor!.RunReceive(message);
    }

    public void UnbecomeStacked()
    {
        if (_extras?.Behaviors is { Count: > 1 } behaviors)
        {
            behaviors.Pop();
        }
        else
        {
            // As in Akka: below the last behaviour lies the actor's own Receive.
            if (_extras is { } extras)
            {
                extras.Behaviors = null;
            }

            _flags &= ~CellFlags.HasBehaviors;
        }
    }
}
