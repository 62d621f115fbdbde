using Router.Cluster.Checkpoints;
using Router.Cluster.Identities;
using static Router.Tests.Cluster.IdentityWorld;

namespace Router.Tests.Cluster;

/// <summary>An identity's logic, message by message: what the simulation has found.</summary>
public sealed class IdentityStateTests
{
    private const string Name = "id";

    private readonly IdentityWorld _world = new();
    private readonly IdentityState _state;

    public IdentityStateTests() =>
        _state = new IdentityState(Name, _world, new IdentityLimits(2, TimeSpan.FromDays(1)));

    [Fact]
    public void A_session_that_saves_while_it_is_attached_again_goes_on_and_what_it_saved_is_kept()
    {
        Attach(1, liveEpoch: 5, revision: 10);
        _state.On(Save(1, epoch: 5, revision: 11), HubOf(1));
        Claimed(6, revision: 9);

        Assert.Equal([new EpochIs(Name, Id(1), 6, 11)], _world.Sent);
        Assert.Equal(11, _world.Saved.Single().Revision);
        Assert.Equal(6, _world.Saved.Single().Epoch);
    }

    [Fact]
    public void A_session_that_asks_while_another_is_attached_again_waits_until_that_has_ended()
    {
        Attach(1, liveEpoch: 5, revision: 10);
        Attach(2);
        Claimed(6, revision: 10);

        Assert.Equal(["Supersede 1"], _world.Told);
        _state.On(new Detach(Name, Id(1), 5, Kept(12)), HubOf(1));
        Claimed(7, revision: 10);
        Assert.Equal(["Supersede 1", "Detached 1", "Attached 2"], _world.Told);
        Assert.Equal(12, Assert.IsType<Attached>(_world.Sent[^1]).State.Revision);
    }

    [Fact]
    public void Who_is_attached_is_told_of_the_session_that_had_to_end_for_it()
    {
        Attach(1);
        Claimed(1, revision: 0);
        Attach(2);
        _state.On(new Detach(Name, Id(1), 1, default), HubOf(1));
        Claimed(2, revision: 0);
        _state.On(new Detach(Name, Id(2), 2, default), HubOf(2));   // by itself
        Attach(3);
        Claimed(3, revision: 0);

        var attached = _world.Sent.OfType<Attached>().Select(static told => told.Supersedes).ToList();
        Assert.Null(attached[0]);
        Assert.StartsWith($"{Id(1)} ", attached[1], StringComparison.Ordinal);
        Assert.Null(attached[2]);
        Assert.Equal([false, true, false], _world.Counted);
    }

    [Fact]
    public void A_member_that_does_not_answer_is_asked_until_it_is_gone()
    {
        _world.MayHaveLostEntities = true;
        Attach(2);
        _state.On(new HasNone(Name, PlaceOf(2)), HubOf(2));
        for (var i = 0; i < 10; i++)
        {
            _state.OnWake();
        }

        Assert.Null(_world.Claiming);
        Assert.Equal(2 + 10, _world.Told.Count(static told => told == "WhoHas"));   // both, then the one
        _world.Gone.Add(PlaceOf(1));
        _state.OnWake();
        Assert.Null(_world.Claiming);   // the other may have heard it later
        _state.On(new HasNone(Name, PlaceOf(2)), HubOf(2));
        Assert.NotNull(_world.Claiming);
    }

    [Fact]
    public void When_the_member_of_the_session_before_is_gone_others_say_whether_they_have_heard_it_later()
    {
        Attach(1);
        Claimed(1, revision: 0);
        Attach(2);
        _world.Gone.Add(PlaceOf(1));
        _state.OnWake();
        Assert.Null(_world.Claiming);

        _state.On(new HasNone(Name, PlaceOf(2)), HubOf(2));
        Claimed(2, revision: 0);
        Assert.Equal(Id(2), _state.Owner?.Session);
    }

    [Fact]
    public void Who_saves_while_members_are_asked_is_told_to_say_who_it_is()
    {
        _world.MayHaveLostEntities = true;
        Attach(2);
        _world.Sent.Clear();
        _state.On(Save(1, epoch: 5, revision: 11), HubOf(1));

        Assert.Equal(["Unknown 1"], _world.Told);
    }

    [Fact]
    public void A_checkpoint_of_a_session_that_ended_while_its_entity_was_lost_is_the_next_ones()
    {
        _world.MayHaveLostEntities = true;
        Attach(2);
        _state.On(new Detach(Name, Id(1), 5, Kept(11)), HubOf(1));
        _state.On(new HasNone(Name, PlaceOf(1)), HubOf(1));
        _state.On(new HasNone(Name, PlaceOf(2)), HubOf(2));
        Claimed(6, revision: 9);

        Assert.Equal(11, Assert.IsType<Attached>(_world.Sent[^1]).State.Revision);
        Assert.Equal(11, _world.Saved.Single().Revision);
    }

    [Fact]
    public void An_end_that_comes_first_does_not_make_an_entity_sure_that_nobody_speaks()
    {
        _world.MayHaveLostEntities = true;
        _state.On(new Detach(Name, Id(3), 4, Kept(7)), HubOf(1));
        Attach(2);

        Assert.Contains("WhoHas", _world.Told);
        Assert.Null(_world.Claiming);
    }

    [Fact]
    public void A_member_without_a_majority_takes_no_epoch()
    {
        Attach(1);
        Claimed(1, revision: 0);
        Attach(2);
        _world.Gone.Add(PlaceOf(1));
        _world.MayDecide = false;
        _state.OnWake();
        Assert.Null(_world.Claiming);

        _state.On(new Detach(Name, Id(1), 1, default), HubOf(1));
        Assert.Null(_world.Claiming);
    }

    [Fact]
    public void A_message_that_came_back_goes_to_the_session_that_is_attached_by_then()
    {
        Attach(1);
        Claimed(1, revision: 0);
        var tell = new Tell(Name, "hello", ActorRefs.Nobody, null);
        _state.On(tell, ActorRefs.Nobody);
        _state.On(new Detach(Name, Id(1), 1, default), HubOf(1));
        Attach(2);
        Claimed(2, revision: 0);
        _state.On(new Undelivered(Name, Id(1), tell), HubOf(1));

        Assert.Equal(new Pass(Name, Id(2), tell), _world.Sent[^1]);
        Assert.Equal(0, _state.Queued);
    }

    [Fact]
    public void A_session_that_tells_of_its_attachment_while_an_epoch_is_taken_for_nobody_gets_it()
    {
        Attach(2);
        _state.On(new Detach(Name, Id(2), 0, default), HubOf(2));
        Attach(1, liveEpoch: 5, revision: 10);
        Claimed(1, revision: 0);   // one of the memory of this member
        Claimed(6, revision: 0);

        Assert.Equal(["Detached 2", "EpochIs 1"], _world.Told);
        Assert.Equal(6, _state.Owner?.Epoch);
    }

    [Fact]
    public void A_session_that_is_attached_again_is_handed_over_as_the_one_that_speaks()
    {
        Attach(1, liveEpoch: 5, revision: 10);

        Assert.Equal(Id(1), _state.Carry().Owner?.Session);
    }

    [Fact]
    public void One_that_asks_again_before_it_hears_that_it_is_over_displaces_nobody()
    {
        Attach(1);
        Attach(2);
        Attach(1);
        Claimed(1, revision: 0);

        Assert.Equal(["Over 1", "Over 1", "Attached 2"], _world.Told);
    }

    [Fact]
    public void One_that_many_have_displaced_since_displaces_nobody()
    {
        for (var session = 1; session <= 20; session++)
        {
            Attach(session, member: 1 + (session % 2));
        }

        Attach(1, member: 2);
        Claimed(1, revision: 0);

        Assert.Equal("Over 1", _world.Told.SkipLast(1).Last());
        Assert.Equal("Attached 20", _world.Told.Last());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_two_of_one_member_the_one_that_asked_later_stays_when_the_other_is_heard_late(bool attached)
    {
        Attach(2, member: 1);
        if (attached)
        {
            Claimed(1, revision: 0);
        }

        Attach(1, member: 1);

        Assert.Equal("Over 1", _world.Told.Last());
        Assert.DoesNotContain("Over 2", _world.Told);
        Assert.DoesNotContain("Supersede 2", _world.Told);
    }

    [Fact]
    public void What_was_displaced_at_members_that_are_gone_is_forgotten()
    {
        var displaced = new DisplacedOrders();
        displaced.Add(PlaceOf(1), 7, static _ => false);
        displaced.Add(PlaceOf(2), 3, static place => place == PlaceOf(1));

        Assert.False(displaced.Contains(PlaceOf(1), 7));
        Assert.True(displaced.Contains(PlaceOf(2), 3));
        Assert.False(displaced.Contains(PlaceOf(2), 4));
    }

    [Fact]
    public void What_comes_when_an_entity_has_ended_is_for_the_one_that_follows()
    {
        _state.OnWake();
        Attach(1);

        Assert.Null(_world.Claiming);
        Assert.IsType<Attach>(Assert.Single(_world.PassedOn));
    }

    [Fact]
    public void An_entity_that_was_handed_over_while_it_was_not_sure_leaves_the_next_one_unsure()
    {
        _state.On(new Detach(Name, Id(3), 4, Kept(7)), HubOf(1));
        Assert.False(_state.Carry().IsSure);

        Attach(1);
        Claimed(5, revision: 7);
        Assert.True(_state.Carry().IsSure);
    }

    /// <summary>Who asks for made-up names fills no memory for a day.</summary>
    [Fact]
    public void An_identity_of_which_nothing_is_known_and_for_which_nothing_waits_is_soon_forgotten()
    {
        var soon = TimeSpan.FromSeconds(10);
        _state.On(new Tell(Name, "?", ActorRefs.Nobody, ActorRefs.Nobody), HubOf(1));
        Assert.Equal(soon, _world.Wakes);

        _state.On(new Tell(Name, "wait", ActorRefs.Nobody, null), HubOf(1));
        Assert.Equal(TimeSpan.FromDays(1), _world.Wakes);

        Attach(1);
        Claimed(1, revision: 0);
        _state.On(new Detach(Name, Id(1), 1, default), HubOf(1));
        Assert.Equal(TimeSpan.FromDays(1), _world.Wakes);
        Assert.Equal(TimeSpan.FromSeconds(5), new IdentityLimits(1, TimeSpan.FromSeconds(5)).ForgetUnknownAfter);
    }

    private static KeptState Kept(long revision) => new(revision, new byte[1]);

    private static Save Save(int session, long epoch, long revision) =>
        new(Name, Id(session), epoch, Kept(revision), false);

    private void Attach(int session, long liveEpoch = 0, long revision = 0, int? member = null) => _state.On(
        new Attach(
            Name, Id(session), PlaceOf(member ?? session), "peer", session, liveEpoch, Kept(revision)),
        HubOf(member ?? session));

    private void Claimed(long epoch, long revision)
    {
        Assert.NotNull(_world.Claiming);
        _world.Claiming = null;
        _state.OnClaimed(new Checkpoint(Name, epoch, revision, new byte[1]));
    }
}
