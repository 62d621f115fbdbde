using Router.Net;

namespace Router.Sessions;

/// <summary>What becomes of a new peer that another member of the cluster may have a session of.</summary>
/// <param name="IsDirect">Its answers leave from the member that has the session, and do not come back here.</param>
internal sealed record StraySettings(bool IsDirect);

/// <summary>Relays datagrams to the members that have their sessions, and takes what others relay; of one loop.
/// </summary>
/// <remarks>Loop thread only.</remarks>
internal interface IStrayRelay
{
    /// <summary>A session begins: asks other members whether they have one of its peer, if they may.</summary>
    /// <returns>What stands in for its handler until they have answered; null where the session begins here.</returns>
    SessionHandler? TryFind(SessionContext session);

    /// <summary>A shard whose sessions other members may ask for; twice is allowed.</summary>
    void Add(IRelayShard shard);

    void Remove(IRelayShard shard);

    /// <summary>A session of such a shard takes no more payloads.</summary>
    void OnClosing(SessionContext session);
}

/// <summary>A datagram listener's shard, as a relay sees it. Loop thread only.</summary>
internal interface IRelayShard
{
    string Listener { get; }

    /// <summary>Peers may send here: sessions are looked for under it too.</summary>
    void NoteLocal(in LocalAddr local);

    /// <summary>The live session of a peer, or null.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="local">Where it sends to now, which may be another address than before.</param>
    SessionContext? Find(in SocketAddr peer, in LocalAddr local);

    /// <summary>Adds a datagram of the session's peer to those that are given to sessions by
    /// <see cref="EndRelayed"/>.</summary>
    void AddRelayed(SessionContext session, ReadOnlySpan<byte> payload);

    /// <summary>Gives the sessions what was added, as if it had been received now.</summary>
    void EndRelayed();
}

/// <summary>What is known of the relay of strays. Any thread.</summary>
internal interface IRelaySpan
{
    RelayFigures Figures { get; }
}

/// <summary>Figures since the start, but for the first two, which are of now.</summary>
/// <param name="Relaying">Sessions here whose datagrams go to other members.</param>
/// <param name="Relayed">Ways from other members to sessions here.</param>
/// <param name="Asked">Peers that other members were asked for.</param>
/// <param name="Found">Of those, peers that one of them had a session of.</param>
/// <param name="Nowhere">Of those, peers that no member has a session of, as all have said.</param>
/// <param name="Unanswered">Of those, peers that were not found while not all had answered.</param>
/// <param name="Unasked">Peers that were not asked for: too many were, or too much was on the way.</param>
/// <param name="Passed">Datagrams of peers that were sent to other members.</param>
/// <param name="Taken">Datagrams of peers that came from other members.</param>
/// <param name="Returned">Answers that were sent to other members.</param>
/// <param name="Answers">Answers that came from other members.</param>
/// <param name="Behind">Datagrams and answers that were not sent: the window of a member was full.</param>
/// <param name="Late">Those that a loop here did not take in time.</param>
/// <param name="Lost">Those that came for a session that had ended.</param>
internal readonly record struct RelayFigures(
    long Relaying, long Relayed, long Asked, long Found, long Nowhere, long Unanswered, long Unasked, long Passed,
    long Taken, long Returned, long Answers, long Behind, long Late, long Lost)
{
    /// <summary>Bytes that the member which is furthest behind has not acknowledged.</summary>
    public long OnTheWay { get; init; }
}
