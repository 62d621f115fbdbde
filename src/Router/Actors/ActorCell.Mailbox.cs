namespace Router.Actors;

/// <summary>The mailbox: how letters come in and how the cell gets onto its dispatcher.</summary>
/// <remarks>
/// <para>Two ways in. <b>Inbox</b>: a stack that any thread pushes on with one compare-exchange; a turn takes
/// it whole. <b>Lanes</b>: plain lists of user letters and of system letters, the turn's own. On a
/// single-threaded dispatcher Tells from its thread go to the lanes directly: no atomic operation, pooled
/// letters. Before such a Tell the inbox is emptied into the lanes, so that a sender who moved from another
/// thread to this one keeps its order.</para>
/// <para>Who queues the cell. <b>Many threads</b>: the bit <see cref="ScheduledBit"/>; whoever sets it queues
/// the cell, the turn clears it at its end and then looks at the inbox once more, so no push is lost.
/// <b>One thread</b>: a push onto an empty inbox queues the cell, and so does a local Tell when
/// <see cref="_entries"/> is 0. That field is exact: entries of this cell in the run queue, counting those
/// a foreign pusher is just about to make (every inbox taken non-empty stands for one). So each entry is
/// accounted for and the queue never fills with copies of one cell.</para>
/// <para>The end: the inbox becomes <see cref="Letter.Closed"/> in one exchange; what comes later is a dead
/// letter. A push therefore lands either in what the end collects or among the dead letters.</para>
/// </remarks>
internal sealed partial class ActorCell
{
    private const int ScheduledBit = 1;
    private const int SystemPendingBit = 2;

    /// <summary>Letters from other threads, newest on top. Any thread.</summary>
    private Letter? _inbox;

    /// <summary>Scheduled and SystemPending. Any thread, atomically.</summary>
    private int _status;

    private Letter? _userHead;
    private Letter? _userTail;
    private int _entries;

    private bool IsSingleThreaded => (_flags & CellFlags.SingleThreaded) != 0;

    public override void Tell(object message, IActorRef? sender)
    {
        if (message is null)
        {
            throw new InvalidMessageException("Message is null.");
        }

        if ((_flags & CellFlags.Bounded) != 0 && !ReservePlace(message))
        {
            System.PublishDeadLetter(message, sender, this);
            return;
        }

        var bound = MessageDispatcher.BoundToThread;
        if (ReferenceEquals(bound, _dispatcher))
        {
            TellLocal(message, sender);
        }
        else if (!Push(MessageDispatcher.LettersOf(bound).Rent(_dispatcher, message, sender)))
        {
            System.PublishDeadLetter(message, sender, this);
        }
    }

    internal override void SendSystem(SystemMessage message)
    {
        if (ReferenceEquals(MessageDispatcher.BoundToThread, _dispatcher))
        {
            if (CollectInbox())
            {
                AppendSystem(message);
                EnsureQueued();
            }
            else
            {
                message.ApplyToTerminated(this);
            }
        }
        else if (Push(message))
        {
            Interlocked.Or(ref _status, SystemPendingBit);
        }
        else
        {
            message.ApplyToTerminated(this);
        }
    }

    internal override void Stop()
    {
        if (!ReferenceEquals(MessageDispatcher.BoundToThread, _dispatcher))
        {
            SendSystem(new StopRequest());
        }
        else if ((_flags & (CellFlags.StopPending | CellFlags.Terminating | CellFlags.Terminated)) == 0)
        {
            _flags |= CellFlags.StopPending | CellFlags.SystemWork;
            EnsureQueued();
        }
    }

    /// <summary>Queues the cell for its first turn. Called once, by whoever made it.</summary>
    internal void Start()
    {
        _status = ScheduledBit;
        _entries = 1;
        _dispatcher.Execute(this);
    }

    /// <summary>Puts a message in front of all others waiting. In the cell's turn.</summary>
    internal void Prepend(Envelope envelope)
    {
        if ((_flags & CellFlags.Bounded) != 0)
        {
            Interlocked.Increment(ref _extras!.MailboxCount);
        }

        var letter = MessageDispatcher.LettersOf(MessageDispatcher.BoundToThread)
            .Rent(_dispatcher, envelope.Message, envelope.Sender);
        letter.Next = _userHead;
        _userHead = letter;
        _userTail ??= letter;
    }

    private void TellLocal(object message, IActorRef? sender)
    {
        if (Volatile.Read(ref _inbox) is not null && !CollectInbox())
        {
            System.PublishDeadLetter(message, sender, this);
            return;
        }

        AppendUser(MessageDispatcher.LettersOf(_dispatcher).Rent(_dispatcher, message, sender));
        EnsureQueued();
    }

    private void EnsureQueued()
    {
        if (_entries == 0)
        {
            _entries = 1;
            _dispatcher.Execute(this);
        }
    }

    /// <summary>Pushes onto the inbox and sees to it that a turn comes.</summary>
    /// <returns>False when the cell has terminated.</returns>
    private bool Push(Letter letter)
    {
        letter.IsFromElsewhere = IsSingleThreaded;
        var top = Volatile.Read(ref _inbox);
        while (true)
        {
            if (ReferenceEquals(top, Letter.Closed))
            {
                return false;
            }

            letter.Next = top;
            var seen = Interlocked.CompareExchange(ref _inbox, letter, top);
            if (ReferenceEquals(seen, top))
            {
                break;
            }

            top = seen;
        }

        if (!IsSingleThreaded)
        {
            QueueIfIdle();
        }
        else if (top is null)
        {
            _dispatcher.Execute(this);
        }

        return true;
    }

    private void QueueIfIdle()
    {
        // The plain read spares busy actors the atomic operation. It comes after the push's full fence.
        if ((Volatile.Read(ref _status) & ScheduledBit) == 0
            && (Interlocked.Or(ref _status, ScheduledBit) & ScheduledBit) == 0)
        {
            _dispatcher.Execute(this);
        }
    }

    /// <summary>Moves the inbox into the lanes, oldest first. In the cell's turn, or on its one thread.</summary>
    /// <returns>False when the cell has terminated.</returns>
    private bool CollectInbox()
    {
        if (Volatile.Read(ref _inbox) is not { } seen)
        {
            return true;
        }

        if (ReferenceEquals(seen, Letter.Closed))
        {
            return false;
        }

        Distribute(Interlocked.Exchange(ref _inbox, null));
        return true;
    }

    private void Distribute(Letter? top)
    {
        if (top is null)
        {
            return;
        }

        _entries++;
        Letter? oldest = null;
        while (top is not null)
        {
            var next = top.Next;
            top.Next = oldest;
            oldest = top;
            top = next;
        }

        while (oldest is not null)
        {
            var next = oldest.Next;
            oldest.Next = null;
            if (oldest is SystemMessage system)
            {
                AppendSystem(system);
            }
            else
            {
                AppendUser(oldest);
            }

            oldest = next;
        }
    }

    private void AppendUser(Letter letter)
    {
        if (_userTail is null)
        {
            _userHead = letter;
        }
        else
        {
            _userTail.Next = letter;
        }

        _userTail = letter;
    }

    private void AppendSystem(SystemMessage message)
    {
        var extras = Extras;
        if (extras.SystemTail is null)
        {
            extras.SystemHead = message;
        }
        else
        {
            extras.SystemTail.Next = message;
        }

        extras.SystemTail = message;
        _flags |= CellFlags.SystemWork;
    }

    private SystemMessage? TakeSystem()
    {
        var extras = _extras;
        var message = extras?.SystemHead;
        if (message is not null)
        {
            extras!.SystemHead = (SystemMessage?)message.Next;
            extras.SystemTail = extras.SystemHead is null ? null : extras.SystemTail;
            message.Next = null;
        }

        return message;
    }

    private Letter? TakeUser()
    {
        var letter = _userHead;
        if (letter is not null)
        {
            _userHead = letter.Next;
            if (_userHead is null)
            {
                _userTail = null;
            }

            letter.Next = null;
            if ((_flags & CellFlags.Bounded) != 0)
            {
                Interlocked.Decrement(ref _extras!.MailboxCount);
            }
        }

        return letter;
    }

    private bool ReservePlace(object message)
    {
        // The kernel's own messages count but are never refused: a lost Terminated or timer cannot be made up.
        var extras = _extras!;
        if (Interlocked.Increment(ref extras.MailboxCount) <= extras.MailboxCapacity
            || message is IAutoReceivedMessage)
        {
            return true;
        }

        Interlocked.Decrement(ref extras.MailboxCount);
        return false;
    }

    /// <summary>Closes the mailbox for good; what waited becomes dead letters, in order.</summary>
    private void CloseMailbox()
    {
        Distribute(Interlocked.Exchange(ref _inbox, Letter.Closed));
        while (TakeUser() is { } letter)
        {
            System.PublishDeadLetter(letter.Message!, letter.Sender, this);
        }

        while (TakeSystem() is { } message)
        {
            message.ApplyToTerminated(this);
        }
    }
}
