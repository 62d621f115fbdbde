using System.Runtime.CompilerServices;

namespace Router.Actors;

/// <summary>Something messages can be told to.</summary>
public interface ICanTell
{
    /// <summary>Sends without waiting. Never throws for a dead receiver: the message becomes a dead letter.</summary>
    void Tell(object message, IActorRef? sender);
}

/// <summary>The address of one incarnation of an actor. Equal only to itself: an actor started later under
/// the same name has another reference. Safe to use from any thread.</summary>
public interface IActorRef : ICanTell, IEquatable<IActorRef>
{
    ActorPath Path { get; }
}

/// <summary>Stands for another reference: a probe of the test kit for its actor.</summary>
internal interface IActorRefAlias : IActorRef
{
    ActorRefBase Target { get; }
}

/// <summary>What every reference of this kernel can do beyond its public face.</summary>
internal abstract class ActorRefBase : IActorRef
{
    public abstract ActorPath Path { get; }

    internal abstract ActorSystem System { get; }

    /// <summary>True once the actor runs no more and its mailbox takes nothing.</summary>
    internal virtual bool IsTerminated => false;

    public abstract void Tell(object message, IActorRef? sender);

    /// <summary>Enqueues a message of the kernel, handled before all user messages.</summary>
    internal virtual void SendSystem(SystemMessage message)
    {
    }

    /// <summary>Asks the actor to stop after the message it handles now.</summary>
    internal virtual void Stop()
    {
    }

    /// <summary>The kernel's reference behind any reference.</summary>
    internal static ActorRefBase Of(IActorRef actorRef) => actorRef switch
    {
        ActorRefBase own => own,
        IActorRefAlias alias => alias.Target,
        _ => throw new ArgumentException($"{actorRef} is no reference of this kernel.", nameof(actorRef)),
    };

    public bool Equals(IActorRef? other) =>
        ReferenceEquals(this, other) || (other is IActorRefAlias alias && ReferenceEquals(this, alias.Target));

    public sealed override bool Equals(object? obj) => Equals(obj as IActorRef);

    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);

    public sealed override string ToString() => $"[{Path}#{Path.Uid}]";
}
