using System.Collections.Concurrent;

namespace Router.Cluster.Identities;

/// <summary>Entities that sleep for long, until they are forgotten: an entry here is a tenth of one in Akka's
/// scheduler. Any thread.</summary>
internal sealed class RestingIdentities(TimeProvider time)
{
    /// <summary>Shorter sleeps are the scheduler's.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(5);

    /// <summary>How late one may be woken.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<IActorRef, (long At, int Number)> _due = [];

    public int Count => _due.Count;

    /// <param name="entity">Who sleeps.</param>
    /// <param name="delay">How long.</param>
    /// <param name="number">Told back to it.</param>
    public void Add(IActorRef entity, TimeSpan delay, int number) =>
        _due[entity] = (time.GetTimestamp() + (long)(delay.TotalSeconds * time.TimestampFrequency), number);

    public void Remove(IActorRef entity) => _due.TryRemove(entity, out _);

    /// <summary>Wakes those whose time has come.</summary>
    public void Look()
    {
        var now = time.GetTimestamp();
        foreach (var (entity, due) in _due)
        {
            if (due.At <= now && _due.TryRemove(KeyValuePair.Create(entity, due)))
            {
                entity.Tell(new WakeEntity(due.Number), ActorRefs.NoSender);
            }
        }
    }
}
