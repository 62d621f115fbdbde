namespace Router.Sessions;

/// <summary>What a session does on its loop, asked for on another thread.</summary>
internal sealed class LoopStep<T>(SessionContext session, Action<SessionContext, T> step, T with) : IRunnable
{
    public void Run() => step(session, with);

    public void Execute() => Run();
}

internal static class LoopSteps
{
    /// <summary>Runs a step on the loop's thread: at once if this is it.</summary>
    public static void OnLoop(this SessionContext session, Action<SessionContext> step) =>
        session.OnLoop(static (session, step) => step(session), step);

    /// <summary>The same, with what the step needs: one that captured it would cost an object also where this is the
    /// loop, at every drop and every end.</summary>
    public static void OnLoop<T>(this SessionContext session, Action<SessionContext, T> step, T with)
    {
        var loop = session.Loop;
        if (loop.IsCurrent)
        {
            step(session, with);
        }
        else
        {
            loop.Enqueue(new LoopStep<T>(session, step, with));
        }
    }
}
