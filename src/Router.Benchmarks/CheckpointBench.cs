using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Router.Cluster.Checkpoints;

namespace Router.Benchmarks;

/// <summary>What checkpoints cost at a store: rows a second with the check of their epochs, CPU a row of both sides,
/// and how long a hundred thousand claims take through the queue. See bench/checkpoints.sh.</summary>
internal sealed class CheckpointBench(
    string name, ICheckpointStore store, int identities, TimeSpan length, int? server, TextWriter output)
{
    private const int StateBytes = 256;

    private static readonly CheckpointQueueSettings Queue = new(
        Rows: 1_000_000, Bytes: 1L << 30, Batch: 500, ClaimTimeout: TimeSpan.FromMinutes(1));

    private readonly TimeProvider _time = TimeProvider.System;
    private readonly string[] _names = [.. Enumerable.Range(0, identities).Select(static i => $"device-{i:D8}")];

    public async Task RunAsync()
    {
        await ClaimAsync("first claims");
        await WriteAsync("first checkpoints", once: true);
        await WriteAsync("checkpoints", once: false);
        await ClaimAsync("claims of what is kept");
        await StaleAsync();
        await QueueAsync();
    }

    /// <summary>One after the other, as a member's queue does it when many sessions open at once.</summary>
    private async Task ClaimAsync(string what)
    {
        var owner = new CountingOwner(_names.Length);
        var queue = new CheckpointQueue(name, store, Queue, _time, NullLogger.Instance);
        var start = Now();
        foreach (var identity in _names)
        {
            queue.Claim(identity, 1, owner);
        }

        await owner.Done;
        Report(what, _names.Length, start);
        await queue.StopAsync(TimeSpan.FromSeconds(5));
    }

    /// <summary>At the store itself: one batch after the other.</summary>
    private async Task WriteAsync(string what, bool once)
    {
        var state = new byte[StateBytes];
        var (rows, revision, start) = (0L, once ? 1L : 2L, Now());
        do
        {
            foreach (var batch in _names.Chunk(Queue.Batch))
            {
                var kept = await store.WriteAsync(
                    [.. batch.Select(identity => new Checkpoint(identity, 1, revision, state))], default);
                rows += kept.Count(static isKept => isKept);
            }

            revision++;
        }
        while (!once && _time.GetElapsedTime(start.At) < length);

        Report(what, rows, start);
    }

    private async Task StaleAsync()
    {
        var (stale, start) = (0L, Now());
        foreach (var batch in _names.Chunk(Queue.Batch))
        {
            var kept = await store.WriteAsync(
                [.. batch.Select(static identity => new Checkpoint(identity, 1, long.MaxValue, new byte[StateBytes]))],
                default);
            stale += kept.Count(static isKept => !isKept);
        }

        Report("checkpoints of an epoch that is over, all refused", stale, start);
    }

    /// <summary>As the sessions of a member do it: one by one, and told one by one.</summary>
    private async Task QueueAsync()
    {
        var state = new byte[StateBytes];
        var owner = new CountingOwner(_names.Length);
        var queue = new CheckpointQueue(name, store, Queue, _time, NullLogger.Instance);
        var start = Now();
        foreach (var identity in _names)
        {
            queue.Write(new Checkpoint(identity, 2, long.MaxValue, state), owner);
        }

        await owner.Done;
        Report("checkpoints by the queue", _names.Length, start);
        await queue.StopAsync(TimeSpan.FromSeconds(5));
    }

    private (long At, TimeSpan Ours, TimeSpan Servers) Now() =>
        (_time.GetTimestamp(), Environment.CpuUsage.TotalTime, server is { } id ? CpuOf(id) : TimeSpan.Zero);

    private void Report(string what, long rows, (long At, TimeSpan Ours, TimeSpan Servers) start)
    {
        var took = _time.GetElapsedTime(start.At);
        var now = Now();
        var (ours, servers) = (now.Ours - start.Ours, now.Servers - start.Servers);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {what}: {rows} rows in {took.TotalSeconds:F2} s, {rows / took.TotalSeconds:F0} rows/s, "
            + $"CPU {ours.TotalMicroseconds / rows:F1} us a row here, "
            + $"{servers.TotalMicroseconds / rows:F1} at the server"));
    }

    /// <summary>Of the server's processes, those that have ended among them.</summary>
    private static TimeSpan CpuOf(int server)
    {
        var children = File.ReadAllText($"/proc/{server}/task/{server}/children").Split(' ');
        var ticks = children.Where(static child => child.Length > 0).Sum(static child => Ticks(child, 11, 12))
            + Ticks($"{server}", 11, 14);
        return TimeSpan.FromMilliseconds(ticks * 10);   // USER_HZ is 100
    }

    private static long Ticks(string process, int first, int last)
    {
        var fields = File.ReadAllText($"/proc/{process}/stat").Split(") ")[^1].Split(' ');
        return fields[first..(last + 1)].Sum(static field => long.Parse(field, CultureInfo.InvariantCulture));
    }

    private sealed class CountingOwner(int rows) : ICheckpointOwner
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _left = rows;

        public Task Done => _done.Task;

        public void OnClaimed(Checkpoint claimed) => Count();

        public void OnClaimLost(string identity) =>
            _done.TrySetException(new InvalidOperationException($"the claim of {identity} is lost"));

        public void OnWritten(Checkpoint checkpoint, WriteResult result)
        {
            if (result == WriteResult.Kept)
            {
                Count();
            }
            else
            {
                _done.TrySetException(new InvalidOperationException($"{checkpoint.Identity} is {result}"));
            }
        }

        private void Count()
        {
            if (Interlocked.Decrement(ref _left) == 0)
            {
                _done.SetResult();
            }
        }
    }
}
