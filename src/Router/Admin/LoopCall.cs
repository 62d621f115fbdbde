using Router.Loop;

namespace Router.Admin;

/// <summary>Asks a loop for something that only its own thread may read.</summary>
internal sealed class LoopCall<T>(Func<T> read) : IRunnable
{
    private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="loop">The loop.</param>
    /// <param name="read">Short, since the loop waits for it.</param>
    /// <param name="end">Ends the waiting.</param>
    public static Task<T> AskAsync(IoLoop loop, Func<T> read, CancellationToken end)
    {
        var call = new LoopCall<T>(read);
        loop.Enqueue(call);
        return call._answer.Task.WaitAsync(end);
    }

    public void Run()
    {
        try
        {
            _answer.TrySetResult(read());
        }
        catch (Exception failure)
        {
            _answer.TrySetException(failure);
        }
    }

    public void Execute() => Run();
}
