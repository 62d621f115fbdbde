using Router.Loop;

namespace Router.Admin;

/// <summary>Work on a loop's thread in slices of at most a millisecond, some milliseconds apart, so that no traffic
/// waits for all of it. Begun by <see cref="IoLoop.Enqueue"/>.</summary>
/// <param name="loop">Whose turn it is.</param>
/// <param name="clock">What a slice is measured by.</param>
/// <param name="end">Ends it.</param>
internal abstract class LoopSlices(IoLoop loop, TimeProvider clock, CancellationToken end) : LoopTimer, IRunnable
{
    internal const int StepMs = TimerWheel.SlotMs;

    private static readonly TimeSpan SliceMax = TimeSpan.FromMilliseconds(1);

    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes behind the last slice.</summary>
    public Task Done => _done.Task;

    internal int Slices { get; private set; }

    /// <summary>Those that took longer than a millisecond: somebody else had the processor.</summary>
    internal int LateSlices { get; private set; }

    protected TimeProvider Clock => clock;

    public void Run() => OnTimer();

    public void Execute() => Run();

    internal override void OnTimer()
    {
        if (end.IsCancellationRequested)
        {
            _done.TrySetCanceled(end);
            return;
        }

        var (began, isLast, failure) = (clock.GetTimestamp(), false, (Exception?)null);
        try
        {
            isLast = Slice(began);
        }
        catch (Exception thrown)
        {
            failure = thrown;
        }

        // Counted before others are told of the end: they read it then.
        Slices++;
        LateSlices += clock.GetElapsedTime(began) > SliceMax ? 1 : 0;
        if (failure is not null)
        {
            _done.TrySetException(failure);
        }
        else if (isLast)
        {
            _done.TrySetResult();
        }
        else
        {
            loop.Schedule(this, loop.NowMs + StepMs);
        }
    }

    /// <param name="began">A timestamp of the clock.</param>
    /// <returns>Whether it was the last one.</returns>
    protected abstract bool Slice(long began);
}
