using System.Collections.Concurrent;
using Router.Cluster.Checkpoints;

namespace Router.Cluster.Identities;

/// <summary>Keeps checkpoints in this process: they are lost with it.</summary>
internal sealed class MemoryIdentities : IIdentityStore
{
    private readonly ConcurrentDictionary<string, Checkpoint> _kept = new(StringComparer.Ordinal);

    public ValueTask<Checkpoint> ClaimAsync(string identity, long lowestEpoch) =>
        ValueTask.FromResult(_kept.AddOrUpdate(
            identity,
            static (identity, lowest) => new Checkpoint(identity, lowest, 0, default),
            static (_, kept, lowest) => kept with { Epoch = Math.Max(kept.Epoch + 1, lowest) },
            lowestEpoch));

    public ValueTask<bool> WriteAsync(Checkpoint checkpoint)
    {
        var kept = _kept.AddOrUpdate(
            checkpoint.Identity,
            static (_, checkpoint) => checkpoint,
            static (_, kept, checkpoint) => kept.Epoch <= checkpoint.Epoch
                && (kept.Epoch < checkpoint.Epoch || kept.Revision < checkpoint.Revision)
                ? checkpoint
                : kept,
            checkpoint);
        return ValueTask.FromResult(kept.Epoch <= checkpoint.Epoch);
    }

    public ValueTask ForgetAsync(string identity, long epoch)
    {
        if (_kept.TryGetValue(identity, out var kept) && kept.Epoch == epoch)
        {
            _kept.TryRemove(KeyValuePair.Create(identity, kept));
        }

        return ValueTask.CompletedTask;
    }
}
