using Router.Cluster.Checkpoints;
using Router.Cluster.Identities;

namespace Router.Tests.Cluster.Simulation;

/// <summary>An identity's entity: the product's logic.</summary>
internal sealed class SimEntity : IIdentityWorld
{
    private readonly SimCluster _cluster;
    private readonly SimProcess _process;
    private Action? _stop;
    private long _wake;

    public SimEntity(SimCluster cluster, SimProcess process, string identity)
    {
        (_cluster, _process, Identity) = (cluster, process, identity);
        State = new IdentityState(
            identity, this, new IdentityLimits(cluster.Plan.QueueMessages, cluster.Plan.ForgetAfter));
        cluster.History.Log($"{process} entity {identity} begins");
        if (cluster.Planted != Planted.BegunWithoutWhatWasHandedOver)
        {
            Inherit();
        }
    }

    public string Identity { get; }

    public IdentityState State { get; }

    public bool IsStopped { get; set; }

    /// <summary>Handed over, and deaf.</summary>
    public bool IsMoving { get; private set; }

    public bool MayDecide => _process.Members.MayDecide;

    public bool MayHaveLostEntities =>
        _process.Members.MayHaveLostEntities && _cluster.Planted != Planted.LostEntitiesNotAskedFor;

    public IReadOnlyCollection<(Place Place, IActorRef Hub)> Hubs =>
        [.. _process.Members.Hubs.Where(hub => !IsGone(hub.Place)).OrderBy(static hub => hub.Place.Uid)];

    public bool IsGone(Place place) => _cluster.Planted == Planted.GoneTooEarly
        ? _process.Unreachable.Any(member => member.Place == place) || _process.Members.IsGone(place)
        : _process.Members.IsGone(place);

    /// <summary>Takes what another member has handed over.</summary>
    public void Inherit() => Turn(() =>
    {
        if (_process.HandOver.Inherited.Take(Identity) is { } inherited)
        {
            _cluster.History.Log($"{_process} entity {Identity} inherits epoch {inherited.Kept.Epoch}");
            State.Inherit(inherited);
        }
    });

    public void HandOff(Action stop)
    {
        _stop = stop;
        HandOver();
    }

    private void HandOver()
    {
        if (_stop is { } stop && !State.IsClaiming && !IsStopped)
        {
            _stop = null;
            IsMoving = true;
            _process.HandOver.Send(State.Carry(), stop);
        }
    }

    public void Receive(IToIdentity message, IActorRef from) => Turn(() =>
    {
        _cluster.History.Log($"{_process} entity <- {SimHistory.Describe(message)}");
        if (_stop is null)
        {
            State.On(message, from);
        }
        else
        {
            _cluster.History.OnDeaf(message);
        }
    }, message);

    public void Send(IActorRef hub, IToHub message)
    {
        var target = (SimHub)((SimRef)hub).Target;
        _cluster.Network.Send(_process, target.Process, () => target.Receive(message, _process.Unique.Address));
        if (_cluster.Planted == Planted.EntityDoesNotWaitForRelease && message is Supersede supersede)
        {
            Later(() => State.On(new Detach(Identity, supersede.Session, 0, default), hub));
        }
    }

    public void Claim(long lowestEpoch)
    {
        if (_cluster.Planted == Planted.EpochNotClaimed)
        {
            State.OnClaimed(new Checkpoint(Identity, lowestEpoch, 0, default));
        }
        else if (!_cluster.Plan.IsShared)
        {
            State.OnClaimed(_process.Memory.Claim(Identity, lowestEpoch));
        }
        else
        {
            _cluster.Store.Claim(_process, Identity, lowestEpoch, claimed => Turn(() =>
            {
                if (claimed is null)
                {
                    State.OnClaimFailed();
                }
                else
                {
                    State.OnClaimed(claimed);
                }

                HandOver();
            }));
        }
    }

    public void Save(Checkpoint checkpoint, Attachment? asker)
    {
        if (asker is not null && _cluster.Planted == Planted.KeptBeforeWritten)
        {
            Send(asker.Hub, new Kept(Identity, asker.Session, checkpoint.Revision, true));
            asker = null;
        }

        if (_cluster.Plan.IsShared)
        {
            _cluster.Store.Write(_process, checkpoint, isKept => Turn(() => OnWritten(checkpoint, asker, isKept)));
        }
        else
        {
            OnWritten(checkpoint, asker, _process.Memory.Put(checkpoint));
        }
    }

    public void Keep(Checkpoint checkpoint)
    {
        if (!_cluster.Plan.IsShared)
        {
            _process.Memory.Put(checkpoint);
        }
    }

    public void Forget(long epoch)
    {
        if (_cluster.Plan.IsShared)
        {
            _cluster.Store.Forget(_process, Identity, epoch);
        }
        else
        {
            _process.Memory.Forget(Identity, epoch);
            _cluster.History.OnForgotten(Identity);
        }
    }

    public void WakeIn(TimeSpan delay)
    {
        var wake = ++_wake;
        _cluster.Clock.In(delay, () => _process.Run(() => Turn(() =>
        {
            if (wake == _wake)
            {
                State.OnWake();
            }
        })));
    }

    public void End()
    {
        _cluster.History.Log($"{_process} entity {Identity} ends");
        _process.Region.Passivate(this);
    }

    public void PassOn(IToIdentity message, IActorRef hub)
    {
        End();
        _process.Region.Deliver(this, message, hub);
    }

    public void CountQueueDrop() => _cluster.History.QueueDrops++;

    public void Answer(IActorRef asker, Delivery delivery) => _cluster.History.OnAnswered((SimRef)asker, delivery);

    public void CountAttached(bool isSupersede)
    {
    }

    private void OnWritten(Checkpoint checkpoint, Attachment? asker, bool? isKept)
    {
        if (isKept == false)
        {
            _cluster.History.Log($"{_process} entity {Identity}: epoch {checkpoint.Epoch} is over");
            State.OnStale();
        }
        else if (asker is not null)
        {
            Send(asker.Hub, new Kept(Identity, asker.Session, checkpoint.Revision, isKept == true));
        }
    }

    private void Later(Action what) => _cluster.Network.Local(_process, (this, this), () => Turn(what));

    private void Turn(Action what, IToIdentity? message = null)
    {
        if (!IsStopped && !IsMoving)
        {
            what();
            _cluster.History.Check(
                State.Queued <= _cluster.Plan.QueueMessages, $"queue bound: {State.Queued} wait for {Identity}");
        }
        else if (message is not null)
        {
            _cluster.History.OnDeaf(message);
        }
    }
}
