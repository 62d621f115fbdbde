using Akka.Cluster.Sharding;
using Router.Cluster.Identities;

namespace Router.TestKit;

/// <summary>Stands for Akka's shard region: takes what is told to an identity to its entity, at the member that first
/// asked for it.</summary>
internal sealed class KitRegion(KitCluster cluster) : UntypedActor, IWithTimers
{
    public const string Name = "router-kit-identities";

    private readonly Dictionary<string, KitMember> _places = new(StringComparer.Ordinal);

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case IToIdentity told:
                Pass(told);
                break;
            case KitMemberDied died:
                OnDied(died.Member);
                break;
            case Removed removed:
                OnRemoved(removed.Member);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    /// <summary>What is told to an entity of a dead member is lost, as it is while Akka's shards are being moved:
    /// whoever expects an answer asks again.</summary>
    private void Pass(IToIdentity told)
    {
        if (!_places.TryGetValue(told.Identity, out var member))
        {
            member = cluster.Members.FirstOrDefault(each => each.Hub.Equals(Sender))
                ?? cluster.Members.First(static each => !each.HasDied);
            _places[told.Identity] = member;
        }

        if (!member.HasDied)
        {
            ShardOf(member).Forward(told);
        }
    }

    private static IActorRef ShardOf(KitMember member) => Context.Child(member.Name) is { } shard && !shard.IsNobody()
        ? shard
        : Context.ActorOf(Props.Create<KitShard>(member.Environment), member.Name);

    private void OnDied(KitMember member)
    {
        Context.Stop(ShardOf(member));
        cluster.Table.SetUnreachable(member.Unique, isUnreachable: true);
        Timers.StartSingleTimer(member.Name, new Removed(member), KitCluster.RemovedAfter);
    }

    private void OnRemoved(KitMember member)
    {
        cluster.Table.Remove(member.Unique, inOrder: false);
        foreach (var identity in _places.Where(place => place.Value == member).Select(static p => p.Key).ToList())
        {
            _places.Remove(identity);
        }

        foreach (var other in cluster.Members)
        {
            other.Hub.Tell(new MemberGone(member.Unique.Address), ActorRefs.NoSender);
        }
    }

    private sealed record Removed(KitMember Member);
}

/// <summary>Stands for Akka's shard: the parent of a member's entities.</summary>
internal sealed class KitShard(IdentityEnvironment environment) : UntypedActor, IWithTimers
{
    /// <summary>What came for entities that are about to end: for those that follow.</summary>
    private readonly Dictionary<IActorRef, Queue<(IToIdentity Told, IActorRef From)>> _ending = [];

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() =>
        Timers.StartPeriodicTimer(nameof(Look), Look.Instance, RestingIdentities.LookEvery);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case IToIdentity told:
                Pass(told, Sender);
                break;
            case Passivate passivate when _ending.TryAdd(Sender, []):
                Context.Watch(Sender);
                Sender.Tell(passivate.StopMessage);
                break;
            case Terminated ended when _ending.Remove(ended.ActorRef, out var waiting):
                foreach (var (told, from) in waiting)
                {
                    Pass(told, from);
                }

                break;
            case Look:
                environment.Resting.Look();
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Pass(IToIdentity told, IActorRef from)
    {
        var name = Uri.EscapeDataString(told.Identity);
        var entity = Context.Child(name);
        if (entity.IsNobody())
        {
            entity = Context.ActorOf(Props.Create<IdentityEntity>(environment), name);
        }

        if (_ending.TryGetValue(entity, out var waiting))
        {
            waiting.Enqueue((told, from));
        }
        else
        {
            entity.Tell(told, from);
        }
    }

    private sealed class Look
    {
        public static readonly Look Instance = new();
    }
}

/// <summary>A member's hub. An entity's member is told by its place under the region, for all are in one system.
/// </summary>
internal sealed class KitHub(
    IActorRef entities, HubFigures figures, IIdentityMembers members, Place place, KitCluster cluster)
    : IdentityHub(entities, figures, members, place)
{
    protected override Address AddressOf(IActorRef entity) =>
        cluster.Members.FirstOrDefault(member => member.Name == entity.Path.Parent.Name)?.Unique.Address
            ?? Place.Address;
}
