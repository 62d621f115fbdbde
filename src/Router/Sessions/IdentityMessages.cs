using Router.Loop;

namespace Router.Sessions;

/// <summary>A session asks to be attached to its identity. Told to the member's hub.</summary>
/// <param name="Session">Its actor.</param>
/// <param name="Id">Its id.</param>
/// <param name="Identity">Who its peer is.</param>
/// <param name="Peer">For records: where the peer is.</param>
/// <param name="TimeoutMs">How long it waits.</param>
internal sealed record AttachSession(IActorRef Session, SessionId Id, string Identity, string Peer, int TimeoutMs);

/// <summary>A session's newest checkpoint. Told to the member's hub.</summary>
/// <param name="Id">The session's.</param>
/// <param name="Revision">One more than that of the identity's checkpoint before.</param>
/// <param name="State">The handler's bytes; nobody changes them any more.</param>
/// <param name="Sync">The session waits for <see cref="CheckpointKept"/>.</param>
internal sealed record SaveCheckpoint(SessionId Id, long Revision, ReadOnlyMemory<byte> State, bool Sync);

/// <summary>A session that has asked to be attached is over. Told to the member's hub.</summary>
/// <param name="Id">The session's.</param>
/// <param name="Revision">0 for one that never made a checkpoint since it was attached.</param>
/// <param name="State">Its last checkpoint.</param>
internal sealed record EndSession(SessionId Id, long Revision, ReadOnlyMemory<byte> State);

/// <summary>What the member's hub tells a session.</summary>
internal abstract record IdentityMessage;

/// <summary>The session speaks for its identity from now on.</summary>
/// <param name="Epoch">Of this attachment.</param>
/// <param name="Revision">Of the checkpoint; 0 if there is none.</param>
/// <param name="State">The checkpoint.</param>
/// <param name="Supersedes">Which session had to end for it, and where its peer is, for records; null for none.
/// </param>
internal sealed record IdentityAttached(
    long Epoch, long Revision, ReadOnlyMemory<byte> State, string? Supersedes = null) : IdentityMessage;

/// <summary>Its attachment has got another epoch: the identity's entity was lost, and has begun anew.</summary>
internal sealed record IdentityEpoch(long Epoch) : IdentityMessage;

/// <summary>The session could not be attached in time.</summary>
internal sealed record IdentityUnattached : IdentityMessage
{
    public static readonly IdentityUnattached Instance = new();
}

/// <summary>Another session speaks for the identity.</summary>
/// <param name="By">Which one and where its peer is, for the record.</param>
internal sealed record IdentitySuperseded(string By) : IdentityMessage;

/// <summary>What has become of a checkpoint that the session waits for.</summary>
internal sealed record CheckpointKept(long Revision, bool IsKept) : IdentityMessage;

/// <summary>Somebody told the identity something. The sender is theirs.</summary>
/// <param name="Message">Theirs.</param>
/// <param name="Ack">Who waits for <see cref="IdentityTaken"/>; null for nobody.</param>
internal sealed record IdentityTold(object Message, IActorRef? Ack) : IdentityMessage, ICarriesMessage;

/// <summary>The attached session's handler has been given the message.</summary>
internal sealed record IdentityTaken
{
    public static readonly IdentityTaken Instance = new();
}

/// <summary>Time for the next checkpoint; or before, the peer is late with who it is.</summary>
internal sealed record CheckpointDue : IdentityMessage
{
    public static readonly CheckpointDue Instance = new();
}
