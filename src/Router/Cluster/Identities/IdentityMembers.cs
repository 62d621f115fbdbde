using System.Collections.Concurrent;
using Akka.Cluster;
using Router.Cluster.Members;
using Router.Sessions;

namespace Router.Cluster.Identities;

/// <summary>The cluster as entities see it.</summary>
/// <param name="actorOf">Where a member's actor of a name is.</param>
/// <param name="table">Its members.</param>
/// <param name="fence">This member's.</param>
/// <param name="time">The clock.</param>
/// <param name="fenceTimeout">After so long unheard of, a member sends nothing more.</param>
internal sealed class IdentityMembers(
    Func<UniqueAddress, string, IActorRef> actorOf,
    MemberTable table,
    Fence fence,
    TimeProvider time,
    TimeSpan fenceTimeout)
    : IIdentityMembers
{
    /// <summary>The name of each member's hub, below /user.</summary>
    public const string HubName = "router-identities";

    /// <summary>After a removal: until then, sessions whose entity was lost have told a new one.</summary>
    private static readonly TimeSpan LossWindow = TimeSpan.FromSeconds(10);

    private const int ActorsMax = 1_000;

    /// <summary>How long gossip takes to tell all members that one is not heard of, with a margin.</summary>
    private static readonly TimeSpan GossipMargin = TimeSpan.FromMilliseconds(500);

    public IdentityMembers(
        ExtendedActorSystem system, MemberTable table, Fence fence, TimeProvider time, TimeSpan fenceTimeout)
        : this(Resolve(system), table, fence, time, fenceTimeout)
    {
    }

    public bool MayDecide => fence.IsOpen;

    public bool MayHaveLostEntities =>
        table.LastRemoval is { } removal && time.GetElapsedTime(removal) < LossWindow
        || table.UnreachableCount > 0   // the coordinator may know of its removal before this member does
        || table.Age < LossWindow;      // this member has not seen who was removed before

    public bool MayRemovedSend =>
        table.LastDownedUnheard is { } since && time.GetElapsedTime(since) < fenceTimeout + GossipMargin;

    /// <summary>Also of those that were removed and may send yet: they will not answer, and are waited for.</summary>
    public IReadOnlyCollection<(Place Place, IActorRef Hub)> Hubs =>
    [
        .. table.Routers.Concat(table.Downed.Where(member => !IsGone(PlaceOf(member))))
            .Select(member => (PlaceOf(member), actorOf(member, HubName))),
    ];

    public IReadOnlyCollection<(Place Place, IActorRef Actor)> HandOvers =>
        [.. table.Routers.Select(member => (PlaceOf(member), actorOf(member, HandOverActor.Name)))];

    public bool IsGone(Place place) =>
        table.GoneFor(new UniqueAddress(place.Address, place.Uid)) is { } gone && gone >= fenceTimeout + GossipMargin;

    private static Place PlaceOf(UniqueAddress member) => new(member.Address, member.Uid);

    /// <summary>Remembers those of other members: entities ask for all of them. This member's own may be started anew.
    /// </summary>
    private static Func<UniqueAddress, string, IActorRef> Resolve(ExtendedActorSystem system)
    {
        var actors = new ConcurrentDictionary<(UniqueAddress, string), IActorRef>();
        return (member, name) =>
        {
            if (actors.TryGetValue((member, name), out var known))
            {
                return known;
            }

            var actor = system.Provider.ResolveActorRef(new RootActorPath(member.Address) / "user" / name);
            if (!member.Address.Equals(system.Provider.DefaultAddress))
            {
                if (actors.Count >= ActorsMax)
                {
                    actors.Clear();
                }

                actors[(member, name)] = actor;
            }

            return actor;
        };
    }
}
