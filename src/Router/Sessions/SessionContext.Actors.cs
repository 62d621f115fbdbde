namespace Router.Sessions;

/// <summary>The session among actors: who told it something, its children, whom it watches.</summary>
/// <remarks>
/// A handler is not always run by its own actor's turn, so Akka's ambient context is not its: there is no implicit
/// sender, and a handler says whom it speaks for: <c>backend.Tell(query, session.Self)</c>. The static Context of Akka
/// must not be used in a handler.
/// </remarks>
public sealed partial class SessionContext
{
    /// <summary>Who may have the actor's reference: nobody else; somebody; the actor is another session's.</summary>
    private const byte Private = 0, Shared = 1, GivenAway = 2;

    private byte _reach;

    /// <summary>The session's actor: tell it to have <see cref="SessionHandler.OnMessage"/> called. Ask, watch and pipe
    /// to it from anywhere. It is this session's alone: once its session has ended, a message is a dead letter.
    /// </summary>
    public IActorRef Self => MarkShared() ? Ref : ActorRefs.Nobody;

    /// <summary>Who told the message that <see cref="SessionHandler.OnMessage"/> handles. Dead letters if nobody said
    /// so, and outside of that call: keep it in a variable where an answer comes later.</summary>
    public IActorRef Sender => Actor?.SenderOfMessage ?? ActorRefs.Nobody;

    /// <summary>Who the peer is, whatever its address; null where that is not known, or the listener has
    /// <c>identity = none</c>. Any other session of it, on any member of the cluster, ends before this one is attached.
    /// </summary>
    public string? Identity => _extras?.Identity?.Name;

    /// <summary>The number of this attachment; it grows with each that the identity has had. 0 before.</summary>
    public long Epoch => _extras?.Identity?.Epoch ?? 0;

    internal SessionIdentity? Identified => _extras?.Identity;

    /// <summary>Starts a child actor of the session. It is stopped when the session ends, and when the handler that it
    /// was made by is replaced after a failure; a failure of its own is the session's to supervise, by Akka's default:
    /// it is restarted.</summary>
    /// <param name="props">What it is; runs on Akka's default dispatcher, not on the loop, unless this says
    /// otherwise.</param>
    /// <param name="name">Its name among the session's children; without one Akka gives it a name.</param>
    /// <exception cref="InvalidOperationException">The session is over.</exception>
    /// <exception cref="InvalidActorNameException">There is a child of that name: also one that is still
    /// stopping.</exception>
    public IActorRef ActorOf(Props props, string? name = null)
    {
        var context = ActorContext;
        MarkShared();   // a child knows its parent
        return context.ActorOf(props, name);
    }

    /// <summary>The child of that name, or <see cref="ActorRefs.Nobody"/>.</summary>
    public IActorRef Child(string name) => Actor?.OwnContext.Child(name) ?? ActorRefs.Nobody;

    /// <summary>Stops a child once it has done with the message that it handles; later ones are dead letters.</summary>
    /// <exception cref="ArgumentException">It is no child of the session.</exception>
    public void Stop(IActorRef child)
    {
        ArgumentNullException.ThrowIfNull(child);
        var context = ActorContext;
        if (!context.GetChildren().Contains(child))
        {
            throw new ArgumentException($"{child.Path} is no child of the session", nameof(child));
        }

        context.Stop(child);
    }

    /// <summary>Has <see cref="Terminated"/> told to <see cref="SessionHandler.OnMessage"/> when the actor has stopped,
    /// or has already. Holds until then, also for a fresh handler after a failure.</summary>
    /// <exception cref="InvalidOperationException">The session is over.</exception>
    public void Watch(IActorRef actor)
    {
        var context = ActorContext;
        MarkShared();   // the watched actor knows its watchers
        context.Watch(actor);
    }

    /// <summary>Takes <see cref="Watch(IActorRef)"/> back: nothing is told after it, even what is under way.</summary>
    public void Unwatch(IActorRef actor) => Actor?.OwnContext.Unwatch(actor);

    /// <summary>Actors of the router's system by their path: <c>/user/backend</c>. Tell them with
    /// <see cref="Self"/> as the sender.</summary>
    /// <exception cref="InvalidOperationException">The session is over.</exception>
    public ActorSelection ActorSelection(string path) => ActorContext.ActorSelection(path);

    /// <summary>The same as <see cref="Self"/>, for nobody who keeps it beyond the session's end.</summary>
    internal IActorRef Ref { get; set; } = ActorRefs.Nobody;

    internal SessionActor? Actor { get; set; }

    /// <summary>Somebody may have the reference of the session's actor, which so serves no other peer.</summary>
    internal bool IsShared => Volatile.Read(ref _reach) == Shared;

    /// <summary>Something waits in its mailbox. In its own turn.</summary>
    internal bool HasMessages => Actor is not { HasMessages: false };

    private IActorContext ActorContext =>
        Actor?.OwnContext ?? throw new InvalidOperationException("the session is over: it has no actor any more");

    /// <summary>Says that somebody may have the reference from now on. Any thread.</summary>
    /// <returns>False where the actor is another session's by now.</returns>
    internal bool MarkShared() => Interlocked.CompareExchange(ref _reach, Shared, Private) != GivenAway;
}
