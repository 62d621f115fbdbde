namespace Router.Actors;

/// <summary>One message in a mailbox: a node of a list, used again by the thread that handled it.</summary>
internal class Letter
{
    /// <summary>Stands as the top of an inbox that takes no more letters.</summary>
    public static readonly Letter Closed = new();

    public object? Message;
    public IActorRef? Sender;
    public Letter? Next;

    /// <summary>Another thread told it to an actor of one thread.</summary>
    public bool IsFromElsewhere;
}

/// <summary>A message of the kernel, handled before all user messages, even by a suspended actor.</summary>
internal abstract class SystemMessage : Letter
{
    /// <summary>Carries the message out, in the receiving cell's turn.</summary>
    public abstract void Apply(ActorCell cell);

    /// <summary>What remains to do when the receiver has terminated already; on any thread.</summary>
    public virtual void ApplyToTerminated(ActorCell cell)
    {
    }
}

internal sealed class StopRequest : SystemMessage
{
    public override void Apply(ActorCell cell) => cell.TerminateSelf();
}

internal sealed class SuspendRequest : SystemMessage
{
    public override void Apply(ActorCell cell) => cell.FaultSuspend();
}

internal sealed class ResumeRequest(Exception? causedByFailure) : SystemMessage
{
    public override void Apply(ActorCell cell) => cell.FaultResume(causedByFailure);
}

internal sealed class RestartRequest(Exception cause) : SystemMessage
{
    public override void Apply(ActorCell cell) => cell.FaultRecreate(cause);
}

/// <summary>A child tells its supervisor that it failed and waits, suspended, for the decision.</summary>
internal sealed class ChildFailure(ActorCell child, Exception cause) : SystemMessage
{
    public ActorCell Child => child;

    public Exception Cause => cause;

    public override void Apply(ActorCell cell) => cell.HandleChildFailure(child, cause);
}

internal sealed class WatchRequest(ActorRefBase watchee, ActorRefBase watcher) : SystemMessage
{
    public override void Apply(ActorCell cell) => cell.AddWatcher(watcher);

    public override void ApplyToTerminated(ActorCell cell) => Tell(existenceConfirmed: true);

    /// <summary>There is nothing to watch: the watcher hears so at once.</summary>
    public void Refuse() => Tell(existenceConfirmed: false);

    private void Tell(bool existenceConfirmed) =>
        watcher.SendSystem(DeathWatchNotification.Of(watchee, existenceConfirmed));
}

internal sealed class UnwatchRequest(ActorRefBase watcher) : SystemMessage
{
    public override void Apply(ActorCell cell) => cell.RemoveWatcher(watcher);
}

/// <summary>An actor has terminated: told to its parent always, and to each watcher.</summary>
/// <remarks>Used again by the thread that handled it, as other letters are: a million sessions that expire at once are
/// as many.</remarks>
internal sealed class DeathWatchNotification : SystemMessage
{
    private ActorRefBase? _actor;

    private DeathWatchNotification()
    {
    }

    public ActorRefBase Actor => _actor!;

    public bool ExistenceConfirmed { get; private set; }

    /// <summary>One that was handled, or a new one.</summary>
    public static DeathWatchNotification Of(ActorRefBase actor, bool existenceConfirmed)
    {
        var letters = MessageDispatcher.LettersOf(MessageDispatcher.BoundToThread);
        var notification = letters.TakeDeath() ?? new DeathWatchNotification();
        notification._actor = actor;
        notification.ExistenceConfirmed = existenceConfirmed;
        return notification;
    }

    public override void Apply(ActorCell cell)
    {
        cell.HandleDeathOf(Actor, ExistenceConfirmed);
        _actor = null;
        MessageDispatcher.LettersOf(MessageDispatcher.BoundToThread).KeepDeath(this);
    }
}
