using Router.Cluster.Identities;

namespace Router.Tests.Cluster.Simulation;

/// <summary>A member's shard region, an identity being a shard: knows where entities are, and has those that are here.
/// </summary>
internal sealed class SimRegion(SimCluster cluster, SimProcess process)
{
    private readonly Dictionary<string, SimProcess> _homes = [];
    private readonly Dictionary<string, Queue<(IToIdentity Message, IActorRef From)>> _buffers = [];
    private readonly Dictionary<string, Slot> _slots = [];
    private readonly HashSet<string> _hosted = [];

    public void Host(string identity)
    {
        _hosted.Add(identity);
        OnHome(identity, process);
    }

    public SimEntity? Find(string identity) => _slots.GetValueOrDefault(identity)?.Entity;

    public void Route(IToIdentity message, IActorRef from)
    {
        var identity = message.Identity;
        if (_hosted.Contains(identity))
        {
            cluster.Network.Local(process, (this, identity), () => Deliver(message, from));
        }
        else if (_homes.TryGetValue(identity, out var home) && home != process)
        {
            cluster.Network.Send(process, home, () => home.Region.Route(message, from));
        }
        else
        {
            var isNew = !_buffers.TryGetValue(identity, out var buffer);
            buffer ??= _buffers[identity] = [];
            buffer.Enqueue((message, from));
            if (isNew)
            {
                AskHome(identity);
            }
        }
    }

    /// <summary>An identity moves: what is told to it waits here until it is known where to.</summary>
    public void BeginHandOff(string identity)
    {
        _homes.Remove(identity);
        _hosted.Remove(identity);
    }

    public void HandOff(string identity, Action done)
    {
        if (!_slots.TryGetValue(identity, out var slot))
        {
            done();
            return;
        }

        cluster.Network.Local(process, (this, slot.Entity), () => slot.Entity.HandOff(() =>
        {
            slot.Entity.IsStopped = true;
            if (_slots.GetValueOrDefault(identity) == slot)
            {
                _slots.Remove(identity);
                foreach (var (message, _) in slot.Buffer ?? [])
                {
                    cluster.History.OnDeaf(message);
                }
            }

            done();
        }));
    }

    public void OnRemoved(SimProcess gone)
    {
        foreach (var identity in _homes.Where(home => home.Value == gone).Select(home => home.Key).ToList())
        {
            _homes.Remove(identity);
        }
    }

    public void OnTick()
    {
        foreach (var identity in _buffers.Keys.Order(StringComparer.Ordinal).ToList())
        {
            AskHome(identity);
        }
    }

    /// <summary>An entity has asked for its end: what comes meanwhile waits for the next one.</summary>
    public void Passivate(SimEntity entity) =>
        cluster.Network.Local(process, (entity, this), () =>
        {
            if (_slots.GetValueOrDefault(entity.Identity) is { Buffer: null } slot && slot.Entity == entity)
            {
                slot.Buffer = [];
                cluster.Network.Local(process, (this, entity.Identity), () => Stop(slot));
            }
        });

    /// <summary>What an entity tells its shard.</summary>
    public void Deliver(SimEntity from, IToIdentity message, IActorRef hub) =>
        cluster.Network.Local(process, (from, this), () => Deliver(message, hub));

    private void AskHome(string identity)
    {
        if (cluster.TryFindHome(process, identity) is { } home)
        {
            cluster.Clock.In(cluster.Millis(0, 20), () => process.Run(() => OnHome(identity, home)));
        }
    }

    private void OnHome(string identity, SimProcess home)
    {
        if (!process.Knows(home) || !_buffers.Remove(identity, out var buffer))
        {
            return;
        }

        _homes[identity] = home;
        foreach (var (message, from) in buffer)
        {
            Route(message, from);
        }
    }

    private void Deliver(IToIdentity message, IActorRef from)
    {
        if (!_slots.TryGetValue(message.Identity, out var slot))
        {
            _slots[message.Identity] = slot = new Slot(new SimEntity(cluster, process, message.Identity));
        }

        if (slot.Buffer is { } buffer)
        {
            buffer.Enqueue((message, from));
        }
        else
        {
            // The shard gives it to the entity's mailbox, which the entity comes to later.
            cluster.Network.Local(process, (this, slot.Entity), () => slot.Entity.Receive(message, from));
        }
    }

    private void Stop(Slot slot) => cluster.Network.Local(process, (this, slot.Entity), () =>
    {
        if (slot.Entity.IsStopped || slot.Entity.IsMoving)
        {
            return;
        }

        slot.Entity.IsStopped = true;
        _slots.Remove(slot.Entity.Identity);
        foreach (var (message, from) in slot.Buffer!)
        {
            Deliver(message, from);
        }
    });

    private sealed class Slot(SimEntity entity)
    {
        public SimEntity Entity => entity;

        /// <summary>Of an entity that is about to stop.</summary>
        public Queue<(IToIdentity Message, IActorRef From)>? Buffer { get; set; }
    }
}
