using Router.Loop;

namespace Router.Sessions;

/// <summary>What makes the rooms of several members of a cluster one: what is said in a room here is heard by its
/// sessions there, and the other way round.</summary>
internal interface IRoomSpan
{
    /// <summary>What was passed between members so far. Any thread.</summary>
    RoomSpanFigures Figures { get; }

    /// <summary>A room has its first session here. Any thread; does not wait.</summary>
    /// <param name="name">The same on all members: the route's and the room's, <c>ROUTE/ROOM</c>.</param>
    /// <param name="room">Hears what sessions of other members say.</param>
    /// <returns>The room's way to them, to be closed once.</returns>
    IRoomReach Open(string name, IRoomHearer room);
}

/// <summary>A room's way to the members where sessions are in it too.</summary>
internal interface IRoomReach
{
    /// <summary>Adds a payload to what the loop's pass sends to each of those members.</summary>
    /// <param name="loop">The calling thread's.</param>
    /// <param name="payload">At most 65,507 bytes.</param>
    /// <returns>Members that miss it, since more than may be is on the way to them.</returns>
    int Say(IoLoop loop, ReadOnlySpan<byte> payload);

    /// <summary>The room's last session here is gone. Any thread; does not wait.</summary>
    void Close();
}

/// <summary>A room, as another member's payloads are given to it.</summary>
internal interface IRoomHearer
{
    /// <summary>Whether sessions of this loop are in it. Any thread.</summary>
    bool IsHeardOn(IoLoop loop);

    /// <summary>Passes it on to the loop's sessions in the room, and to nobody else. The loop's thread.</summary>
    void Hear(IoLoop loop, ReadOnlySpan<byte> payload);
}

/// <summary>Rooms that span members, in figures since the start, but for the first two, which are of now.</summary>
/// <param name="Rooms">Rooms with sessions here that other members may join.</param>
/// <param name="Listeners">Other members with sessions in them, summed over the rooms.</param>
/// <param name="Published">Payloads sent to other members, one for each of those.</param>
/// <param name="PublishedBytes">The same in bytes, as packed.</param>
/// <param name="Packs">Messages that took them.</param>
/// <param name="Received">Payloads of other members.</param>
/// <param name="Behind">Payloads that were not sent: the room-window of a member was full.</param>
/// <param name="Late">Payloads of other members that a loop here did not take in time.</param>
internal readonly record struct RoomSpanFigures(
    long Rooms, long Listeners, long Published, long PublishedBytes, long Packs, long Received, long Behind, long Late)
{
    /// <summary>Bytes that the member which is furthest behind has not acknowledged.</summary>
    public long OnTheWay { get; init; }
}
