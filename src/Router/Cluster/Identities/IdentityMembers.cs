using Akka.Cluster;
using Router.Cluster.Members;
using Router.Sessions;

namespace Router.Cluster.Identities;

/// <summary>The cluster as entities see it.</summary>
/// <param name="system">A member's.</param>
/// <param name="table">Its members.</param>
/// <param name="fence">This member's.</param>
/// <param name="time">The clock.</param>
/// <param name="fenceTimeout">After so long unheard of, a member sends nothing more.</param>
internal sealed class IdentityMembers(
    ExtendedActorSystem system, MemberTable table, Fence fence, TimeProvider time, TimeSpan fenceTimeout)
    : IIdentityMembers
{
    /// <summary>The name of each member's hub, below /user.</summary>
    public const string HubName = "router-identities";

    /// <summary>After a removal: until then, sessions whose entity was lost have told a new one.</summary>
    private static readonly TimeSpan LossWindow = TimeSpan.FromSeconds(10);

    /// <summary>How long gossip takes to tell all members that one is not heard of, with a margin.</summary>
    private static readonly TimeSpan GossipMargin = TimeSpan.FromMilliseconds(500);

    public bool MayDecide => fence.IsOpen;

    public bool MayHaveLostEntities =>
        table.LastRemoval is { } removal && time.GetElapsedTime(removal) < LossWindow;

    public IReadOnlyCollection<(Place Place, IActorRef Hub)> Hubs =>
        [.. table.Routers.Select(member => (PlaceOf(member), ActorOf(member, HubName)))];

    public IReadOnlyCollection<(Place Place, IActorRef Actor)> HandOvers =>
        [.. table.Routers.Select(member => (PlaceOf(member), ActorOf(member, HandOverActor.Name)))];

    public bool IsGone(Place place) =>
        table.GoneFor(new UniqueAddress(place.Address, place.Uid)) is { } gone && gone >= fenceTimeout + GossipMargin;

    private static Place PlaceOf(UniqueAddress member) => new(member.Address, member.Uid);

    private IActorRef ActorOf(UniqueAddress member, string name) =>
        system.Provider.ResolveActorRef(new RootActorPath(member.Address) / "user" / name);
}
