using Router.Routes;

namespace Router.Hosting;

/// <summary>What a program adds for routes to name, besides handlers.</summary>
/// <param name="WindowHandlers">For collect routes.</param>
/// <param name="RoomJoins">For room routes.</param>
internal sealed record RouterParts(
    IReadOnlyDictionary<string, Func<WindowHandler>> WindowHandlers,
    IReadOnlyDictionary<string, Func<RoomJoin>> RoomJoins)
{
    /// <summary>For actor routes: each finds its actor, or Nobody.</summary>
    public IReadOnlyDictionary<string, Func<IActorRef>> Actors { get; init; } =
        new Dictionary<string, Func<IActorRef>>();

    public static RouterParts None { get; } =
        new(new Dictionary<string, Func<WindowHandler>>(), new Dictionary<string, Func<RoomJoin>>());
}
