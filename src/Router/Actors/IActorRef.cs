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
public interface IActorRef : ICanTell, IEquatable<IActorRef>, IComparable<IActorRef>, IComparable
{
    ActorPath Path { get; }
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

    public bool Equals(IActorRef? other) => ReferenceEquals(this, other);

    public sealed override bool Equals(object? obj) => ReferenceEquals(this, obj);

    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);

    public int CompareTo(IActorRef? other)
    {
        if (other is null)
        {
            return 1;
        }

        var byPath = Path.CompareTo(other.Path);
        return byPath != 0 ? byPath : Path.Uid.CompareTo(other.Path.Uid);
    }

    public int CompareTo(object? obj) => CompareTo(obj as IActorRef);

    public sealed override string ToString() => $"[{Path}#{Path.Uid}]";
}
