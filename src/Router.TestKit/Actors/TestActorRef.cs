namespace Router.TestKit.Actors;

/// <summary>An actor on the calling thread's dispatcher whose instance a test can look into.</summary>
public sealed class TestActorRef<TActor> : IActorRefAlias
    where TActor : ActorBase
{
    private readonly ActorCell _cell;

    internal TestActorRef(ActorCell cell) => _cell = cell;

    /// <summary>The instance as it is now; another one after a restart.</summary>
    public TActor UnderlyingActor => (TActor)(_cell.UnderlyingActor
        ?? throw new InvalidOperationException($"{_cell} has no instance: it failed to start, or has stopped."));

    public ActorPath Path => _cell.Path;

    ActorRefBase IActorRefAlias.Target => _cell;

    public void Tell(object message, IActorRef? sender) => _cell.Tell(message, sender);

    public bool Equals(IActorRef? other) => _cell.Equals(other);

    public override bool Equals(object? obj) => Equals(obj as IActorRef);

    public override int GetHashCode() => _cell.GetHashCode();

    public override string ToString() => _cell.ToString();
}
