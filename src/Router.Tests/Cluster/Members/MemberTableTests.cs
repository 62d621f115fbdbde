using Akka.Cluster;
using Router.Cluster.Identities;
using Router.Cluster.Members;
using Router.Sessions;
using Router.TestKit.Simulation;

namespace Router.Tests.Cluster.Members;

/// <summary>What a member knows of those that are gone, and what it lets identities believe of it.</summary>
public sealed class MemberTableTests
{
    private static readonly TimeSpan FenceTimeout = TimeSpan.FromSeconds(2);

    private readonly VirtualTimeProvider _time = new();
    private readonly MemberTable _table;
    private readonly IdentityMembers _members;

    public MemberTableTests()
    {
        _table = new MemberTable(MemberTable.TextOf(MemberOf(1).Address), _time);
        _members = new IdentityMembers(
            static (_, _) => ActorRefs.Nobody, _table, new Fence(_time), _time, FenceTimeout);
    }

    [Fact]
    public void A_member_that_waited_long_to_get_in_has_not_seen_who_was_removed_before()
    {
        _time.Advance(TimeSpan.FromMinutes(1));
        _table.Add(MemberOf(1), isRouter: true);
        Assert.True(_members.MayHaveLostEntities);
        Assert.False(_members.IsGone(PlaceOf(2)));

        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.False(_members.MayHaveLostEntities);
        Assert.True(_members.IsGone(PlaceOf(2)));
    }

    [Fact]
    public void A_removed_member_may_send_until_it_has_not_been_heard_of_for_the_time_of_the_fence()
    {
        _table.Add(MemberOf(1), isRouter: true);
        _table.Add(MemberOf(2), isRouter: true);
        _table.SetUnreachable(MemberOf(2), isUnreachable: true);
        _time.Advance(TimeSpan.FromSeconds(1));
        _table.SetUnreachable(MemberOf(2), isUnreachable: false);   // it was answered again
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(_members.MayRemovedSend);
        _table.Remove(MemberOf(2), inOrder: false);

        _time.Advance(FenceTimeout);
        Assert.True(_members.MayRemovedSend);
        Assert.False(_members.IsGone(PlaceOf(2)));

        _time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.False(_members.MayRemovedSend);
        Assert.True(_members.IsGone(PlaceOf(2)));
    }

    [Fact]
    public void One_that_left_in_order_sends_nothing_more()
    {
        _table.Add(MemberOf(1), isRouter: true);
        _table.Add(MemberOf(2), isRouter: true);
        _table.Remove(MemberOf(2), inOrder: true);

        Assert.False(_members.MayRemovedSend);
        Assert.True(_members.IsGone(PlaceOf(2)));
    }

    [Fact]
    public void One_whose_address_another_process_has_bound_sends_nothing_more()
    {
        _table.Add(MemberOf(1), isRouter: true);
        foreach (var number in (int[])[2, 3])
        {
            _table.Add(MemberOf(number), isRouter: true);
            _table.Remove(MemberOf(number), inOrder: false);
        }

        _table.Add(MemberOf(2, life: 1), isRouter: true);
        Assert.True(_members.IsGone(PlaceOf(2)));
        Assert.True(_members.MayRemovedSend);   // the other one
        Assert.False(_members.IsGone(PlaceOf(3)));

        _table.Add(MemberOf(3, life: 1), isRouter: true);
        Assert.False(_members.MayRemovedSend);
        Assert.True(_members.IsGone(PlaceOf(3)));
    }

    private static UniqueAddress MemberOf(int number, int life = 0) =>
        new(new Address("akka.tcp", "router", $"10.0.0.{number}", 27_200), number + (100 * life));

    private static Place PlaceOf(int number) => new(MemberOf(number).Address, number);
}
