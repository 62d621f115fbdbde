using Router.Cluster.Checkpoints;

namespace Router.Cluster.Identities;

/// <summary>What an identity's logic needs of the world. In its turns.</summary>
internal interface IIdentityWorld
{
    /// <summary>This member hears of a majority, so that what it decides holds.</summary>
    bool MayDecide { get; }

    /// <summary>A member was removed not long ago, so that sessions may live whose entity was lost with it.</summary>
    bool MayHaveLostEntities { get; }

    /// <summary>The hubs of all members that may have sessions.</summary>
    IReadOnlyCollection<(Place Place, IActorRef Hub)> Hubs { get; }

    /// <summary>The member is out of the cluster, and so long unheard of here that its fence is shut, unless another
    /// member has heard it later: that one says so when it is asked.</summary>
    bool IsGone(Place place);

    void Send(IActorRef hub, IToHub message);

    /// <summary>Takes a new epoch: answered by <see cref="IdentityState.OnClaimed"/> or
    /// <see cref="IdentityState.OnClaimFailed"/>, maybe at once.</summary>
    void Claim(long lowestEpoch);

    /// <summary>Keeps a checkpoint.</summary>
    /// <param name="checkpoint">The newest.</param>
    /// <param name="asker">Whom <see cref="Kept"/> is told; null for nobody.</param>
    void Save(Checkpoint checkpoint, Attachment? asker);

    /// <summary>Keeps a checkpoint that another member has handed over, where each member keeps its own.</summary>
    void Keep(Checkpoint checkpoint);

    /// <summary>Forgets the checkpoint, if nobody else has claimed the identity since.</summary>
    void Forget(long epoch);

    /// <summary>Has <see cref="IdentityState.OnWake"/> called once, instead of an earlier wish.</summary>
    void WakeIn(TimeSpan delay);

    /// <summary>Nobody needs the entity: it ends, and is made again by the next message.</summary>
    void End();

    /// <summary>Tells the entity that follows this one, which has ended, what came too late for it.</summary>
    void PassOn(IToIdentity message, IActorRef hub);

    void CountQueueDrop();

    void Answer(IActorRef asker, Delivery delivery);

    /// <summary>A session was attached.</summary>
    /// <param name="isSupersede">Instead of another one.</param>
    void CountAttached(bool isSupersede);
}

/// <summary>A member's process: one that was started again at the same address is another.</summary>
/// <param name="Address">Where it is reached.</param>
/// <param name="Uid">Of its actor system.</param>
internal readonly record struct Place(Address Address, int Uid);

/// <summary>A session that speaks for an identity, or is about to.</summary>
/// <param name="Session">Its id.</param>
/// <param name="Hub">The hub of its member.</param>
/// <param name="Place">Its member.</param>
/// <param name="Peer">Where its peer is.</param>
/// <param name="Order">Counts the sessions that asked at its member.</param>
/// <param name="Epoch">0 until it is attached.</param>
internal sealed record Attachment(
    Sessions.SessionId Session, IActorRef Hub, Place Place, string Peer, long Order, long Epoch)
{
    /// <summary>Of one whose entity was lost: it speaks already.</summary>
    public bool IsLive => Epoch > 0;

    /// <summary>Whether both are of one member, and the other asked there before this one.</summary>
    public bool IsLaterThan(Attachment other) => Place == other.Place && Order > other.Order;

    /// <summary>For the record of the session that it follows.</summary>
    public string Text => $"{Session} {Peer}";
}

/// <summary>Limits of identities, as configured for the whole cluster.</summary>
/// <param name="QueueMessages">Messages that wait for a session.</param>
/// <param name="ForgetAfter">How long an identity is kept that no session speaks for.</param>
internal sealed record IdentityLimits(int QueueMessages, TimeSpan ForgetAfter)
{
    private static readonly TimeSpan UnknownMost = TimeSpan.FromSeconds(10);

    /// <summary>How long one is kept that no session has spoken for, and nobody has left a message for: anybody who
    /// asks for a name makes such ones.</summary>
    public TimeSpan ForgetUnknownAfter => ForgetAfter < UnknownMost ? ForgetAfter : UnknownMost;
}
