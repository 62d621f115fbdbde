namespace Router.Actors;

/// <summary>A behaviour: returns false when it did not handle the message.</summary>
public delegate bool Receive(object message);

/// <summary>A behaviour that counts as having handled whatever it is given.</summary>
public delegate void UntypedReceive(object message);

public interface IActorRefFactory
{
    /// <summary>Starts an actor; returns at once, construction happens in the actor's first turn.</summary>
    /// <exception cref="InvalidActorNameException">The name is taken or has characters names may not.</exception>
    /// <exception cref="InvalidOperationException">The parent is stopping.</exception>
    IActorRef ActorOf(Props props, string? name = null);

    /// <summary>Stops an actor after the message it handles now.</summary>
    void Stop(IActorRef actor);
}

public static class ActorRefFactoryExtensions
{
    public static IActorRef ActorOf<TActor>(this IActorRefFactory factory, string? name = null)
        where TActor : ActorBase, new() => factory.ActorOf(Props.Create<TActor>(), name);
}

/// <summary>An actor's view of itself and its surroundings. Only for use inside of that actor's turns.</summary>
public interface IActorContext : IActorRefFactory
{
    IActorRef Self { get; }

    IActorRef Parent { get; }

    /// <summary>Who sent the message being handled; the dead letters when nobody did.</summary>
    IActorRef Sender { get; }

    ActorSystem System { get; }

    Props Props { get; }

    MessageDispatcher Dispatcher { get; }

    /// <summary>The silence after which <see cref="Actors.ReceiveTimeout"/> comes; null when not set.</summary>
    TimeSpan? ReceiveTimeout { get; }

    /// <summary>The child of that name, or <see cref="ActorRefs.Nobody"/>.</summary>
    IActorRef Child(string name);

    /// <summary>The children as they are now.</summary>
    IEnumerable<IActorRef> GetChildren();

    /// <summary>Asks for a <see cref="Terminated"/> when the actor stops (at once if it has already).</summary>
    /// <returns>The watched actor.</returns>
    IActorRef Watch(IActorRef subject);

    /// <summary>As <see cref="Watch"/>, with a message of the caller's own instead of the Terminated.</summary>
    IActorRef WatchWith(IActorRef subject, object message);

    /// <summary>Takes a watch back; a Terminated already in the mailbox is dropped.</summary>
    IActorRef Unwatch(IActorRef subject);

    /// <summary>Sets the silence after which <see cref="Actors.ReceiveTimeout"/> is told to Self, again after
    /// each such silence; null ends it.</summary>
    void SetReceiveTimeout(TimeSpan? receiveTimeout);

    /// <summary>Replaces the top of the behaviour stack from the next message on.</summary>
    void Become(Receive receive);

    /// <summary>Puts a behaviour on top of the stack.</summary>
    void BecomeStacked(Receive receive);

    /// <summary>Goes back to the behaviour below; the first one stays.</summary>
    void UnbecomeStacked();
}
