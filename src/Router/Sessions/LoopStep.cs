namespace Router.Sessions;

/// <summary>What a session does on its loop, asked for on another thread.</summary>
internal sealed class LoopStep(SessionContext session, Action<SessionContext> step) : IRunnable
{
    public void Run() => step(session);

    public void Execute() => Run();
}

/// <inheritdoc cref="LoopStep"/>
internal sealed class LoopStep<T>(SessionContext session, Action<SessionContext, T> step, T with) : IRunnable
{
    public void Run() => step(session, with);

    public void Execute() => Run();
}
