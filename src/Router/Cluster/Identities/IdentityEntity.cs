using Akka.Cluster.Sharding;
using Router.Cluster.Checkpoints;

namespace Router.Cluster.Identities;

/// <summary>What the entities of a member share.</summary>
/// <param name="Store">Where checkpoints are kept.</param>
/// <param name="Members">Who is in the cluster.</param>
/// <param name="Limits">As configured.</param>
/// <param name="Counters">Their figures.</param>
/// <param name="Inherited">What other members have handed over.</param>
internal sealed record IdentityEnvironment(
    IIdentityStore Store,
    IIdentityMembers Members,
    IdentityLimits Limits,
    IdentityCounters Counters,
    InheritedIdentities Inherited)
{
    /// <summary>Those that nobody speaks for.</summary>
    public RestingIdentities Resting { get; } = new(Inherited.Time);

    /// <summary>Who hands an entity over; set once it is there.</summary>
    public IActorRef HandOver { get; set; } = ActorRefs.Nobody;
}

/// <summary>Who is in the cluster, as entities see it. Any thread.</summary>
internal interface IIdentityMembers
{
    bool MayDecide { get; }

    bool MayHaveLostEntities { get; }

    /// <summary>A member is out of the cluster that this one may have let send until now.</summary>
    bool MayRemovedSend { get; }

    IReadOnlyCollection<(Place Place, IActorRef Hub)> Hubs { get; }

    /// <summary>Where members take over what others hand over.</summary>
    IReadOnlyCollection<(Place Place, IActorRef Actor)> HandOvers { get; }

    bool IsGone(Place place);
}

/// <summary>Figures of a member's entities. Any thread.</summary>
internal sealed class IdentityCounters
{
    private long _entities;
    private long _attached;
    private long _superseded;
    private long _queued;
    private long _queueDrops;
    private long _storeFailures;

    public long Entities => Interlocked.Read(ref _entities);

    /// <summary>Attachments since the start.</summary>
    public long Attached => Interlocked.Read(ref _attached);

    /// <summary>Those that took another session's place.</summary>
    public long Superseded => Interlocked.Read(ref _superseded);

    /// <summary>Messages that wait for sessions now.</summary>
    public long Queued => Interlocked.Read(ref _queued);

    public long QueueDrops => Interlocked.Read(ref _queueDrops);

    public long StoreFailures => Interlocked.Read(ref _storeFailures);

    public void AddEntities(int count) => Interlocked.Add(ref _entities, count);

    public void AddQueued(int count) => Interlocked.Add(ref _queued, count);

    public void CountAttached(bool isSupersede)
    {
        Interlocked.Increment(ref _attached);
        if (isSupersede)
        {
            Interlocked.Increment(ref _superseded);
        }
    }

    public void CountQueueDrop() => Interlocked.Increment(ref _queueDrops);

    public void CountStoreFailure() => Interlocked.Increment(ref _storeFailures);
}

/// <summary>Makes the entities of a member: one for all, so that each is spared Props of its own.</summary>
internal sealed class IdentityEntityProducer(IdentityEnvironment environment) : IIndirectActorProducer
{
    public Type ActorType => typeof(IdentityEntity);

    public ActorBase Produce() => new IdentityEntity(environment);

    public void Release(ActorBase actor)
    {
    }
}

/// <summary>One identity in the whole cluster: runs <see cref="IdentityState"/>.</summary>
internal sealed class IdentityEntity : UntypedActor, IIdentityWorld, ICheckpointOwner
{
    private readonly IdentityEnvironment _environment;
    private readonly string _identity;
    private readonly IdentityState _state;
    private readonly IActorContext _context = Context;
    private readonly IActorRef _self = Context.Self;
    private ICancelable? _wake;
    private int _wakes;   // asked for so far: an earlier one may be in the mailbox when it is taken back
    private bool _isRestarted;     // who speaks for the identity is forgotten
    private bool _isMoving;
    private bool _isHandedOver;
    private int _queued;           // as counted
    private TimeSpan? _keptAt;     // when it was last given a checkpoint
    private (Attachment Session, long Revision)? _waits;   // for its checkpoint to be kept

    /// <summary>Akka.Cluster.Sharding names it by its identity.</summary>
    public IdentityEntity(IdentityEnvironment environment)
    {
        (_identity, _environment) = (Uri.UnescapeDataString(_self.Path.Name), environment);
        _state = new IdentityState(_identity, this, environment.Limits);
        environment.Counters.AddEntities(1);
    }

    /// <summary>A restarted entity has forgotten what it was handed: its session tells it.</summary>
    protected override void PreStart() => Inherit();

    protected override void PostRestart(Exception reason)
    {
        _isRestarted = true;
        base.PostRestart(reason);
    }

    public bool MayDecide => _environment.Members.MayDecide;

    public bool MayHaveLostEntities => _isRestarted || _environment.Members.MayHaveLostEntities;

    public IReadOnlyCollection<(Place Place, IActorRef Hub)> Hubs => _environment.Members.Hubs;

    public bool IsGone(Place place) => _environment.Members.IsGone(place);

    public void Send(IActorRef hub, IToHub message) => hub.Tell(message, _context.Self);

    public void Claim(long lowestEpoch)
    {
        if (_environment.Store.Claim(_identity, lowestEpoch, this) is { } claimed)
        {
            _state.OnClaimed(claimed);
        }
    }

    public void Save(Checkpoint checkpoint, Attachment? asker)
    {
        _keptAt = _context.System.Scheduler.MonotonicClock;
        if (asker is not null)
        {
            _waits = (asker, checkpoint.Revision);
        }

        if (_environment.Store.Write(checkpoint, this) is { } result)
        {
            OnResult(checkpoint.Revision, result);
        }
    }

    public void Keep(Checkpoint checkpoint) => _environment.Store.Keep(checkpoint);

    public void Forget(long epoch) => _environment.Store.Forget(_identity, epoch);

    void ICheckpointOwner.OnClaimed(Checkpoint claimed) => _self.Tell(new Claimed(claimed), ActorRefs.NoSender);

    void ICheckpointOwner.OnClaimLost(string identity) => _self.Tell(ClaimLost.Instance, ActorRefs.NoSender);

    void ICheckpointOwner.OnWritten(Checkpoint checkpoint, WriteResult result)
    {
        if (result != WriteResult.Replaced)   // of the later one there will be word
        {
            _self.Tell(new Written(checkpoint.Revision, result), ActorRefs.NoSender);
        }
    }

    public void WakeIn(TimeSpan delay)
    {
        _wake?.Cancel();
        _wake = null;
        _wakes++;
        if (delay >= RestingIdentities.Least)
        {
            _environment.Resting.Add(_self, delay, _wakes);
            return;
        }

        _environment.Resting.Remove(_self);
        _wake = _context.System.Scheduler.ScheduleTellOnceCancelable(
            delay, _context.Self, new WakeEntity(_wakes), ActorRefs.NoSender);
    }

    public void End() => _context.Parent.Tell(new Passivate(StopEntity.Instance), _context.Self);

    /// <summary>The shard keeps it until this entity has stopped.</summary>
    public void PassOn(IToIdentity message, IActorRef hub)
    {
        End();
        _context.Parent.Tell(message, hub);
    }

    public void CountQueueDrop() => _environment.Counters.CountQueueDrop();

    public void Answer(IActorRef asker, Delivery delivery) =>
        asker.Tell(new Answered(delivery), ActorRefs.NoSender);

    public void CountAttached(bool isSupersede) => _environment.Counters.CountAttached(isSupersede);

    protected override void OnReceive(object message)
    {
        Take(message);
        CountQueued(_state.Queued);
    }

    private void Take(object message)
    {
        switch (message)
        {
            case DescribeIdentity:
                var now = _context.System.Scheduler.MonotonicClock;
                _context.Sender.Tell(_state.Describe(now - _keptAt), ActorRefs.NoSender);
                break;
            case StopEntity:
                _context.Stop(_self);
                break;
            case not null when _isHandedOver:
            case IToIdentity when _isMoving:
                break;   // whoever expects an answer asks again, at the new place
            case TakeInherited:
                Inherit();
                break;
            case IToIdentity told:
                _state.On(told, _context.Sender);
                break;
            case Claimed claimed:
                _state.OnClaimed(claimed.Kept);
                HandOver();
                break;
            case ClaimLost:
                _environment.Counters.CountStoreFailure();
                _state.OnClaimFailed();
                HandOver();
                break;
            case Written written:
                OnResult(written.Revision, written.Result);
                break;
            case HandOffEntity:
                _isMoving = true;
                HandOver();
                break;
            case WakeEntity wake when wake.Number == _wakes:
                _state.OnWake();
                break;
            case WakeEntity:
                break;   // taken back: what it would wake for now may be an identity's end
            default:
                Unhandled(message);
                break;
        }
    }

    protected override void PostStop()
    {
        _wake?.Cancel();
        _environment.Resting.Remove(_self);
        if (_isHandedOver)
        {
            _environment.Store.Release(_identity, _state.Newest.Epoch);
        }

        _environment.Counters.AddEntities(-1);
        CountQueued(0);
    }

    private void CountQueued(int queued)
    {
        if (queued != _queued)
        {
            _environment.Counters.AddQueued(queued - _queued);
            _queued = queued;
        }
    }

    private void HandOver()
    {
        if (_isMoving && !_state.IsClaiming)
        {
            _isHandedOver = true;
            _environment.HandOver.Tell(new HandOver(_state.Carry()), _self);
        }
    }

    private void Inherit()
    {
        if (_environment.Inherited.Take(_identity) is { } inherited)
        {
            _state.Inherit(inherited);
        }
    }

    private void OnResult(long revision, WriteResult result)
    {
        if (result == WriteResult.Stale)
        {
            _state.OnStale();
            return;
        }

        if (result == WriteResult.Lost)
        {
            _environment.Counters.CountStoreFailure();
        }

        if (_waits is { } waits && waits.Revision <= revision)
        {
            _waits = null;
            var kept = new Kept(_identity, waits.Session.Session, waits.Revision, result == WriteResult.Kept);
            Send(waits.Session.Hub, kept);
        }
    }

    private sealed record Claimed(Checkpoint Kept);

    private sealed record Written(long Revision, WriteResult Result);

    private sealed class ClaimLost
    {
        public static readonly ClaimLost Instance = new();
    }

}

/// <summary>Told to an entity when the time that it asked for has come.</summary>
/// <param name="Number">Of the entity's wishes: only the last one counts.</param>
internal sealed record WakeEntity(int Number);

/// <summary>Told to an entity that runs already, when what another one knew comes late to its member.</summary>
internal sealed class TakeInherited : IDeadLetterSuppression
{
    public static readonly TakeInherited Instance = new();
}

/// <summary>Told to an entity that nobody needs.</summary>
internal sealed class StopEntity
{
    public static readonly StopEntity Instance = new();
}

/// <summary>What became of a message, for whoever asked.</summary>
internal sealed record Answered(Delivery Delivery);
