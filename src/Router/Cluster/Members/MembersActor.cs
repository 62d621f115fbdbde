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

    /// <summary>Another one may have failed before: who is in the table and was removed since, as far as is known not
    /// in order, is taken out.</summary>
    protected override void PreStart()
    {
        var members = _cluster.State.Members.Select(static member => member.UniqueAddress).ToHashSet();
        foreach (var gone in _table.All.Where(member => !members.Contains(member)).ToList())
        {
            Remove(gone, inOrder: false);
        }

        _cluster.Subscribe(
            Self, SubscriptionInitialStateMode.InitialStateAsEvents, typeof(IMemberEvent), typeof(IReachabilityEvent));
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private void OnUp(Member member)
    {
        if (!_table.Add(member.UniqueAddress, member.HasRole(ClusterSettings.Role)))
        {
            return;   // told by the one before
        }

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

    private void OnRemoved(MemberRemoved removed) =>
        Remove(removed.Member.UniqueAddress, inOrder: removed.PreviousStatus != MemberStatus.Down);

    private void Remove(UniqueAddress member, bool inOrder)
    {
        _table.Remove(member, inOrder);
        ClusterLog.Removed(_log, MemberTable.TextOf(member.Address), inOrder ? "left" : "downed", _table.Count);
    }
}
