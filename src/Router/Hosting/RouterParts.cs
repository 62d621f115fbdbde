using Router.Routes.Collecting;
using Router.Routes.Rooms;

namespace Router.Hosting;

/// <summary>What a program adds for routes to name, besides handlers.</summary>
/// <param name="WindowHandlers">For collect routes.</param>
/// <param name="RoomJoins">For room routes.</param>
internal sealed record RouterParts(
    IReadOnlyDictionary<string, Func<WindowHandler>> WindowHandlers,
    IReadOnlyDictionary<string, Func<RoomJoin>> RoomJoins)
{
    public static RouterParts None { get; } =
        new(new Dictionary<string, Func<WindowHandler>>(), new Dictionary<string, Func<RoomJoin>>());
}
