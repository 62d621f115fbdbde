using Router.Cluster.Checkpoints;

namespace Router.Tests.Cluster.Simulation;

/// <summary>The store that all members share, by a connection each: slow, and at times away.</summary>
internal sealed class SimStore(SimCluster cluster)
{
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(2);

    private readonly MemoryCheckpoints _rows = new();
    private readonly Dictionary<SimProcess, (TimeSpan There, TimeSpan Back)> _last = [];

    public TimeSpan AwayUntil { get; set; }

    /// <param name="done">Told of null if it failed.</param>
    public void Claim(SimProcess from, string identity, long lowest, Action<Checkpoint?> done) => Do(
        from,
        () =>
        {
            var claimed = _rows.Claim(identity, lowest);
            cluster.History.OnRow(identity, claimed.Epoch);
            return claimed;
        },
        done);

    public void Write(SimProcess from, Checkpoint checkpoint, Action<bool?> done) => Do<bool?>(
        from,
        () =>
        {
            if (cluster.Planted == Planted.StoreDoesNotFence)
            {
                _rows.Forget(checkpoint.Identity, _rows.Find(checkpoint.Identity)?.Epoch ?? 0);
            }

            var isKept = _rows.Put(checkpoint);
            if (isKept)
            {
                cluster.History.OnRow(checkpoint.Identity, checkpoint.Epoch);
            }

            return isKept;
        },
        done);

    public void Forget(SimProcess from, string identity, long epoch) => Do<bool?>(
        from,
        () =>
        {
            var before = _rows.Count;
            _rows.Forget(identity, epoch);
            if (_rows.Count < before)
            {
                cluster.History.OnForgotten(identity);
            }

            return true;
        },
        static _ => { });

    /// <summary>In the order of each member, both ways. One that fails may have been done.</summary>
    private void Do<T>(SimProcess from, Func<T> operation, Action<T?> done)
    {
        var (there, back) = _last.GetValueOrDefault(from);
        var now = cluster.Clock.Now;
        var arrives = Max(now + Delay(), there);
        var isFailed = false;
        if (AwayUntil > arrives)
        {
            isFailed = AwayUntil > now + GiveUpAfter;
            arrives = isFailed ? now + GiveUpAfter : AwayUntil;
        }

        var isDone = !isFailed || cluster.Random.Next(2) == 0;
        var answered = Max(arrives + Delay(), back);
        _last[from] = (arrives, answered);
        T? result = default;
        cluster.Clock.At(arrives, () =>
        {
            if (isDone)
            {
                result = operation();
            }
        });
        cluster.Clock.At(answered, () => from.Run(() => done(isFailed ? default : result)));
    }

    private TimeSpan Delay() => cluster.Millis(0, cluster.Plan.StoreDelayMs);

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
