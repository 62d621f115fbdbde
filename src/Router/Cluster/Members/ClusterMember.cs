using Akka.Cluster.Sharding;
using Microsoft.Extensions.Logging;
using Router.Cluster.Identities;
using Router.Configuration;
using Router.Diagnostics;
using Router.Loop;
using Router.Sessions;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Router.Cluster.Members;

/// <summary>This process as a member of its cluster. Started once, with the router; it leaves by
/// <see cref="CoordinatedShutdown"/>.</summary>
internal sealed class ClusterMember
{
    private readonly AkkaCluster _cluster;
    private readonly ClusterOptions _options;
    private readonly ILogger _log;

    /// <param name="system">Made with <see cref="ClusterSettings"/>.</param>
    /// <param name="options">The configuration's section.</param>
    /// <param name="time">The clock.</param>
    /// <param name="fence">Kept from now on.</param>
    /// <param name="log">The router's.</param>
    public ClusterMember(ActorSystem system, ClusterOptions options, TimeProvider time, Fence fence, ILogger log)
    {
        (_options, _log, _cluster) = (options, log, AkkaCluster.Get(system));
        Table = new MemberTable(MemberTable.TextOf(_cluster.SelfAddress), time);
        var members = new IdentityMembers((ExtendedActorSystem)system, Table, fence, time, options.FenceTimeout);
        var environment = new IdentityEnvironment(new MemoryIdentities(), members,
            new IdentityLimits(options.IdentityQueue, options.ForgetAfter), Counters);
        var entities = ClusterSharding.Get(system).Start(
            RouterCluster.TypeName,
            identity => Props.Create<IdentityEntity>(identity, environment).WithMailbox(SessionMailbox.Path),
            ClusterShardingSettings.Create(system).WithRole(ClusterSettings.Role),
            new IdentityExtractor(options.Shards),
            ClusterSharding.Get(system).DefaultShardAllocationStrategy(ClusterShardingSettings.Create(system)),
            StopEntity.Instance);
        RouterCluster.Get(system).Use(entities);
        var self = new Place(_cluster.SelfAddress, _cluster.SelfUniqueAddress.Uid);
        var hub = system.ActorOf(IdentityHub.PropsOf(entities, Figures, self), IdentityMembers.HubName);
        Hub = hub;
        Table.OnRemoved = member => hub.Tell(new MemberGone(member.Address), ActorRefs.NoSender);
        system.ActorOf(MembersActor.PropsOf(Table, log), "router-members");
        var keeper = new FenceKeeper(fence, _cluster.SelfUniqueAddress, options.FenceTimeout, log);
        system.ActorOf(FenceActor.PropsOf(keeper), "router-fence");
        system.EventStream.Subscribe(new RefusalLog(system, log, time), typeof(MemberRefused));
    }

    public MemberTable Table { get; }

    /// <summary>Of the entities of this member.</summary>
    public IdentityCounters Counters { get; } = new();

    /// <summary>Of the sessions of this member.</summary>
    public HubFigures Figures { get; } = new();

    /// <summary>Where sessions are attached.</summary>
    public IActorRef Hub { get; }

    /// <summary>Asks to be let in.</summary>
    public void Join()
    {
        IReadOnlyList<Address> seeds =
            [.. _options.Seeds.Select(seed => _cluster.SelfAddress.WithHost(seed.Host).WithPort(seed.Port))];
        var asked = seeds.Count == 0 ? [_cluster.SelfAddress] : seeds;
        ClusterLog.Joining(
            _log, Table.Self, string.Join(' ', asked.Select(MemberTable.TextOf)));
        _cluster.JoinSeedNodes(asked);
    }
}
