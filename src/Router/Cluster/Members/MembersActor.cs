using Akka.Cluster;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using static Akka.Cluster.ClusterEvent;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Router.Cluster.Members;

/// <summary>Writes down who comes, goes and is not heard of, and keeps <see cref="MemberTable"/> up to date.</summary>
internal sealed class MembersActor : ReceiveActor
{
    private readonly MemberTable _table;
    private readonly ILogger _log;
    private readonly AkkaCluster _cluster = AkkaCluster.Get(Context.System);

    public MembersActor(MemberTable table, ILogger log)
    {
        (_table, _log) = (table, log);
        Receive<MemberUp>(up => OnUp(up.Member));
        Receive<UnreachableMember>(lost => OnUnreachable(lost.Member));
        Receive<ReachableMember>(found => OnReachable(found.Member));
        Receive<MemberLeft>(left => ClusterLog.Leaving(_log, MemberTable.TextOf(left.Member.Address)));
        Receive<MemberRemoved>(OnRemoved);
        Receive<IMemberEvent>(static _ => { });
    }

    public static Props PropsOf(MemberTable table, ILogger log) => Props.Create<MembersActor>(table, log);

    protected override void PreStart() => _cluster.Subscribe(
        Self, SubscriptionInitialStateMode.InitialStateAsEvents, typeof(IMemberEvent), typeof(IReachabilityEvent));

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private void OnUp(Member member)
    {
        _table.Add(member.UniqueAddress, member.HasRole(ClusterSettings.Role));
        var roles = string.Join(' ', member.Roles.Order(StringComparer.Ordinal));
        ClusterLog.Up(_log, MemberTable.TextOf(member.Address), roles, _table.Count);
    }

    private void OnUnreachable(Member member)
    {
        _table.SetUnreachable(member.UniqueAddress, isUnreachable: true);
        ClusterLog.Unreachable(_log, MemberTable.TextOf(member.Address), _table.Count, _table.UnreachableCount);
    }

    private void OnReachable(Member member)
    {
        _table.SetUnreachable(member.UniqueAddress, isUnreachable: false);
        ClusterLog.Reachable(_log, MemberTable.TextOf(member.Address), _table.Count, _table.UnreachableCount);
    }

    private void OnRemoved(MemberRemoved removed)
    {
        var isDowned = removed.PreviousStatus == MemberStatus.Down;
        _table.Remove(removed.Member.UniqueAddress, inOrder: !isDowned);
        var cause = isDowned ? "downed" : "left";
        ClusterLog.Removed(_log, MemberTable.TextOf(removed.Member.Address), cause, _table.Count);
    }
}
