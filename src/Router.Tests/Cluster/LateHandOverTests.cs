using Router.Cluster.Checkpoints;
using Router.Cluster.Identities;
using static Router.Tests.Cluster.IdentityWorld;

namespace Router.Tests.Cluster;

/// <summary>What was handed over comes to an entity that has begun without it.</summary>
public sealed class LateHandOverTests
{
    private const string Name = "id";

    private readonly IdentityWorld _world = new();
    private readonly IdentityState _state;

    public LateHandOverTests() =>
        _state = new IdentityState(Name, _world, new IdentityLimits(2, TimeSpan.FromDays(1)));

    [Fact]
    public void One_that_was_attached_without_it_ends_and_the_next_goes_on_from_it()
    {
        Attach(1);
        Claimed(1);
        _state.Inherit(Carried(epoch: 4, owner: null));
        Assert.Equal(["Attached 1", "Supersede 1"], _world.Told);
        _state.On(new Detach(Name, Id(1), 1, new KeptState(1, new byte[1])), HubOf(1));

        Attach(2);
        Assert.Equal(5, _world.Claiming);
        Claimed(5);
        Assert.Equal(9, Assert.IsType<Attached>(_world.Sent[^1]).State.Revision);
    }

    [Fact]
    public void The_session_that_spoke_before_goes_on_once_the_other_has_ended()
    {
        Attach(2);
        Claimed(1);
        _state.Inherit(Carried(epoch: 4, owner: 1));
        Assert.Null(_world.Claiming);
        _state.On(new Detach(Name, Id(2), 1, default), HubOf(2));
        Claimed(5);

        Assert.Equal(["Attached 2", "Supersede 2", "Detached 2", "EpochIs 1"], _world.Told);
        Assert.Equal(Id(1), _state.Owner?.Session);
    }

    [Fact]
    public void Of_an_older_epoch_nothing_is_taken_and_its_session_is_over()
    {
        Attach(2);
        Claimed(6);
        _state.Inherit(Carried(epoch: 5, owner: 1));

        Assert.Equal(["Attached 2", "Over 1"], _world.Told);
        Assert.Equal((Id(2), 0), (_state.Owner?.Session, _state.Newest.Revision));
    }

    [Fact]
    public void While_members_are_asked_it_answers_for_all_of_them()
    {
        _world.MayHaveLostEntities = true;
        Attach(2);
        _state.Inherit(Carried(epoch: 4, owner: null));
        Claimed(5);

        Assert.Equal(9, Assert.IsType<Attached>(_world.Sent[^1]).State.Revision);
    }

    [Fact]
    public void Its_session_has_to_end_before_one_that_has_asked_since()
    {
        _world.MayHaveLostEntities = true;
        Attach(2);
        _state.Inherit(Carried(epoch: 4, owner: 1));
        Assert.Null(_world.Claiming);
        _state.On(new Detach(Name, Id(1), 4, new KeptState(10, new byte[1])), HubOf(1));
        Claimed(5);

        Assert.Equal(["WhoHas", "WhoHas", "Supersede 1", "Detached 1", "Attached 2"], _world.Told);
        Assert.Equal(10, Assert.IsType<Attached>(_world.Sent[^1]).State.Revision);
    }

    [Fact]
    public void An_epoch_that_the_store_gave_without_an_answer_does_not_make_its_state_an_old_one()
    {
        _state.Inherit(Carried(epoch: 4, owner: null) with { ClaimsLost = 1 });
        Attach(2);
        Claimed(6);

        Assert.Equal(9, Assert.IsType<Attached>(_world.Sent[^1]).State.Revision);
    }

    [Fact]
    public void Messages_that_waited_there_are_given_first()
    {
        var (early, late) = (Tell("early"), Tell("late"));
        _state.On(late, ActorRefs.Nobody);
        _state.Inherit(Carried(epoch: 4, owner: null) with { Queue = [early] });
        Attach(2);
        Claimed(5);

        Assert.Equal([early, late], _world.Sent.OfType<Pass>().Select(static pass => pass.What));
    }

    private static Tell Tell(string what) => new(Name, what, ActorRefs.Nobody, null);

    private static CarriedIdentity Carried(long epoch, int? owner) => new(
        new Checkpoint(Name, epoch, 9, new byte[1]),
        owner is { } session
            ? new Attachment(Id(session), HubOf(session), PlaceOf(session), "peer", session, epoch)
            : null,
        [],
        IsSure: true, ClaimsLost: 0);

    private void Attach(int session) => _state.On(
        new Attach(Name, Id(session), PlaceOf(session), "peer", session, 0, default), HubOf(session));

    /// <summary>By a store that has nothing.</summary>
    private void Claimed(long epoch)
    {
        Assert.NotNull(_world.Claiming);
        _world.Claiming = null;
        _state.OnClaimed(new Checkpoint(Name, epoch, 0, default));
    }
}
