using System.Collections.Concurrent;

namespace Router.Cluster.Identities;

/// <summary>Carried identities that wait on this member for their entities, which may be made elsewhere. Any
/// thread.</summary>
internal sealed class InheritedIdentities(TimeProvider time)
{
    /// <summary>A shard that moves is at its new place long before.</summary>
    internal static readonly TimeSpan KeepFor = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, (CarriedIdentity Identity, long Since)> _waiting =
        new(StringComparer.Ordinal);

    public TimeProvider Time => time;

    public int Count => _waiting.Count;

    public void Add(CarriedIdentity identity) =>
        _waiting[identity.Kept.Identity] = (identity, time.GetTimestamp());

    /// <summary>Takes one out; null if there is none, or it is too old to be true.</summary>
    public CarriedIdentity? Take(string identity) =>
        _waiting.TryRemove(identity, out var waiting) && time.GetElapsedTime(waiting.Since) < KeepFor
            ? waiting.Identity
            : null;

    /// <summary>Entities have moved on elsewhere, or were lost with a member: what is here may not be true any more.
    /// </summary>
    public void Clear() => _waiting.Clear();

    public void RemoveOld()
    {
        foreach (var (identity, waiting) in _waiting)
        {
            if (time.GetElapsedTime(waiting.Since) >= KeepFor)
            {
                _waiting.TryRemove(KeyValuePair.Create(identity, waiting));
            }
        }
    }
}
