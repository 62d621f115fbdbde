using Router.Configuration;
using Router.Sessions;

namespace Router.Routes;

/// <summary>Sessions that hear each other.</summary>
internal sealed class RoomRouteOptions(SectionReader route) : RouteOptions(route)
{
    public RoomEntry Join { get; } = route.Choice<RoomEntry>("join", Reload.NewSessions);

    /// <summary><c>Namespace.Type, Assembly</c>.</summary>
    public string? Class { get; } = route.OptionalText("class", Reload.NewSessions);

    /// <summary>As given to <c>AddRoomJoin</c>.</summary>
    public string? HandlerName { get; } = route.OptionalText("name", Reload.NewSessions);

    public bool ToSender { get; } = route.Bool("to-sender", Reload.NewSessions);

    public int MaxRooms { get; } = route.Int("max-rooms", 1, 1_000_000, Reload.NewSessions);

    /// <summary>Of one room.</summary>
    public int MaxMembers { get; } = route.Int("max-members", 1, 100_000, Reload.NewSessions);

    /// <summary>Bytes.</summary>
    public int MaxPayload { get; } = route.Size("max-payload", 64, 65_507, Reload.NewSessions);

    /// <summary>Bytes under way between loops.</summary>
    public int Buffer { get; } = route.Size("buffer", 256 << 10, 1 << 30, Reload.NewSessions);

    public RoomWhenSlow WhenSlow { get; } = route.Choice<RoomWhenSlow>("when-slow", Reload.NewSessions);

    /// <summary>What a UDP peer must prove before it joins.</summary>
    public ProofOptions Proof { get; } = new(route);

    public override Route? Build(RouteEnvironment environment)
    {
        var asks = Join == RoomEntry.Handler;
        var join = asks ? environment.Find<RoomJoin>(this, "room join", HandlerName, Class) : null;
        return asks && join is null
            ? null
            : new RoomRoute(Name, new RoomSettings(
                Join,
                join,
                ToSender,
                MaxRooms,
                MaxMembers,
                MaxPayload,
                Buffer,
                WhenSlow == RoomWhenSlow.Close,
                Proof.Validation));
    }
}

internal enum RoomWhenSlow
{
    /// <summary>It misses payloads.</summary>
    Drop,
    Close,
}
