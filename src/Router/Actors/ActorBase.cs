namespace Router.Actors;

/// <summary>An actor: handles one message at a time and is touched by nobody else.</summary>
public abstract class ActorBase
{
    private readonly ActorCell _cell;

    /// <exception cref="ActorInitializationException">Not constructed by an actor system.</exception>
    protected ActorBase() =>
        _cell = ActorCell.Constructing ?? throw new ActorInitializationException(
            $"You cannot create an instance of [{GetType()}] explicitly using the constructor (new). "
            + "Start it with ActorOf and Props.");

    /// <summary>Valid from the constructor on.</summary>
    protected IActorContext Context => _cell;

    protected IActorRef Self => _cell;

    protected IActorRef Sender => _cell.Sender;

    internal ActorCell Cell => _cell;

    /// <summary>Handles a message.</summary>
    /// <returns>False when the message is none of this actor's.</returns>
    protected abstract bool Receive(object message);

    /// <summary>Before the first message of the first instance.</summary>
    protected virtual void PreStart()
    {
    }

    /// <summary>After the last message; also runs when <see cref="PreRestart"/> is not overridden.</summary>
    protected virtual void PostStop()
    {
    }

    /// <summary>Called on the failed instance. The default stops all children and calls
    /// <see cref="PostStop"/>; children that an override keeps are restarted too.</summary>
    /// <param name="reason">What it failed with.</param>
    /// <param name="message">The message it failed on; null when it failed on none.</param>
    protected virtual void PreRestart(Exception reason, object? message)
    {
        foreach (var child in Context.GetChildren())
        {
            Context.Unwatch(child);
            Context.Stop(child);
        }

        PostStop();
    }

    /// <summary>Called on the fresh instance. The default calls <see cref="PreStart"/>.</summary>
    protected virtual void PostRestart(Exception reason) => PreStart();

    /// <summary>How failures of children are decided; asked once per instance.</summary>
    protected virtual SupervisorStrategy SupervisorStrategy() => Actors.SupervisorStrategy.DefaultStrategy;

    /// <summary>A message not handled: published as <see cref="UnhandledMessage"/>.</summary>
    /// <exception cref="DeathPactException">It is a <see cref="Terminated"/>.</exception>
    protected virtual void Unhandled(object message)
    {
        if (message is Terminated terminated)
        {
            throw new DeathPactException(terminated.ActorRef);
        }

        Context.System.EventStream.Publish(new UnhandledMessage(message, Sender, Self));
    }

    protected void Become(Receive receive) => Context.Become(receive);

    protected void BecomeStacked(Receive receive) => Context.BecomeStacked(receive);

    protected void UnbecomeStacked() => Context.UnbecomeStacked();

    protected void SetReceiveTimeout(TimeSpan? timeout) => Context.SetReceiveTimeout(timeout);

    internal bool RunReceive(object message) => Receive(message);

    internal void RunUnhandled(object message) => Unhandled(message);

    internal void RunPreStart() => PreStart();

    internal void RunPostStop()
    {
        PostStop();
        (this as IWithStash)?.Stash.UnstashAll();
    }

    internal void RunPreRestart(Exception reason, object? message)
    {
        PreRestart(reason, message);
        (this as IWithStash)?.Stash.UnstashAll();
    }

    internal void RunPostRestart(Exception reason) => PostRestart(reason);

    internal SupervisorStrategy RunSupervisorStrategy() => SupervisorStrategy();
}

/// <summary>An actor with one method for all messages.</summary>
public abstract class UntypedActor : ActorBase
{
    protected sealed override bool Receive(object message)
    {
        OnReceive(message);
        return true;
    }

    /// <summary>Handles a message; calls <see cref="ActorBase.Unhandled"/> for what is none of its own.</summary>
    protected abstract void OnReceive(object message);

    protected void Become(UntypedReceive receive) => Context.Become(Handled(receive));

    protected void BecomeStacked(UntypedReceive receive) => Context.BecomeStacked(Handled(receive));

    private static Receive Handled(UntypedReceive receive) => message =>
    {
        receive(message);
        return true;
    };
}
