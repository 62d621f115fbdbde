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

    [Fact]
    public void A_process_that_has_just_come_takes_the_one_before_it_at_its_own_address_for_gone()
    {
        _table.Add(MemberOf(1, life: 1), isRouter: true);

        Assert.True(_members.IsGone(PlaceOf(1)));
        Assert.False(_members.IsGone(PlaceOf(2)));   // it may have been removed before this one came
    }

    /// <summary>Its first sessions may be heard of before it is: seed 9638 of the simulation.</summary>
    [Fact]
    public void One_that_is_not_known_yet_is_not_gone()
    {
        _table.Add(MemberOf(1), isRouter: true);
        _table.Add(MemberOf(2), isRouter: true);
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.False(_members.IsGone(PlaceOf(3)));
        Assert.False(_members.IsGone(PlaceOf(2, life: 1)));   // its address still has the one before
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(_members.IsGone(PlaceOf(3)));
        _table.Add(MemberOf(3), isRouter: true);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(_members.IsGone(PlaceOf(3)));
        Assert.True(_members.IsGone(PlaceOf(2, life: 1)));
    }

    /// <summary>It may lead to another machine by now, and the one before may run.</summary>
    [Fact]
    public void A_name_that_another_process_has_proves_nothing()
    {
        var before = new UniqueAddress(new Address("akka.tcp", "router", "router-0.example", 27_200), 1);
        _table.Add(MemberOf(1), isRouter: true);
        _table.Add(before, isRouter: true);
        _table.Remove(before, inOrder: false);
        _table.Add(new UniqueAddress(before.Address, 2), isRouter: true);

        Assert.False(_members.IsGone(new Place(before.Address, before.Uid)));
        Assert.True(_members.MayRemovedSend);
    }

    [Fact]
    public void Of_a_thousand_that_were_removed_the_latest_are_remembered()
    {
        _table.Add(MemberOf(1), isRouter: true);
        _time.Advance(TimeSpan.FromMinutes(1));
        for (var port = 1; port <= 1_001; port++)
        {
            var member = new UniqueAddress(new Address("akka.tcp", "router", "10.0.0.9", port), port);
            _table.Add(member, isRouter: true);
            _table.Remove(member, inOrder: false);
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.False(_members.IsGone(new Place(new Address("akka.tcp", "router", "10.0.0.9", 1_000), 1_000)));
        Assert.False(_members.IsGone(new Place(new Address("akka.tcp", "router", "10.0.0.9", 3), 3)));
        Assert.True(_members.MayRemovedSend);
        Assert.InRange(_table.Downed.Count(), 1, 1_000);
    }

    private static UniqueAddress MemberOf(int number, int life = 0) =>
        new(new Address("akka.tcp", "router", $"10.0.0.{number}", 27_200), number + (100 * life));

    private static Place PlaceOf(int number, int life = 0) =>
        new(MemberOf(number).Address, MemberOf(number, life).Uid);
}
