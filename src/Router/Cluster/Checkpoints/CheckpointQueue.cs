using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;

namespace Router.Cluster.Checkpoints;

/// <summary>Limits of a queue of checkpoints. Immutable.</summary>
/// <param name="Rows">Of writes, of claims, and of identities to forget, each.</param>
/// <param name="Bytes">Names and states of writes.</param>
/// <param name="Batch">Rows that go to the store at once.</param>
/// <param name="ClaimTimeout">After which a claim is answered as lost.</param>
internal sealed record CheckpointQueueSettings(int Rows, long Bytes, int Batch, TimeSpan ClaimTimeout);

/// <summary>Gathers claims and checkpoints of a member, one by one and from any thread, to batches for its store. No
/// call blocks or throws.</summary>
/// <remarks>
/// One batch is under way; the next begins as soon as it is done, so that batches grow with the load. While the store
/// is not to be had it is tried again, at last every <see cref="BackoffMax"/>, and what comes meanwhile waits. A
/// checkpoint takes the place of an older one of its identity; beyond the limits a new row is refused, and counted as
/// lost: its owner's next one may find room, and what waits already belongs to others. A row that the store refuses for
/// good is found by halving the batches that it is in, and given up alone.
/// </remarks>
/// <param name="name">Of the store, for the log.</param>
/// <param name="store">Where batches go. Owned by the caller.</param>
/// <param name="settings">The limits.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The router's.</param>
/// <param name="mayClaim">Whether this member may take epochs, asked before each batch and under a lock: claims that
/// wait when it says no are lost. Null for always.</param>
internal sealed class CheckpointQueue(
    string name,
    ICheckpointStore store,
    CheckpointQueueSettings settings,
    TimeProvider time,
    ILogger log,
    Func<bool>? mayClaim = null)
{
    /// <summary>Short, so that all is as before within two seconds of the store's return.</summary>
    public static readonly TimeSpan BackoffMax = TimeSpan.FromMilliseconds(500);

    public static readonly TimeSpan BackoffMin = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a try that was told to end may take.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly PendingCheckpoints _pending = new();
    private readonly CheckpointTally _tally = new();
    private readonly CheckpointStoreWatch _watch = new(name, time, log);
    private readonly CancellationTokenSource _finish = new();   // no more will come: short waits between tries
    private readonly CancellationTokenSource _giveUp = new();   // the time to finish is up
    private CheckpointBatch? _underWay;
    private Task _run = Task.CompletedTask;
    private ITimer? _claimTimer;
    private bool _isRunning;
    private bool _isStopping;
    private bool _isOver;
    private int _batchRows = settings.Batch;
    private TimeSpan _backoff = BackoffMin;

    public CheckpointCounts Counts
    {
        get
        {
            lock (_lock)
            {
                return new CheckpointCounts
                {
                    Queued = _pending.Claims + _pending.Writes + _pending.Forgets + (_underWay?.Count ?? 0),
                    QueuedBytes = _tally.Bytes,
                    Claimed = _tally.Claimed,
                    Written = _tally.Written,
                    Forgotten = _tally.Forgotten,
                    Replaced = _tally.Replaced,
                    Stale = _tally.Stale,
                    Lost = _tally.Lost,
                    ClaimsLost = _tally.ClaimsLost,
                    Batches = _tally.Batches,
                    Retries = _tally.Retries,
                    IsAway = _watch.IsAway,
                    LastError = _watch.LastError,
                };
            }
        }
    }

    /// <summary>Takes a new epoch for an identity: see <see cref="ICheckpointStore.ClaimAsync"/>. A checkpoint of it
    /// that is in the queue is written before.</summary>
    /// <returns>False if there is no room: the claim is lost, and its owner hears nothing more of it.</returns>
    public bool Claim(string identity, long lowestEpoch, ICheckpointOwner owner)
    {
        var isLegal = CheckpointLimits.IsIdentity(identity);
        lock (_lock)
        {
            if (_isStopping || !isLegal
                || _pending.Claims + UnderWay<ClaimBatch>() >= settings.Rows)
            {
                _tally.ClaimsLost++;
                return false;
            }

            _pending.Claim(identity, lowestEpoch, owner, time.GetTimestamp());
            _claimTimer ??= time.CreateTimer(
                static queue => ((CheckpointQueue)queue!).LoseOldClaims(), this, settings.ClaimTimeout,
                Timeout.InfiniteTimeSpan);
            Run();
            return true;
        }
    }

    /// <summary>Keeps a checkpoint, in the place of an older one of its identity that still waits.</summary>
    /// <param name="owner">Who is told; null for nobody.</param>
    /// <returns>False if there is no room, or no store could take it: it is lost, and its owner hears nothing more of
    /// it.</returns>
    public bool Write(Checkpoint checkpoint, ICheckpointOwner? owner = null)
    {
        CheckpointNotice notice = default;
        var isLegal = checkpoint.State.Length <= CheckpointLimits.StateBytesMax
            && CheckpointLimits.IsIdentity(checkpoint.Identity);
        lock (_lock)
        {
            if (_isStopping || !isLegal || !TryAdd(checkpoint, owner, ref notice))
            {
                _tally.Lost++;
                _watch.OnLost(1);
                return false;
            }
        }

        if (notice.Owner is not null)
        {
            Tell([notice]);
        }

        return true;
    }

    /// <summary>Forgets an identity that nobody has claimed since. Nobody is told; without room it is not forgotten,
    /// which costs a row of the store.</summary>
    public void Forget(string identity, long epoch)
    {
        var isLegal = CheckpointLimits.IsIdentity(identity);
        lock (_lock)
        {
            if (!_isStopping && isLegal
                && _pending.Forgets + UnderWay<ForgetBatch>() < settings.Rows)
            {
                _pending.Forget(identity, epoch);
                Run();
            }
        }
    }

    /// <summary>Takes nothing more, and hands the checkpoints that wait to the store; what it has not taken when
    /// <paramref name="limit"/> has passed is lost. Claims that wait are lost at once: nobody here could use the epoch,
    /// and it would be taken from whoever speaks for the identity. The store is not closed.</summary>
    public async Task StopAsync(TimeSpan limit)
    {
        Task run;
        var notices = new List<CheckpointNotice>();
        lock (_lock)
        {
            _isStopping = true;
            run = _run;
            LoseClaims(notices);
        }

        Tell(notices);
        notices.Clear();
        await _finish.CancelAsync().ConfigureAwait(false);
        if (!await EndsAsync(run, limit).ConfigureAwait(false))
        {
            await _giveUp.CancelAsync().ConfigureAwait(false);
            await EndsAsync(run, EndTimeout).ConfigureAwait(false);
        }

        lock (_lock)
        {
            _isOver = true;
            var lost = _tally.Lost;
            _underWay?.Lose(_tally, notices);
            while (_pending.Next(settings.Batch) is { } batch)
            {
                batch.Lose(_tally, notices);
            }

            _underWay = null;
            _claimTimer?.Dispose();
            _watch.OnLost(_tally.Lost - lost);
            _watch.OnEnded();
        }

        Tell(notices);
    }

    private int UnderWay<T>()
        where T : CheckpointBatch => _underWay is T batch ? batch.Count : 0;

    private bool TryAdd(Checkpoint checkpoint, ICheckpointOwner? owner, ref CheckpointNotice notice)
    {
        var bytes = PendingCheckpoints.BytesOf(checkpoint);
        if (_pending.Find(checkpoint.Identity) is { } waiting)
        {
            var (epoch, revision) = (waiting.Checkpoint.Epoch, waiting.Checkpoint.Revision);
            if ((checkpoint.Epoch, checkpoint.Revision).CompareTo((epoch, revision)) < 0)
            {
                var isStale = checkpoint.Epoch < epoch;
                _tally.Stale += isStale ? 1 : 0;
                _tally.Replaced += isStale ? 0 : 1;
                var result = isStale ? WriteResult.Stale : WriteResult.Replaced;
                notice = new CheckpointNotice(owner, checkpoint.Identity, checkpoint, result);
                return true;
            }

            if (_tally.Bytes - waiting.Bytes + bytes > settings.Bytes)
            {
                return false;
            }

            _tally.Replaced++;
            _tally.Bytes -= waiting.Bytes;
            notice = waiting.With(WriteResult.Replaced);
        }
        else if (_pending.Writes + UnderWay<WriteBatch>() >= settings.Rows || _tally.Bytes + bytes > settings.Bytes)
        {
            return false;
        }

        _tally.Bytes += bytes;
        _pending.Write(checkpoint, owner);
        Run();
        return true;
    }

    private void Run()
    {
        if (!_isRunning)
        {
            _isRunning = true;
            _run = Task.Run(RunAsync);
        }
    }

    private async Task RunAsync()
    {
        while (Next() is { } batch)
        {
            Exception? failure = null;
            try
            {
                await batch.RunAsync(store, _giveUp.Token).ConfigureAwait(false);
            }
            catch (Exception e)   // whatever a store throws must not end the queue
            {
                failure = e;
            }

            if (!Settle(batch, failure))
            {
                await WaitAsync().ConfigureAwait(false);
            }
        }
    }

    private CheckpointBatch? Next()
    {
        var notices = new List<CheckpointNotice>();
        CheckpointBatch? next;
        lock (_lock)
        {
            // The majority may have claimed since: a claim now would take the epoch from the rightful session.
            if (_pending.Claims > 0 && (_isStopping || mayClaim?.Invoke() == false))
            {
                LoseClaims(notices);
            }

            next = _underWay = _isOver || _giveUp.IsCancellationRequested ? null : _pending.Next(_batchRows);
            _isRunning = next is not null;
        }

        Tell(notices);
        return next;
    }

    /// <summary>All that wait. Under the lock.</summary>
    private void LoseClaims(List<CheckpointNotice> notices)
    {
        while (_pending.OldestClaim is { } oldest)
        {
            notices.Add(_pending.TakeClaimOf(oldest)!.Lost());
            _tally.ClaimsLost++;
        }
    }

    /// <returns>Whether the next try can be made at once.</returns>
    private bool Settle(CheckpointBatch batch, Exception? failure)
    {
        var notices = new List<CheckpointNotice>(batch.Count);
        lock (_lock)
        {
            if (_isOver)
            {
                return true;   // it has been given up
            }

            _underWay = null;
            _tally.Batches++;
            if (failure is null or CheckpointsRefusedException)
            {
                _backoff = BackoffMin;
                _watch.OnAnswered();
            }

            if (failure is null)
            {
                _batchRows = Math.Min(_batchRows * 2, settings.Batch);
                batch.Complete(_tally, notices);
            }
            else if (failure is CheckpointsRefusedException && batch.Count == 1)
            {
                var lost = _tally.Lost;
                batch.Lose(_tally, notices);
                _watch.OnRefused(failure, _tally.Lost - lost);
            }
            else
            {
                _tally.Retries++;
                batch.Return(_pending, _tally, notices);
                if (failure is CheckpointsRefusedException)
                {
                    _batchRows = batch.Count / 2;
                }
                else if (!_giveUp.IsCancellationRequested)
                {
                    _watch.OnFailed(failure);
                }
            }
        }

        Tell(notices);
        return failure is null or CheckpointsRefusedException;
    }

    private async Task WaitAsync()
    {
        var isFinishing = _finish.IsCancellationRequested;
        using var timer = new PeriodicTimer(isFinishing ? BackoffMin : _backoff, time);
        _backoff = TimeSpan.FromTicks(Math.Min(_backoff.Ticks * 2, BackoffMax.Ticks));
        try
        {
            // The end cuts a long wait short, for one more try at once.
            await timer.WaitForNextTickAsync((isFinishing ? _giveUp : _finish).Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // looked at by the caller
        }
    }

    /// <summary>Tells the owners of claims that are too old, and comes again when the next one will be. Those that are
    /// under way are the oldest.</summary>
    private void LoseOldClaims()
    {
        var notices = new List<CheckpointNotice>();
        lock (_lock)
        {
            var now = time.GetTimestamp();
            long? next = null;
            if (_underWay is ClaimBatch batch)
            {
                foreach (var claim in batch.Claims.Where(static claim => !claim.IsAnswered))
                {
                    if (IsOld(claim.At, now))
                    {
                        claim.IsAnswered = true;
                        notices.Add(claim.Lost());
                    }
                    else
                    {
                        next = Math.Min(next ?? claim.At, claim.At);
                    }
                }
            }

            while (_pending.OldestClaim is { } oldest && IsOld(oldest, now))
            {
                notices.Add(_pending.TakeClaimOf(oldest)!.Lost());
            }

            _tally.ClaimsLost += notices.Count;
            next = Math.Min(next ?? long.MaxValue, _pending.OldestClaim ?? long.MaxValue);
            if (next < long.MaxValue && !_isOver)
            {
                var left = settings.ClaimTimeout - time.GetElapsedTime(next.Value, now);
                _claimTimer!.Change(left, Timeout.InfiniteTimeSpan);
            }
            else
            {
                _claimTimer?.Dispose();
                _claimTimer = null;
            }
        }

        Tell(notices);
    }

    private bool IsOld(long at, long now) => time.GetElapsedTime(at, now) >= settings.ClaimTimeout;

    private void Tell(IReadOnlyList<CheckpointNotice> notices)
    {
        foreach (var notice in notices)
        {
            try
            {
                notice.Tell();
            }
            catch (Exception e)   // a defect of an owner must not take the others' results away
            {
                HostLog.Fault(log, e, "the owner of a checkpoint");
            }
        }
    }

    [SuppressMessage(
        "Usage", "VSTHRD003:Avoid awaiting foreign Tasks", Justification = "on the pool, whoever started it")]
    private async Task<bool> EndsAsync(Task task, TimeSpan limit)
    {
        try
        {
            await task.WaitAsync(limit, time).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
