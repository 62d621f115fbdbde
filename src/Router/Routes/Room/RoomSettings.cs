using Router.Admission;
using Router.Sessions;

namespace Router.Routes;

/// <summary>How a session comes into its room.</summary>
internal enum RoomEntry
{
    /// <summary>All sessions of a listener are one room.</summary>
    Listener,

    /// <summary>The first payload is the room's name.</summary>
    FirstPayload,

    /// <summary>A program's own code tells by the first payload.</summary>
    Handler,
}

/// <summary>What becomes of a member that does not take what it is sent.</summary>
internal enum RoomWhenSlow
{
    /// <summary>It misses payloads.</summary>
    Drop,

    /// <summary>Its session ends.</summary>
    Close,
}

/// <summary>How far a room reaches.</summary>
internal enum RoomExtent
{
    /// <summary>The sessions of one process.</summary>
    Member,

    /// <summary>Those of all members of the cluster.</summary>
    Cluster,
}

/// <summary>
/// Which room a session joins: a program's own code. One instance per route, called by all its loops at once; must not
/// block.
/// </summary>
public abstract class RoomJoin
{
    /// <summary>The session's first payload has come; it is not said to anybody.</summary>
    /// <param name="session">Its peer is validated, as the route asks for.</param>
    /// <param name="payload">Of a stream, its first line, its end included.</param>
    /// <returns>
    /// The room's name, 1 to 64 of letters, digits, '-', '_' and '.'; null if the session must not join: on a stream
    /// it ends, else the payload is a counted drop and the next one is asked about.
    /// </returns>
    public abstract string? RoomOf(SessionContext session, ReadOnlySpan<byte> payload);
}

/// <summary>What a room route does, as configured. Immutable.</summary>
/// <param name="Entry">How a session comes into its room.</param>
/// <param name="ToSender">Whether who says something hears it too.</param>
/// <param name="RoomsMax">Rooms at once.</param>
/// <param name="MembersMax">Members of one room.</param>
/// <param name="PayloadMax">Bytes of one payload, or of one line.</param>
/// <param name="Buffer">Bytes under way between loops.</param>
/// <param name="WhenSlow">What becomes of a stream that holds its write buffer's worth unsent.</param>
/// <param name="Validation">What a UDP peer must prove before it joins.</param>
/// <param name="Span">How far its rooms reach where the router is a member of a cluster.</param>
internal sealed record RoomSettings(
    RoomEntry Entry,
    bool ToSender,
    int RoomsMax,
    int MembersMax,
    int PayloadMax,
    int Buffer,
    RoomWhenSlow WhenSlow,
    PeerValidation Validation,
    RoomExtent Span = RoomExtent.Cluster);
