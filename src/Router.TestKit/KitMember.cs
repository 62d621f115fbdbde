using System.Globalization;
using Akka.Cluster;
using Router.Cluster.Identities;
using Router.Sessions;

namespace Router.TestKit;

/// <summary>A member of a <see cref="KitCluster"/>: a router of its own, as far as identities go.</summary>
public sealed class KitMember
{
    private readonly RouterTestKit _kit;
    private readonly IActorRef _region;
    private readonly List<KitListener> _listeners = [];

    internal KitMember(RouterTestKit kit, KitCluster cluster, UniqueAddress unique, IActorRef region)
    {
        (_kit, _region, Unique) = (kit, region, unique);
        Name = unique.Address.Host!;
        Fence = new Fence(kit.Time);
        OpenFence();
        Environment = cluster.EnvironmentOf(this);
        var place = new Place(unique.Address, unique.Uid);
        Hub = kit.Sys.ActorOf(
            Props.Create<KitHub>(region, new HubFigures(), Environment.Members, place, cluster),
            $"{IdentityMembers.HubName}-{Name}");
    }

    /// <summary>Its name, <c>member-1</c> for the first.</summary>
    public string Name { get; }

    /// <summary>Whether <see cref="Die"/> was called.</summary>
    public bool HasDied { get; private set; }

    internal UniqueAddress Unique { get; }

    internal Fence Fence { get; }

    internal IdentityEnvironment Environment { get; }

    internal IActorRef Hub { get; }

    internal static Address AddressOf(int number) => new(
        "akka.tcp", "router", string.Create(CultureInfo.InvariantCulture, $"member-{number}"), 27_200);

    /// <summary>A datagram listener of this member, as <see cref="RouterTestKit.BindUdp(Func{SessionHandler}, string?,
    /// ListenerLimits?)"/> makes one. Its limits say how its sessions come by an identity.</summary>
    public KitListener BindUdp(Func<SessionHandler> create, string? endPoint = null, ListenerLimits? limits = null) =>
        Add(_kit.Bind(SessionTransport.Udp, create, endPoint, limits, this));

    /// <summary>A stream listener of this member.</summary>
    public KitListener BindTcp(Func<SessionHandler> create, string? endPoint = null, ListenerLimits? limits = null) =>
        Add(_kit.Bind(SessionTransport.Tcp, create, endPoint, limits, this));

    /// <summary>The member hears of no majority: until <see cref="OpenFence"/> its sessions with an identity send
    /// nothing, and its entities decide nothing.</summary>
    public void ShutFence() => Fence.Set(_kit.Time.GetTimestamp());

    /// <summary>The member hears of a majority, as from its start.</summary>
    public void OpenFence()
    {
        if (!HasDied)
        {
            Fence.Set(long.MaxValue);
        }
    }

    /// <summary>The member dies, with its sessions and the entities that it has: nothing is told to the others or to
    /// its peers. The others have its sessions' identities once they are sure of it, some three seconds later. Handlers
    /// are told of the end, since they go on living in the test, but can do nothing about it.</summary>
    public void Die()
    {
        if (HasDied)
        {
            return;
        }

        ShutFence();
        HasDied = true;
        _kit.Sys.Stop(Hub);
        foreach (var listener in _listeners)
        {
            _kit.Sys.Stop(listener.Actor);
        }

        _region.Tell(new KitMemberDied(this), ActorRefs.NoSender);
        _kit.RunUntilIdle();
    }

    internal KitListener Add(KitListener listener)
    {
        _listeners.Add(listener);
        return listener;
    }
}

/// <summary>A member is dead: told to the region, that the others notice it in time.</summary>
internal sealed record KitMemberDied(KitMember Member);
