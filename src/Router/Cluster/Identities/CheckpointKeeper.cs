using Microsoft.Extensions.Logging;
using Router.Cluster.Checkpoints;
using Router.Configuration;
using Router.Diagnostics;

namespace Router.Cluster.Identities;

/// <summary>The store of checkpoints that is configured, for as long as the member lives.</summary>
internal sealed class CheckpointKeeper
{
    /// <summary>Within the time that Akka gives a phase.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(4);

    private readonly ICheckpointStore? _store;
    private readonly CheckpointQueue? _queue;

    public CheckpointKeeper(CheckpointOptions options, TimeProvider time, ILogger log)
    {
        _store = options.Store switch
        {
            CheckpointStoreKind.Postgres => new PostgresCheckpoints(options.Connection!, options.Table),
            CheckpointStoreKind.Sqlite => new SqliteCheckpoints(options.File!),
            _ => null,
        };
        if (_store is null)
        {
            Store = new MemoryIdentities(new MemoryCheckpoints());
            return;
        }

        var settings = new CheckpointQueueSettings(
            options.Queue, options.QueueBytes, options.Batch, options.ClaimTimeout);
        _queue = new CheckpointQueue(Kebab.From($"{options.Store}"), _store, settings, time, log);
        Store = new QueuedIdentities(_queue);
    }

    public IIdentityStore Store { get; }

    /// <summary>Null where the members themselves keep checkpoints.</summary>
    public CheckpointCounts? Counts => _queue?.Counts;

    /// <summary>Keeps what waits, as far as there is time.</summary>
    public async Task<Akka.Done> StopAsync()
    {
        if (_queue is not null)
        {
            await _queue.StopAsync(StopTimeout).ConfigureAwait(false);
            await _store!.DisposeAsync().ConfigureAwait(false);
        }

        return Akka.Done.Instance;
    }
}
