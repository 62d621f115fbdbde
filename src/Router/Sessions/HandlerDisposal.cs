using Router.Loop;

namespace Router.Sessions;

/// <summary>Disposes what a handler owned that is over.</summary>
internal static class HandlerDisposal
{
    /// <summary>The handler, or what was made for it, is to be disposed with it: an <see cref="IAsyncDisposable"/> or
    /// an <see cref="IDisposable"/>.</summary>
    public static void Own(this SessionContext session, object disposable) => session.Extras.Owned = disposable;

    /// <summary>Disposes what the handler owned that is over. On the session's dispatcher; does not wait, and does not
    /// throw: a failure is recorded as one of the session's end.</summary>
    public static void DisposeOwned(this SessionContext session)
    {
        if (session.TakeOwned() is { } owned)
        {
            Dispose(session, owned);
        }
    }

    private static void Dispose(SessionContext session, object owned)
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
