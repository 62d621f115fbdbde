namespace Router.Actors;

public static class Futures
{
    /// <summary>Tells a message and awaits the answer; for control paths, not for payloads.</summary>
    /// <param name="self">The asked actor.</param>
    /// <param name="message">The question.</param>
    /// <param name="timeout">Longest wait, on the system's scheduler; null waits for ever.</param>
    /// <exception cref="AskTimeoutException">No answer in time.</exception>
    public static Task<object> Ask(this ICanTell self, object message, TimeSpan? timeout = null) =>
        self.Ask<object>(message, timeout, CancellationToken.None);

    /// <inheritdoc cref="Ask(ICanTell, object, TimeSpan?)"/>
    /// <remarks>An answer that is an exception or a <see cref="Status.Failure"/> is thrown, unless it is
    /// what was asked for.</remarks>
    public static Task<T> Ask<T>(this ICanTell self, object message, TimeSpan? timeout = null) =>
        self.Ask<T>(message, timeout, CancellationToken.None);

    /// <inheritdoc cref="Ask(ICanTell, object, TimeSpan?)"/>
    public static Task<T> Ask<T>(this ICanTell self, object message, CancellationToken cancellationToken) =>
        self.Ask<T>(message, timeout: null, cancellationToken);

    /// <inheritdoc cref="Ask(ICanTell, object, TimeSpan?)"/>
    public static async Task<T> Ask<T>(
        this ICanTell self, object message, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var target = self is IActorRef actorRef
            ? ActorRefBase.Of(actorRef)
            : throw new ArgumentException("Only actors of a system can be asked.", nameof(self));
        var future = new FutureRef(target.System);
        future.CompleteAfter(timeout, $"Timeout after {timeout} asking [{target}]");
        using var cancellation = cancellationToken.UnsafeRegister(
            static (state, token) => ((FutureRef)state!).Cancel(token), future);
        target.Tell(message, future);
        return await future.Answer switch
        {
            T answer => answer,
            Status.Failure failure => throw failure.Cause,
            Exception cause => throw cause,
            var other => throw new ArgumentException(
                $"Received message of type [{other.GetType()}] - Ask expected message of type [{typeof(T)}]"),
        };
    }

    /// <summary>Stops an actor and awaits its end.</summary>
    /// <returns>True once it has terminated.</returns>
    /// <exception cref="TaskCanceledException">Not within <paramref name="timeout"/>.</exception>
    public static Task<bool> GracefulStop(this IActorRef target, TimeSpan timeout) =>
        target.GracefulStop(timeout, PoisonPill.Instance);

    /// <inheritdoc cref="GracefulStop(IActorRef, TimeSpan)"/>
    public static async Task<bool> GracefulStop(this IActorRef target, TimeSpan timeout, object stopMessage)
    {
        var watched = ActorRefBase.Of(target);
        var future = new FutureRef(watched.System);
        future.CompleteAfter(timeout, $"Timeout after {timeout} stopping [{target}]");
        watched.SendSystem(new WatchRequest(watched, future));
        target.Tell(stopMessage, ActorRefs.NoSender);
        try
        {
            return await future.Answer is Terminated;
        }
        catch (AskTimeoutException e)
        {
            throw new TaskCanceledException(e.Message, e);
        }
        finally
        {
            watched.SendSystem(new UnwatchRequest(future));
        }
    }

    /// <summary>Tells a task's result to an actor, or a <see cref="Status.Failure"/> with its exception.</summary>
    /// <param name="taskToPipe">The task.</param>
    /// <param name="recipient">Who gets the result.</param>
    /// <param name="sender">Whom it appears to come from.</param>
    /// <param name="success">Makes the message from the result.</param>
    /// <param name="failure">Makes the message from the exception.</param>
    public static async Task PipeTo<T>(
        this Task<T> taskToPipe,
        ICanTell recipient,
        IActorRef? sender = null,
        Func<T, object>? success = null,
        Func<Exception, object>? failure = null)
    {
        object message;
        try
        {
            var result = await taskToPipe;
            message = success is null ? result! : success(result);
        }
        catch (Exception e)
        {
            message = failure is null ? new Status.Failure(e) : failure(e);
        }

        recipient.Tell(message, sender);
    }
}

/// <summary>A reference that takes one answer.</summary>
internal sealed class FutureRef(ActorSystem system) : ActorRefBase
{
    private readonly TaskCompletionSource<object> _answer =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ICancelable? _timeout;
    private ActorPath? _path;

    public override ActorPath Path => _path ??= system.NextTemporaryPath();

    public Task<object> Answer => _answer.Task;

    internal override ActorSystem System => system;

    internal override bool IsTerminated => _answer.Task.IsCompleted;

    public override void Tell(object message, IActorRef? sender)
    {
        if (_answer.TrySetResult(message))
        {
            _timeout?.Cancel();
        }
        else
        {
            system.PublishDeadLetter(message, sender, this);
        }
    }

    public void Cancel(CancellationToken token)
    {
        _timeout?.Cancel();
        _answer.TrySetCanceled(token);
    }

    public void CompleteAfter(TimeSpan? timeout, string text)
    {
        if (timeout is not { } delay || delay == Timeout.InfiniteTimeSpan)
        {
            return;
        }

        var cancelable = new Cancelable();
        _timeout = cancelable;
        system.Scheduler.Advanced.ScheduleOnce(
            delay, () => _answer.TrySetException(new AskTimeoutException(text)), cancelable);
    }

    internal override void SendSystem(SystemMessage message)
    {
        switch (message)
        {
            case DeathWatchNotification death:
                Tell(new Terminated(death.Actor, death.ExistenceConfirmed, addressTerminated: false), death.Actor);
                break;
            case WatchRequest watch when IsTerminated:
                watch.Refuse();
                break;
            default:
                break;
        }
    }
}
