namespace Router.Actors;

/// <summary>Runs the continuations of one asynchronous handler as system messages of its actor, so that they
/// come in the actor's turns while its user messages wait.</summary>
internal sealed class AsyncTurns(ActorCell cell) : TaskScheduler
{
    /// <summary>Handlers begun so far; what belongs to an older one is dropped.</summary>
    public int Generation { get; private set; }

    public void Abandon() => Generation++;

    public bool Run(Task task) => TryExecuteTask(task);

    protected override void QueueTask(Task task) => cell.SendSystem(new Continuation(this, Generation, task));

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && ReferenceEquals(ActorCell.Current, cell) && TryExecuteTask(task);

    protected override IEnumerable<Task>? GetScheduledTasks() => null;

    private sealed class Continuation(AsyncTurns turns, int generation, Task task) : SystemMessage
    {
        public override void Apply(ActorCell cell)
        {
            if (generation == turns.Generation)
            {
                turns.Run(task);
            }
        }
    }
}

internal sealed partial class ActorCell
{
    /// <summary>Runs an asynchronous handler. Until it ends no other user message is handled, and
    /// <see cref="Sender"/> stays what it is.</summary>
    internal void RunTask(Func<Task> handler)
    {
        var turns = Extras.Async ??= new AsyncTurns(this);
        var outer = SynchronizationContext.Current;
        Task? running;
        try
        {
            // Awaits must come back to the actor, not to whatever context the turn's thread happens to have.
            SynchronizationContext.SetSynchronizationContext(null);
            var start = new Task<Task>(handler);
            start.RunSynchronously(turns);
            running = start.GetAwaiter().GetResult();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }

        if (running.IsCompleted)
        {
            running.GetAwaiter().GetResult();
            return;
        }

        _flags |= CellFlags.Awaiting;
        var generation = turns.Generation;
        _ = running.ContinueWith(
            done => SendSystem(new HandlerEnd(turns, generation, done)),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private void AbandonAsyncHandler()
    {
        if ((_flags & CellFlags.Awaiting) != 0)
        {
            _flags &= ~CellFlags.Awaiting;
            _extras!.Async!.Abandon();
        }
    }

    private void EndAsyncHandler(Task done)
    {
        _flags &= ~CellFlags.Awaiting;
        if (done.IsCompletedSuccessfully)
        {
            if ((_flags & CellFlags.Suspended) == 0)
            {
                ReleaseCurrent();
            }

            return;
        }

        Fail(done.Exception?.InnerException ?? new TaskCanceledException(done));
    }

    private sealed class HandlerEnd(AsyncTurns turns, int generation, Task done) : SystemMessage
    {
        public override void Apply(ActorCell cell)
        {
            if (generation == turns.Generation)
            {
                cell.EndAsyncHandler(done);
            }
        }
    }
}
