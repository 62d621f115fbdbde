namespace Router.Actors;

public static class ActorRefs
{
    /// <summary>The absent sender; an actor that asks for its sender then sees the system's dead letters.</summary>
    public static readonly IActorRef? NoSender;

    /// <summary>A reference that swallows everything, for "no such actor".</summary>
    public static readonly IActorRef Nobody = new NobodyRef();

    private sealed class NobodyRef : ActorRefBase
    {
        private static readonly ActorPath NobodyPath =
            ActorPath.Root("all-systems").Child("Nobody", ActorPath.UndefinedUid);

        public override ActorPath Path => NobodyPath;

        internal override ActorSystem System => throw new InvalidOperationException("Nobody belongs to no system.");

        public override void Tell(object message, IActorRef? sender)
        {
        }
    }
}

public static class ActorRefImplicitSenderExtensions
{
    /// <summary>Tells with the actor whose turn this is as the sender; outside of a turn with none.</summary>
    public static void Tell(this IActorRef receiver, object message) =>
        receiver.Tell(message, ActorCell.Current);

    /// <summary>Tells on, keeping the sender of the message being handled. Only inside of an actor.</summary>
    public static void Forward(this IActorRef receiver, object message)
    {
        var cell = ActorCell.Current
            ?? throw new InvalidOperationException("Cannot use Forward outside of an actor.");
        receiver.Tell(message, cell.Sender);
    }
}

public static class ActorRefExtensions
{
    /// <summary>True for null and for <see cref="ActorRefs.Nobody"/>.</summary>
    public static bool IsNobody(this IActorRef? actorRef) =>
        actorRef is null || ReferenceEquals(actorRef, ActorRefs.Nobody);
}
