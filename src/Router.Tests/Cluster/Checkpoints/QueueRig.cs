using System.Collections.Concurrent;
using System.Text;
using Router.Cluster.Checkpoints;
using Router.Tests.Diagnostics;
using Router.Tests.Functional;

namespace Router.Tests.Cluster.Checkpoints;

/// <summary>A store in memory that can be held, lost, and made to refuse rows; keeps what batches it got.</summary>
internal sealed class FakeStore : ICheckpointStore
{
    private readonly MemoryCheckpoints _rows = new();
    private readonly Lock _lock = new();
    private TaskCompletionSource? _held;

    /// <summary>As <c>claim a b</c>.</summary>
    public ConcurrentQueue<string> Batches { get; } = [];

    /// <summary>What every operation fails with; null for none.</summary>
    public Exception? Failure { get; set; }

    /// <summary>Batches that have an identity with this prefix are refused; null for none.</summary>
    public string? Poison { get; set; }

    /// <summary>Whether the end of waiting ends an operation that is held.</summary>
    public bool IsDeaf { get; set; }

    /// <summary>Operations stay where they are from now on.</summary>
    public void Hold()
    {
        lock (_lock)
        {
            _held ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public void Release()
    {
        lock (_lock)
        {
            _held?.SetResult();
            _held = null;
        }
    }

    /// <summary>Lets the operation go that is held, and holds the next one.</summary>
    public void ReleaseOne()
    {
        lock (_lock)
        {
            var held = _held!;
            _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            held.SetResult();
        }
    }

    public async ValueTask<IReadOnlyList<Checkpoint>> ClaimAsync(
        IReadOnlyList<(string Identity, long LowestEpoch)> claims, CancellationToken cancellationToken)
    {
        await EnterAsync("claim", [.. claims.Select(static claim => claim.Identity)], cancellationToken);
        return await _rows.ClaimAsync(claims, cancellationToken);
    }

    public async ValueTask<IReadOnlyList<bool>> WriteAsync(
        IReadOnlyList<Checkpoint> checkpoints, CancellationToken cancellationToken)
    {
        await EnterAsync("write", [.. checkpoints.Select(static row => row.Identity)], cancellationToken);
        return await _rows.WriteAsync(checkpoints, cancellationToken);
    }

    public async ValueTask<Checkpoint?> FindAsync(string identity, CancellationToken cancellationToken)
    {
        await EnterAsync("find", [identity], cancellationToken);
        return _rows.Find(identity);
    }

    public async ValueTask ForgetAsync(
        IReadOnlyList<(string Identity, long Epoch)> identities, CancellationToken cancellationToken)
    {
        await EnterAsync("forget", [.. identities.Select(static one => one.Identity)], cancellationToken);
        await _rows.ForgetAsync(identities, cancellationToken);
    }

    public ValueTask DisposeAsync() => default;

    private async Task EnterAsync(string operation, string[] identities, CancellationToken cancellationToken)
    {
        Assert.Distinct(identities);
        Task held;
        lock (_lock)
        {
            held = _held?.Task ?? Task.CompletedTask;
        }

        Batches.Enqueue($"{operation} {string.Join(' ', identities)}");
        await held.WaitAsync(IsDeaf ? default : cancellationToken);
        if (Failure is { } failure)
        {
            throw failure;
        }

        if (Poison is { } poison && identities.Any(identity => identity.StartsWith(poison, StringComparison.Ordinal)))
        {
            throw new CheckpointsRefusedException(new InvalidOperationException("bad row"));
        }
    }
}

/// <summary>Keeps what it is told.</summary>
internal sealed class RecordingOwner : ICheckpointOwner
{
    public ConcurrentQueue<Checkpoint> Claims { get; } = [];

    /// <summary>In the order of the telling, as <c>a 1.2 kept</c>, <c>a claimed 1</c>, <c>a claim lost</c>.</summary>
    public ConcurrentQueue<string> All { get; } = [];

    public void OnClaimed(Checkpoint claimed)
    {
        Claims.Enqueue(claimed);
        All.Enqueue($"{claimed.Identity} claimed {claimed.Epoch}");
    }

    public void OnClaimLost(string identity) => All.Enqueue($"{identity} claim lost");

    public void OnWritten(Checkpoint checkpoint, WriteResult result) => All.Enqueue(
        $"{checkpoint.Identity} {checkpoint.Epoch}.{checkpoint.Revision} {$"{result}".ToLowerInvariant()}");

    /// <summary>What was told, once there is so much of it.</summary>
    public async Task<string[]> AllAsync(int count)
    {
        await Until.TrueAsync(() => All.Count >= count, () => $"{count} results: {string.Join(", ", All)}");
        return [.. All];
    }
}

/// <summary>A queue's surroundings.</summary>
internal static class QueueRig
{
    public static readonly CheckpointQueueSettings Settings = new(
        Rows: 10_000, Bytes: 64 << 20, Batch: 500, ClaimTimeout: TimeSpan.FromSeconds(5));

    public static Checkpoint Row(string identity, long epoch, long revision, string state = "") =>
        new(identity, epoch, revision, Encoding.UTF8.GetBytes(state));

    /// <summary>The names of the events, without those of the level debug.</summary>
    public static string[] EventsOf(LineLogger log)
    {
        lock (log)
        {
            return [.. log.Lines.Select(static line => line.Split("\"event\":\"")[1].Split('"')[0])];
        }
    }
}
