using Router.Cluster.Packs;

namespace Router.Cluster.Rooms;

/// <summary>Another member, as rooms see it. Packs go to each by itself and not through the topic, so that no other one
/// misses what a member misses that is behind.</summary>
/// <param name="rooms">Its <see cref="RoomsActor"/>.</param>
/// <param name="loops">How many there are here.</param>
internal sealed class RoomPeer(IActorRef rooms, int loops) : PackPeer(rooms, loops)
{
    /// <summary>Where it hears, and the topics. The actor's.</summary>
    public Dictionary<long, RoomTopic> Ports { get; } = [];
}

/// <summary>Where something that is said in a room goes to.</summary>
internal readonly record struct RoomTarget(RoomPeer Peer, long Port);
