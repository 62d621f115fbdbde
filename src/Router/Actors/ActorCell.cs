namespace Router.Actors;

/// <summary>One actor: its reference, its mailbox and its state machine in one object, so that an idle actor
/// is about a hundred bytes. Rare parts live in <see cref="CellExtras"/>.</summary>
/// <remarks>
/// Threads: any thread may call what the reference offers; everything else runs in the cell's turn, of which
/// there is one at a time. Fields are the turn's own unless said otherwise.
/// </remarks>
internal sealed partial class ActorCell : ActorRefBase, IActorContext, IRunnable
{
    [ThreadStatic]
    private static ActorCell? _currentCell;

    [ThreadStatic]
    private static ActorCell? _constructing;

    private MessageDispatcher _dispatcher;   // this and the next four are fixed from Init on
    private ActorRefBase _parent;
    private Props _props;
    private int _uid;
    private int _automaticNumber;
    private ActorBase? _actor;
    private CellExtras? _extras;
    private Letter? _current;
    private CellFlags _flags;

    /// <summary>Makes the cell of an actor to come; <see cref="Init"/> gives it a place.</summary>
    public ActorCell() => (_dispatcher, _parent, _props) = (null!, null!, null!);

    /// <summary>Makes it somebody's child, once; <see cref="Start"/> gives it its first turn.</summary>
    /// <param name="parent">Who supervises it.</param>
    /// <param name="props">The recipe.</param>
    /// <param name="resolved">What the recipe comes to in this system.</param>
    /// <param name="name">An explicit name, or null for <paramref name="automaticNumber"/>'s.</param>
    /// <param name="automaticNumber">Which of its parent's unnamed children it is.</param>
    public void Init(ActorRefBase parent, Props props, ResolvedProps resolved, string? name, int automaticNumber)
    {
        if (_parent is not null)
        {
            throw new InvalidOperationException($"{this} has a parent.");
        }

        _parent = parent;
        _props = props;
        _dispatcher = resolved.Dispatcher;
        _automaticNumber = automaticNumber;
        _uid = resolved.System.NextUid();
        _flags = CellFlags.CreatePending | CellFlags.SystemWork;
        if (_dispatcher.IsSingleThreaded)
        {
            _flags |= CellFlags.SingleThreaded;
        }

        if (name is not null || resolved.MailboxCapacity > 0)
        {
            _extras = new CellExtras
            {
                Path = name is null ? null : parent.Path.Child(name, _uid),
                MailboxCapacity = resolved.MailboxCapacity,
            };
            if (resolved.MailboxCapacity > 0)
            {
                _flags |= CellFlags.Bounded;
            }
        }
    }

    /// <summary>The cell whose turn the current thread runs, or null.</summary>
    public static ActorCell? Current
    {
        get => _currentCell;

        // For the test kit, whose test thread tells in the name of the test actor.
        internal set => _currentCell = value;
    }

    /// <summary>The cell for which the current thread constructs an actor, or null.</summary>
    public static ActorCell? Constructing => _constructing;

    /// <summary>Unnamed children have no path stored: it is made from their number when asked for.</summary>
    public override ActorPath Path => _extras?.Path ?? _parent.Path.Child(Name, _uid);

    public IActorRef Self => this;

    public IActorRef Parent => _parent;

    public IActorRef Sender => _current?.Sender ?? System.DeadLetters;

    public Props Props => _props;

    public MessageDispatcher Dispatcher => _dispatcher;

    ActorSystem IActorContext.System => System;

    internal override ActorSystem System => _dispatcher.System;

    internal override bool IsTerminated => ReferenceEquals(Volatile.Read(ref _inbox), Letter.Closed);

    internal ActorRefBase ParentRef => _parent;

    internal string Name => _extras?.Path?.Name ?? AutomaticName.Of(_automaticNumber);

    /// <summary>The actor instance, null before construction and after the end. For the test kit.</summary>
    internal ActorBase? UnderlyingActor => _actor;

    /// <summary>The message being handled and its sender.</summary>
    internal Envelope CurrentEnvelope => _current is { } letter
        ? new Envelope(letter.Message!, Sender)
        : throw new InvalidOperationException("No message is being handled.");

    private CellExtras Extras => _extras ??= new CellExtras();

    public IActorRef ActorOf(Props props, string? name = null) => MakeChild(props, name);

    public override int GetHashCode() => _uid;

    internal ITimerScheduler Timers => Extras.Timers ??= new TimerScheduler(this);

    /// <summary>Constructs the actor and runs its <c>PreStart</c>; the cell's first work.</summary>
    private void Create()
    {
        try
        {
            _actor = _actor is { } prepared ? Equip(prepared) : NewActor();
            _actor.RunPreStart();
        }
        catch (Exception e)
        {
            // An actor whose PreStart failed never started: it gets no PostStop, as in Akka.
            if (_actor is not null)
            {
                ReleaseActor();
            }

            Fail(e as ActorInitializationException
                ?? new ActorInitializationException(this, "Exception during creation", e));
        }
    }

    private ActorBase NewActor()
    {
        var outer = _constructing;
        _constructing = this;
        ResetBehaviors();
        ActorBase? actor;
        try
        {
            actor = _props.NewActor();
        }
        finally
        {
            _constructing = outer;
        }

        if (actor is null || !ReferenceEquals(actor.Cell, this))
        {
            throw new ActorInitializationException(
                this, "The producer must return a new instance each time, made while it is called.");
        }

        return Equip(actor);
    }

    private ActorBase Equip(ActorBase actor)
    {
        if (actor is IWithTimers timed)
        {
            timed.Timers = Timers;
        }

        if (actor is IWithStash stashing)
        {
            stashing.Stash = Extras.Stash ??= new Stash(this);
        }

        return actor;
    }

    /// <summary>The instance is done: its timers, its behaviours and what its producer holds for it.</summary>
    private void ReleaseActor()
    {
        var actor = _actor!;
        _actor = null;
        if (_extras is { } extras)
        {
            extras.Timers?.CancelAll();
            extras.Strategy = null;
        }

        AbandonAsyncHandler();
        ResetBehaviors();
        _props.Release(actor);
    }

    private void ResetBehaviors()
    {
        if ((_flags & CellFlags.HasBehaviors) != 0)
        {
            _flags &= ~CellFlags.HasBehaviors;
            _extras!.Behaviors = null;
        }
    }

    private void PublishError(Exception cause, string message) =>
        System.EventStream.Publish(new Error(cause, Path.ToString(), _props.Type, message));
}

/// <summary>The turn's own bits of an <see cref="ActorCell"/>.</summary>
[Flags]
internal enum CellFlags
{
    /// <summary>The first turn has not come yet.</summary>
    CreatePending = 1 << 0,

    /// <summary>Something waits that goes before user messages.</summary>
    SystemWork = 1 << 1,

    /// <summary>Told to stop, by its own thread.</summary>
    StopPending = 1 << 2,

    /// <summary>Failed, or an ancestor did: no user messages until a resume or a restart.</summary>
    Suspended = 1 << 3,

    /// <summary>An asynchronous handler has not finished.</summary>
    Awaiting = 1 << 4,

    /// <summary>Stopping: waits for its children.</summary>
    Terminating = 1 << 5,

    Terminated = 1 << 6,

    /// <summary>Behaviours other than the actor's own <c>Receive</c> are in force.</summary>
    HasBehaviors = 1 << 7,

    HasReceiveTimeout = 1 << 8,

    /// <summary>Fixed: the dispatcher has one thread.</summary>
    SingleThreaded = 1 << 9,

    /// <summary>Fixed: the mailbox has a limit.</summary>
    Bounded = 1 << 10,

    /// <summary>While any of these is set no user message is handled.</summary>
    NoUserMessages = CreatePending | Suspended | Awaiting | Terminating | Terminated | SystemWork,
}
