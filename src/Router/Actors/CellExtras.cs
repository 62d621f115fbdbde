namespace Router.Actors;

/// <summary>What most actors never need; made when one of it is first needed.</summary>
internal sealed class CellExtras
{
    /// <summary>Set when the actor was given a name.</summary>
    public ActorPath? Path;

    public ChildrenContainer? Children;

    /// <summary>The system lane, once letters have left the inbox.</summary>
    public SystemMessage? SystemHead;

    public SystemMessage? SystemTail;

    public Stack<Receive>? Behaviors;

    public DeathWatch? DeathWatch;

    public FaultState? Faults;

    public SupervisorStrategy? Strategy;

    public ReceiveTimeoutState? ReceiveTimeout;

    public TimerScheduler? Timers;

    public Stash? Stash;

    public AsyncTurns? Async;

    /// <summary>Most user messages waiting; 0 means no limit.</summary>
    public int MailboxCapacity;

    /// <summary>User messages waiting in a bounded mailbox; changed by any thread, atomically.</summary>
    public int MailboxCount;
}
