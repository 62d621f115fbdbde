using Router.Configuration;
using Router.Routes;
using Router.Sessions;

namespace Router.Hosting;

/// <summary>Room routes.</summary>
internal sealed partial class RouterPlanner
{
    private Route? MakeRoom(RoomRouteOptions room)
    {
        var join = room.Join == RoomJoinBy.Handler ? JoinOf(room) : null;
        if (join is null && room.Join == RoomJoinBy.Handler)
        {
            return null;
        }

        return new RoomRoute(room.Name, new RoomSettings(
            room.Join switch
            {
                RoomJoinBy.Listener => RoomEntry.Listener,
                RoomJoinBy.Handler => RoomEntry.Handler,
                _ => RoomEntry.FirstPayload,
            },
            join,
            room.ToSender,
            room.MaxRooms,
            room.MaxMembers,
            room.MaxPayload,
            room.Buffer,
            room.WhenSlow == RoomWhenSlow.Close,
            ValidationOf(room.Proof)));
    }

    private Func<RoomJoin>? JoinOf(RoomRouteOptions room)
    {
        if (room.HandlerName is not { } name)
        {
            return FindClass<RoomJoin>(room, room.Class!);
        }

        if (parts.RoomJoins.TryGetValue(name, out var join))
        {
            return join;
        }

        Refuse(room, $"names room join '{name}', which the program did not add; added: {Listed(parts.RoomJoins.Keys)}");
        return null;
    }
}
