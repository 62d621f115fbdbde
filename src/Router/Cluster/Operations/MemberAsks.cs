using Akka.Cluster;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Router.Cluster.Operations;

/// <summary>Asks the members with listeners what an operator wants to know. Any thread.</summary>
internal sealed class MemberAsks(ActorSystem system)
{
    private readonly AkkaCluster _cluster = AkkaCluster.Get(system);

    public Address Self => _cluster.SelfAddress;

    /// <summary>Whoever is in the cluster, by address; those that are not heard of, and those that come or go, too.
    /// </summary>
    public IReadOnlyList<Member> Members =>
        [.. _cluster.State.Members.OrderBy(static member => member.Address, Member.AddressOrdering)];

    /// <summary>Null while there is none.</summary>
    public Address? Leader => _cluster.State.Leader;

    /// <summary>With listeners, and up.</summary>
    public static bool IsRouter(Member member) => member.HasRole(Router.Cluster.Members.ClusterSettings.Role)
        && member.Status is MemberStatus.Up or MemberStatus.WeaklyUp or MemberStatus.Leaving;

    public bool IsReachable(Member member) => !_cluster.State.Unreachable.Contains(member);

    /// <summary>Asks all of them at once.</summary>
    /// <returns>By address; a null answer of those that are not heard of, or not within the time.</returns>
    public async Task<IReadOnlyList<(Member Member, MemberAnswer? Answer)>> AskAllAsync(
        MemberQuestion question, TimeSpan timeout, CancellationToken end)
    {
        var asked = Members.Where(IsRouter).ToList();
        var answers = await Task
            .WhenAll(asked.Select(member => IsReachable(member)
                ? AskAsync(member, question, timeout, end)
                : Task.FromResult<MemberAnswer?>(null)))
            .ConfigureAwait(false);
        return [.. asked.Zip(answers)];
    }

    /// <summary>Asks one, even if it is not heard of: it may hear the question.</summary>
    /// <returns>Null where there is none in time.</returns>
    public async Task<MemberAnswer?> AskAsync(
        Member member, MemberQuestion question, TimeSpan timeout, CancellationToken end)
    {
        var actor = system.ActorSelection(new RootActorPath(member.Address) / "user" / OperationsActor.Name);
        try
        {
            return await actor.Ask<MemberAnswer>(question, timeout, end).ConfigureAwait(false);
        }
        catch (AskTimeoutException)
        {
            return null;
        }
    }
}
