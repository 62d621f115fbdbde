using System.Net;

namespace Router.Configuration;

/// <summary>Sessions that hear each other.</summary>
internal sealed record RoomRouteOptions : RouteOptions
{
    public required RoomJoinBy Join { get; init; }

    /// <summary><c>Namespace.Type, Assembly</c>.</summary>
    public required string? Class { get; init; }

    /// <summary>As given to <c>AddRoomJoin</c>.</summary>
    public required string? HandlerName { get; init; }

    public required bool ToSender { get; init; }

    public required int MaxRooms { get; init; }

    /// <summary>Of one room.</summary>
    public required int MaxMembers { get; init; }

    /// <summary>Bytes.</summary>
    public required int MaxPayload { get; init; }

    /// <summary>Bytes under way between loops.</summary>
    public required int Buffer { get; init; }

    public required RoomWhenSlow WhenSlow { get; init; }

    public required ProofChoice Validate { get; init; }

    /// <summary>Null for none.</summary>
    public required string? Token { get; init; }

    public required IReadOnlyList<IPNetwork> AllowUnvalidated { get; init; }

    public required TimeSpan ValidateTimeout { get; init; }
}

internal enum RoomJoinBy
{
    Listener,
    FirstPayload,
    Handler,
}

internal enum RoomWhenSlow
{
    /// <summary>It misses payloads.</summary>
    Drop,
    Close,
}

/// <summary>Reads the keys of a room route.</summary>
internal static class RoomBinder
{
    public static RoomRouteOptions Bind(SectionReader route, RouteOptions head) => new()
    {
        Join = route.Choice("join", ("listener", RoomJoinBy.Listener),
            ("first-payload", RoomJoinBy.FirstPayload), ("handler", RoomJoinBy.Handler)),
        Class = route.OptionalText("class"),
        HandlerName = route.OptionalText("name"),
        ToSender = route.Bool("to-sender"),
        MaxRooms = route.Int("max-rooms"),
        MaxMembers = route.Int("max-members"),
        MaxPayload = route.Size("max-payload"),
        Buffer = route.Size("buffer"),
        WhenSlow = route.Choice("when-slow", ("drop", RoomWhenSlow.Drop), ("close", RoomWhenSlow.Close)),
        Validate = route.Choice("validate", ("round-trip", ProofChoice.RoundTrip),
            ("token", ProofChoice.Token), ("none", ProofChoice.None)),
        Token = route.OptionalText("token"),
        AllowUnvalidated = OptionsBinder.BindNetworks(route, "allow-unvalidated"),
        ValidateTimeout = route.Duration("validate-timeout"),
        Name = head.Name,
        Origin = head.Origin,
        Source = head.Source,
    };
}
