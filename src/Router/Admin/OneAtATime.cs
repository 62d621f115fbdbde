namespace Router.Admin;

/// <summary>Lets one piece of work be done at a time; the others wait, in order. Any thread.</summary>
/// <param name="waitingMax">Those that may be there at once.</param>
/// <param name="refuse">Makes what is thrown where there are as many already.</param>
internal sealed class OneAtATime(int waitingMax, Func<Exception> refuse)
{
    private readonly Lock _lock = new();
    private Task _last = Task.CompletedTask;
    private int _asking;

    /// <param name="work">Is begun when its turn has come.</param>
    /// <param name="end">Ends the wait; the work has to end by itself.</param>
    public async Task RunAsync(Func<Task> work, CancellationToken end)
    {
        if (Interlocked.Increment(ref _asking) > waitingMax)
        {
            Interlocked.Decrement(ref _asking);
            throw refuse();
        }

        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task before;
        lock (_lock)
        {
            (before, _last) = (_last, over.Task);
        }

        try
        {
            await before.WaitAsync(end).ConfigureAwait(false);
            await work().ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _asking);
            _ = before.ContinueWith(
                static (_, over) => ((TaskCompletionSource)over!).SetResult(), over, CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }
}
