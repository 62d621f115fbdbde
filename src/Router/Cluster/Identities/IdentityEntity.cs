using Akka.Cluster.Sharding;
using Router.Cluster.Checkpoints;

namespace Router.Cluster.Identities;

/// <summary>What the entities of a member share.</summary>
/// <param name="Store">Where checkpoints are kept.</param>
/// <param name="Members">Who is in the cluster.</param>
/// <param name="Limits">As configured.</param>
/// <param name="Counters">Their figures.</param>
internal sealed record IdentityEnvironment(
    IIdentityStore Store, IIdentityMembers Members, IdentityLimits Limits, IdentityCounters Counters);

/// <summary>Who is in the cluster, as entities see it. Any thread.</summary>
internal interface IIdentityMembers
{
    bool MayDecide { get; }

    bool MayHaveLostEntities { get; }

    IReadOnlyCollection<(Place Place, IActorRef Hub)> Hubs { get; }

    bool IsGone(Place place);
}

/// <summary>Keeps single checkpoints; batches as it likes. Any thread.</summary>
internal interface IIdentityStore
{
    /// <inheritdoc cref="ICheckpointStore.ClaimAsync"/>
    ValueTask<Checkpoint> ClaimAsync(string identity, long lowestEpoch);

    /// <inheritdoc cref="ICheckpointStore.WriteAsync"/>
    ValueTask<bool> WriteAsync(Checkpoint checkpoint);

    /// <inheritdoc cref="ICheckpointStore.ForgetAsync"/>
    ValueTask ForgetAsync(string identity, long epoch);
}

/// <summary>Figures of a member's entities. Any thread.</summary>
internal sealed class IdentityCounters
{
    private long _entities;
    private long _attached;
    private long _superseded;
    private long _queueDrops;
    private long _storeFailures;

    public long Entities => Interlocked.Read(ref _entities);

    /// <summary>Attachments since the start.</summary>
    public long Attached => Interlocked.Read(ref _attached);

    /// <summary>Those that took another session's place.</summary>
    public long Superseded => Interlocked.Read(ref _superseded);

    public long QueueDrops => Interlocked.Read(ref _queueDrops);

    public long StoreFailures => Interlocked.Read(ref _storeFailures);

    public void AddEntities(int count) => Interlocked.Add(ref _entities, count);

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

/// <summary>One identity in the whole cluster: runs <see cref="IdentityState"/>.</summary>
internal sealed class IdentityEntity : UntypedActor, IIdentityWorld
{
    private readonly IdentityEnvironment _environment;
    private readonly string _identity;
    private readonly IdentityState _state;
    private readonly IActorContext _context = Context;
    private ICancelable? _wake;

    public IdentityEntity(string identity, IdentityEnvironment environment)
    {
        (_identity, _environment) = (identity, environment);
        _state = new IdentityState(identity, this, environment.Limits);
        environment.Counters.AddEntities(1);
    }

    public bool MayDecide => _environment.Members.MayDecide;

    public bool MayHaveLostEntities => _environment.Members.MayHaveLostEntities;

    public IReadOnlyCollection<(Place Place, IActorRef Hub)> Hubs => _environment.Members.Hubs;

    public bool IsGone(Place place) => _environment.Members.IsGone(place);

    public void Send(IActorRef hub, IToHub message) => hub.Tell(message, _context.Self);

    public void Claim(long lowestEpoch)
    {
        var claim = _environment.Store.ClaimAsync(_identity, lowestEpoch);
        if (claim.IsCompletedSuccessfully)
        {
            _state.OnClaimed(claim.Result);
            return;
        }

        _ = claim.AsTask().PipeTo(
            _context.Self, _context.Self, static kept => new Claimed(kept), static failure => new ClaimFailed(failure));
    }

    public void Save(Checkpoint checkpoint, Attachment? asker)
    {
        var write = _environment.Store.WriteAsync(checkpoint);
        if (write.IsCompletedSuccessfully)
        {
            OnWritten(new Written(checkpoint.Revision, asker, write.Result, null));
            return;
        }

        _ = write.AsTask().PipeTo(
            _context.Self,
            _context.Self,
            isKept => new Written(checkpoint.Revision, asker, isKept, null),
            failure => new Written(checkpoint.Revision, asker, false, failure));
    }

    public void Forget(long epoch)
    {
        var forget = _environment.Store.ForgetAsync(_identity, epoch);
        if (!forget.IsCompletedSuccessfully)
        {
            _ = forget.AsTask().ContinueWith(
                _ => _environment.Counters.CountStoreFailure(),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted,
                TaskScheduler.Default);
        }
    }

    public void WakeIn(TimeSpan delay)
    {
        _wake?.Cancel();
        _wake = _context.System.Scheduler.ScheduleTellOnceCancelable(
            delay, _context.Self, Wake.Instance, ActorRefs.NoSender);
    }

    public void End() => _context.Parent.Tell(new Passivate(StopEntity.Instance), _context.Self);

    public void CountQueueDrop() => _environment.Counters.CountQueueDrop();

    public void Answer(IActorRef asker, Delivery delivery) =>
        asker.Tell(new Answered(delivery), ActorRefs.NoSender);

    public void OnAttached(Attachment now, Attachment? before) =>
        _environment.Counters.CountAttached(before is not null);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case IToIdentity told:
                _state.On(told, _context.Sender);
                break;
            case Claimed claimed:
                _state.OnClaimed(claimed.Kept);
                break;
            case ClaimFailed:
                _environment.Counters.CountStoreFailure();
                _state.OnClaimFailed();
                break;
            case Written written:
                OnWritten(written);
                break;
            case Wake:
                _state.OnWake();
                break;
            case StopEntity:
                _context.Stop(_context.Self);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    protected override void PostStop()
    {
        _wake?.Cancel();
        _environment.Counters.AddEntities(-1);
    }

    private void OnWritten(Written written)
    {
        if (written.Failure is not null)
        {
            _environment.Counters.CountStoreFailure();
        }
        else if (!written.IsKept)
        {
            _state.OnStale();
            return;
        }

        if (written.Asker is { } asker)
        {
            Send(asker.Hub, new Kept(_identity, asker.Session, written.Revision, written.IsKept));
        }
    }

    private sealed record Claimed(Checkpoint Kept);

    private sealed record ClaimFailed(Exception Failure);

    private sealed record Written(long Revision, Attachment? Asker, bool IsKept, Exception? Failure);

    private sealed class Wake
    {
        public static readonly Wake Instance = new();
    }
}

/// <summary>Told to an entity that nobody needs.</summary>
internal sealed class StopEntity
{
    public static readonly StopEntity Instance = new();
}

/// <summary>What became of a message, for whoever asked.</summary>
internal sealed record Answered(Delivery Delivery);
