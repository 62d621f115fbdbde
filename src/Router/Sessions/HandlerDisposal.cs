using Router.Loop;

namespace Router.Sessions;

/// <summary>Disposes what a handler owned that is over.</summary>
internal static class HandlerDisposal
{
    /// <summary>Does not wait, and does not throw: a failure is recorded as one of the session's end.</summary>
    /// <param name="session">Whose handler it was.</param>
    /// <param name="owned">An <see cref="IAsyncDisposable"/> or an <see cref="IDisposable"/>.</param>
    public static void Run(SessionContext session, object owned)
    {
        try
        {
            if (owned is not IAsyncDisposable later)
            {
                ((IDisposable)owned).Dispose();
                return;
            }

            var ending = later.DisposeAsync();
            if (ending.IsCompleted)
            {
                ending.GetAwaiter().GetResult();
            }
            else
            {
                _ = TellOfFailureAsync(ending, session.Loop);
            }
        }
        catch (Exception failure)
        {
            session.OnLoop(static (session, failure) => session.Shard.OnEndFailed(session, failure), failure);
        }
    }

    /// <summary>The session is over by then, and its object may be another's: the loop tells of it.</summary>
    private static async Task TellOfFailureAsync(ValueTask ending, IoLoop loop)
    {
        try
        {
            await ending.ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            loop.Enqueue(new FailedDisposal(loop, failure));
        }
    }

    private sealed class FailedDisposal(IoLoop loop, Exception failure) : IRunnable
    {
        public void Run() => loop.Contain(failure);

        public void Execute() => Run();
    }
}
