using Router.Sessions;

namespace Router.Cluster.Identities;

/// <summary>What is told to an identity's entity, wherever that is: by way of the shard region.</summary>
internal interface IToIdentity
{
    string Identity { get; }
}

/// <summary>What an entity tells the hub of a session's member.</summary>
internal interface IToHub
{
    string Identity { get; }
}

/// <summary>A checkpoint as members tell it each other.</summary>
/// <param name="Revision">0 for none.</param>
/// <param name="Bytes">The handler's.</param>
internal readonly record struct KeptState(long Revision, ReadOnlyMemory<byte> Bytes);

/// <summary>A session wants to speak for the identity. Told again until there is an answer.</summary>
/// <param name="Identity">Whose.</param>
/// <param name="Session">Its id, by which a repeated message is known.</param>
/// <param name="Place">Its member.</param>
/// <param name="Peer">For records: where its peer is.</param>
/// <param name="Order">Counts the sessions that asked at its member, from 1: of two, the one with the higher order
/// asked later.</param>
/// <param name="LiveEpoch">Of a session that is attached already, and whose entity was lost; 0 for one that is new.
/// </param>
/// <param name="State">The newest checkpoint of a session that is attached already.</param>
internal sealed record Attach(
    string Identity, SessionId Session, Place Place, string Peer, long Order, long LiveEpoch, KeptState State)
    : IToIdentity;

/// <summary>A session is over, or gives up. Told again until it is acknowledged.</summary>
/// <param name="Epoch">Of its attachment; 0 if it had none.</param>
internal sealed record Detach(string Identity, SessionId Session, long Epoch, KeptState State) : IToIdentity;

/// <summary>A session has a new checkpoint.</summary>
/// <param name="Sync">The session waits for <see cref="Kept"/>.</param>
internal sealed record Save(string Identity, SessionId Session, long Epoch, KeptState State, bool Sync) : IToIdentity;

/// <summary>Somebody has something to say to whoever speaks for the identity.</summary>
/// <param name="Message">Theirs; serialized by Akka's rules where it goes to another member.</param>
/// <param name="From">Their reference, which the session sees as the sender.</param>
/// <param name="Ack">Who waits for <see cref="Delivery"/>; such a message does not wait for a session.</param>
internal sealed record Tell(string Identity, object Message, IActorRef From, IActorRef? Ack) : IToIdentity;

/// <summary>Answers <see cref="WhoHas"/>: no session of this member speaks for the identity.</summary>
internal sealed record HasNone(string Identity, Place Place) : IToIdentity;

/// <summary>A message came for a session that is over.</summary>
internal sealed record Undelivered(string Identity, SessionId Session, Tell What) : IToIdentity;

/// <summary>The session speaks for the identity.</summary>
/// <param name="Supersedes">Which session had to end for it, and where its peer is; null for none, and where the answer
/// is told again.</param>
internal sealed record Attached(
    string Identity, SessionId Session, long Epoch, KeptState State, string? Supersedes = null) : IToHub;

/// <summary>A session that was attached stays so, by another epoch or another entity.</summary>
/// <param name="Revision">The checkpoint that the entity has: a later one was lost on its way, and comes again.</param>
internal sealed record EpochIs(string Identity, SessionId Session, long Epoch, long Revision) : IToHub;

/// <summary>The session has to end now, and its last checkpoint is wanted: answered by <see cref="Detach"/>.</summary>
/// <param name="By">Which session follows, and where its peer is.</param>
internal sealed record Supersede(string Identity, SessionId Session, string By) : IToHub;

/// <summary>Another session has been attached since: this one has to end, and nothing of it is wanted.</summary>
internal sealed record Over(string Identity, SessionId Session, string By) : IToHub;

/// <summary>Answers <see cref="Detach"/>: it need not be told again.</summary>
internal sealed record Detached(string Identity, SessionId Session) : IToHub;

/// <summary>What has become of a checkpoint that a session waits for.</summary>
internal sealed record Kept(string Identity, SessionId Session, long Revision, bool IsKept) : IToHub;

/// <summary>The entity has begun anew and does not know of the attachment: answered by <see cref="Attach"/>.</summary>
internal sealed record Unknown(string Identity, SessionId Session) : IToHub;

/// <summary>An entity that has begun anew asks for a session that speaks for the identity: answered by
/// <see cref="Attach"/> or <see cref="HasNone"/>.</summary>
internal sealed record WhoHas(string Identity) : IToHub;

/// <summary>For the session's handler.</summary>
internal sealed record Pass(string Identity, SessionId Session, Tell What) : IToHub;

/// <summary>What became of a message to an identity whose teller asked.</summary>
public enum Delivery
{
    /// <summary>The handler of the session that speaks for the identity was given it.</summary>
    Delivered,

    /// <summary>No session speaks for the identity now; the message is gone.</summary>
    NotAttached,

    /// <summary>There was no answer in time: it may have been delivered or not.</summary>
    Unreachable,
}
