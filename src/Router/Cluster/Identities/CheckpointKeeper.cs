using Microsoft.Extensions.Logging;
using Router.Cluster.Checkpoints;
using Router.Configuration;
using Router.Diagnostics;

namespace Router.Cluster.Identities;

/// <summary>The store of checkpoints that is configured, for as long as the member lives.</summary>
internal sealed class CheckpointKeeper
{
    /// <summary>Within the time that Akka gives a phase.</summary>
    public static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(4);

    /// <summary>Of a member that is out of the cluster: whatever cut it off may keep the store away, too, and others
    /// have its identities.</summary>
    public static readonly TimeSpan StopTimeoutDowned = TimeSpan.FromMilliseconds(500);

    /// <summary>For a look at the store.</summary>
    private static readonly TimeSpan FindTimeout = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _time;

    private readonly ICheckpointStore? _store;
    private readonly CheckpointQueue? _queue;

    /// <inheritdoc cref="CheckpointKeeper(CheckpointOptions, ICheckpointStore, TimeProvider, ILogger, Func{bool})"/>
    public CheckpointKeeper(CheckpointOptions options, TimeProvider time, ILogger log, Func<bool> mayClaim)
        : this(options, StoreOf(options), time, log, mayClaim)
    {
    }

    /// <param name="options">The configuration's.</param>
    /// <param name="store">Its own; null where the members themselves keep checkpoints.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">The router's.</param>
    /// <param name="mayClaim">Whether this member may take epochs; null for always.</param>
    internal CheckpointKeeper(
        CheckpointOptions options,
        ICheckpointStore? store,
        TimeProvider time,
        ILogger log,
        Func<bool>? mayClaim = null)
    {
        (_time, _store) = (time, store);
        if (_store is null)
        {
            Store = new MemoryIdentities(new MemoryCheckpoints());
            return;
        }

        var settings = new CheckpointQueueSettings(
            options.Queue, options.QueueBytes, options.Batch, options.ClaimTimeout);
        _queue = new CheckpointQueue(Kebab.From($"{options.Store}"), _store, settings, time, log, mayClaim);
        Store = new QueuedIdentities(_queue);
    }

    private static ICheckpointStore? StoreOf(CheckpointOptions options) => options.Store switch
    {
        CheckpointStoreKind.Postgres => new PostgresCheckpoints(options.Connection!, options.Table),
        CheckpointStoreKind.Sqlite => new SqliteCheckpoints(options.File!),
        _ => null,
    };

    public IIdentityStore Store { get; }

    /// <summary>Null where the members themselves keep checkpoints.</summary>
    public CheckpointCounts? Counts => _queue?.Counts;

    /// <summary>Looks for what the store keeps of an identity, beside the queue.</summary>
    /// <returns>Null for nothing, and where the members themselves keep checkpoints.</returns>
    /// <exception cref="TimeoutException">The store does not answer.</exception>
    public async Task<Checkpoint?> FindAsync(string identity, CancellationToken cancellationToken)
    {
        if (_store is null)
        {
            return null;
        }

        using var limit = new CancellationTokenSource(FindTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await _store.FindAsync(identity, either.Token).AsTask().WaitAsync(either.Token)
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException ended) when (limit.IsCancellationRequested)
        {
            throw new TimeoutException($"no answer within {FindTimeout.TotalSeconds} s", ended);
        }
    }

    /// <summary>Keeps what waits, as far as there is time.</summary>
    public async Task<Akka.Done> StopAsync(TimeSpan timeout)
    {
        if (_queue is not null)
        {
            await _queue.StopAsync(timeout).ConfigureAwait(false);
            await _store!.DisposeAsync().ConfigureAwait(false);
        }

        return Akka.Done.Instance;
    }
}
