using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;
using Router.Sessions;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Router.Cluster.Members;

/// <summary>This process as a member of its cluster. Started once, with the router; it leaves by
/// <see cref="CoordinatedShutdown"/>.</summary>
internal sealed class ClusterMember
{
    private ClusterMember(MemberTable table, IActorRef members) => (Table, Members) = (table, members);

    public MemberTable Table { get; }

    /// <summary>/user/NAME-members.</summary>
    public IActorRef Members { get; }

    /// <summary>Joins.</summary>
    /// <param name="system">Made with <see cref="ClusterSettings"/>.</param>
    /// <param name="name">The router's.</param>
    /// <param name="options">The configuration's section.</param>
    /// <param name="time">The clock.</param>
    /// <param name="fence">Kept from now on: on each member there has to be a router of this name.</param>
    /// <param name="log">The router's.</param>
    public static ClusterMember Start(
        ActorSystem system, string name, ClusterOptions options, TimeProvider time, Fence fence, ILogger log)
    {
        var table = new MemberTable(time);
        var members = system.ActorOf(MembersActor.PropsOf(table, log), $"{name}-members");
        system.EventStream.Subscribe(new RefusalLog(system, log, time), typeof(MemberRefused));
        var cluster = AkkaCluster.Get(system);
        var keeper = new FenceKeeper(fence, cluster.SelfUniqueAddress, options.FenceTimeout, log);
        system.ActorOf(FenceActor.PropsOf(keeper), $"{name}-fence");
        IReadOnlyList<Address> seeds =
            [.. options.Seeds.Select(seed => cluster.SelfAddress.WithHost(seed.Host).WithPort(seed.Port))];
        var asked = seeds.Count == 0 ? [cluster.SelfAddress] : seeds;
        ClusterLog.Joining(
            log, MemberTable.TextOf(cluster.SelfAddress), string.Join(' ', asked.Select(MemberTable.TextOf)));
        cluster.JoinSeedNodes(asked);
        return new ClusterMember(table, members);
    }
}
