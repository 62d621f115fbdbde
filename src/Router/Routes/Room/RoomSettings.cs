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
/// <param name="Join">Names the room, where <see cref="RoomEntry.Handler"/> says so.</param>
/// <param name="ToSender">Whether who says something hears it too.</param>
/// <param name="RoomsMax">Rooms at once.</param>
/// <param name="MembersMax">Members of one room.</param>
/// <param name="PayloadMax">Bytes of one payload, or of one line.</param>
/// <param name="Buffer">Bytes under way between loops.</param>
/// <param name="ClosesSlow">Whether a stream that holds its write buffer's worth unsent is closed; else it misses
/// payloads.</param>
/// <param name="Validation">What a UDP peer must prove before it joins.</param>
internal sealed record RoomSettings(
    RoomEntry Entry,
    Func<RoomJoin>? Join,
    bool ToSender,
    int RoomsMax,
    int MembersMax,
    int PayloadMax,
    int Buffer,
    bool ClosesSlow,
    PeerValidation Validation);
