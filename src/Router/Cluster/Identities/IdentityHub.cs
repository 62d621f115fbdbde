using Router.Sessions;

namespace Router.Cluster.Identities;

/// <summary>A member's hub: between its sessions and the identities' entities. Runs <see cref="HubState"/>.</summary>
internal class IdentityHub : UntypedActor, IWithTimers, IHubWorld
{
    /// <summary>Whoever asked for a list has given up by then.</summary>
    private static readonly TimeSpan ListFor = TimeSpan.FromSeconds(3);

    private readonly IActorRef _entities;
    private readonly IIdentityMembers _members;
    private readonly IActorContext _context = Context;
    private readonly HubState _state;
    private readonly List<IActorRef> _waiters = [];

    /// <param name="entities">What takes messages to identities: the shard region.</param>
    /// <param name="figures">Told of what the hub has.</param>
    /// <param name="members">Who is in the cluster.</param>
    /// <param name="place">This member.</param>
    public IdentityHub(IActorRef entities, HubFigures figures, IIdentityMembers members, Place place)
    {
        (_entities, _members, Place) = (entities, members, place);
        _state = figures.State ??= new HubState(this);
        _state.GoOnIn(this);
        Figures = figures;
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public TimeSpan Now => _context.System.Scheduler.MonotonicClock;

    private HubFigures Figures { get; }

    public Place Place { get; }

    public bool MayRemovedSend => _members.MayRemovedSend;

    public static Props PropsOf(IActorRef entities, HubFigures figures, IIdentityMembers members, Place place) =>
        Props.Create<IdentityHub>(entities, figures, members, place);

    public void ToIdentity(IToIdentity message) => _entities.Tell(message, _context.Self);

    public void ToSession(IActorRef session, IdentityMessage message, IActorRef? sender) =>
        session.Tell(message, sender);

    public void CountLostDetach() => Figures.CountLostDetach();

    protected override void PreStart() => StartTicking();

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case AttachSession attach:
                _state.On(attach);
                break;
            case SaveCheckpoint save:
                _state.On(save);
                break;
            case EndSession ended:
                _state.On(ended);
                break;
            case IToHub told:
                _state.On(told, AddressOf(_context.Sender));
                break;
            case MemberGone gone:
                _state.OnMemberRemoved(gone.Address);
                break;
            case TickNow:
                _state.OnTick();
                break;
            case WhenHubIsQuiet:
                _waiters.Add(_context.Sender);
                break;
            case ListIdentities wanted:
                Step(new ListUnderWay(_state.Walk(wanted), _context.Sender, Now + ListFor));
                break;
            case ListUnderWay list:
                Step(list);
                break;
            case FindIdentity wanted:
                _context.Sender.Tell(_state.Find(wanted), ActorRefs.NoSender);
                break;
            default:
                Unhandled(message);
                break;
        }

        StartTicking();
        if (_waiters.Count > 0 && _state.IsQuiet)
        {
            _waiters.ForEach(static waiter => waiter.Tell(HubIsQuiet.Instance, ActorRefs.NoSender));
            _waiters.Clear();
        }
    }

    /// <summary>An entity's member: a local reference has no host of its own.</summary>
    protected virtual Address AddressOf(IActorRef entity) =>
        entity.Path.Address.HasGlobalScope ? entity.Path.Address : Place.Address;

    /// <summary>What has come meanwhile has its turn between two steps.</summary>
    private void Step(ListUnderWay list)
    {
        if (list.Walk.Step() is { } answer)
        {
            list.Asker.Tell(answer, ActorRefs.NoSender);
        }
        else if (Now < list.Until)
        {
            _context.Self.Tell(list, ActorRefs.NoSender);
        }
    }

    private void StartTicking()
    {
        if (_state.IsQuiet == Timers.IsTimerActive(nameof(TickNow)))
        {
            if (_state.IsQuiet)
            {
                Timers.Cancel(nameof(TickNow));
            }
            else
            {
                Timers.StartPeriodicTimer(nameof(TickNow), TickNow.Instance, HubState.Tick);
            }
        }
    }

    private sealed record ListUnderWay(HubWalk Walk, IActorRef Asker, TimeSpan Until);

    private sealed class TickNow
    {
        public static readonly TickNow Instance = new();
    }
}

/// <summary>Asks a hub for <see cref="HubIsQuiet"/>, when all that its sessions had to say is acknowledged.</summary>
internal sealed class WhenHubIsQuiet
{
    public static readonly WhenHubIsQuiet Instance = new();
}

internal sealed class HubIsQuiet
{
    public static readonly HubIsQuiet Instance = new();
}

/// <summary>A member is out of the cluster, and what was on it is gone.</summary>
internal sealed record MemberGone(Address Address);

/// <summary>Figures of a member's hub. Any thread; what the hub has may be a little old.</summary>
internal sealed class HubFigures
{
    private long _lostDetaches;

    public HubState? State { get; set; }

    public int Attached => State?.Attached ?? 0;

    public int Waiting => State?.Waiting ?? 0;

    public long LostDetaches => Interlocked.Read(ref _lostDetaches);

    public void CountLostDetach() => Interlocked.Increment(ref _lostDetaches);
}
