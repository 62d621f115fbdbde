namespace Router.TestKit.Actors;

/// <summary>A test actor beside the kit's own; usable wherever a reference is.</summary>
public sealed class TestProbe : TestKitBase, IActorRefAlias
{
    internal TestProbe(ActorSystem system, string name)
        : base(system, name)
    {
    }

    /// <summary>The probe's actor.</summary>
    public IActorRef Ref => TestActor;

    /// <summary>Who sent the message received last.</summary>
    public IActorRef Sender => LastSender;

    public ActorPath Path => TestActor.Path;

    ActorRefBase IActorRefAlias.Target => (ActorRefBase)TestActor;

    /// <summary>Tells in the name of the probe.</summary>
    public void Send(IActorRef actor, object message) => actor.Tell(message, TestActor);

    /// <summary>Answers the message received last.</summary>
    public void Reply(object message) => Sender.Tell(message, TestActor);

    /// <summary>Tells the message received last on, in the name of its sender.</summary>
    public void Forward(IActorRef actor) => actor.Tell(LastMessage!, Sender);

    public void Tell(object message, IActorRef? sender) => TestActor.Tell(message, sender);

    public bool Equals(IActorRef? other) => TestActor.Equals(other);

    public override bool Equals(object? obj) => Equals(obj as IActorRef);

    public override int GetHashCode() => TestActor.GetHashCode();

    public override string ToString() => TestActor.ToString()!;
}
