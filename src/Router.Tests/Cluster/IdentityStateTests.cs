using Router.Cluster.Checkpoints;
using Router.Cluster.Identities;
using Router.Sessions;
using Router.Tests.Cluster.Simulation;

namespace Router.Tests.Cluster;

/// <summary>An identity's logic, message by message: what the simulation has found.</summary>
public sealed class IdentityStateTests
{
    private const string Name = "id";

    private readonly World _world = new();
    private readonly IdentityState _state;

    public IdentityStateTests() =>
        _state = new IdentityState(Name, _world, new IdentityLimits(2, TimeSpan.FromDays(1)));

    [Fact]
    public void A_session_that_saves_while_it_is_attached_again_goes_on_and_what_it_saved_is_kept()
    {
        Attach(1, liveEpoch: 5, revision: 10);
        _state.On(Save(1, epoch: 5, revision: 11), HubOf(1));
        Claimed(6, revision: 9);

        Assert.Equal([new EpochIs(Name, Id(1), 6)], _world.Sent);
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

    private static SessionId Id(int session) => new(0, (ulong)session);

    private static Place PlaceOf(int member) =>
        new(new Address("akka.tcp", "router", $"10.0.0.{member}", 27_200), member);

    private static SimRef HubOf(int member) => new(PlaceOf(member).Address, "hub", member);

    private static KeptState Kept(long revision) => new(revision, new byte[1]);

    private static Save Save(int session, long epoch, long revision) =>
        new(Name, Id(session), epoch, Kept(revision), false);

    private void Attach(int session, long liveEpoch = 0, long revision = 0) => _state.On(
        new Attach(Name, Id(session), HubOf(session), PlaceOf(session), "peer", liveEpoch, Kept(revision)),
        HubOf(session));

    private void Claimed(long epoch, long revision)
    {
        Assert.NotNull(_world.Claiming);
        _world.Claiming = null;
        _state.OnClaimed(new Checkpoint(Name, epoch, revision, new byte[1]));
    }

    private sealed class World : IIdentityWorld
    {
        public List<IToHub> Sent { get; } = [];

        public List<Checkpoint> Saved { get; } = [];

        public HashSet<Place> Gone { get; } = [];

        public long? Claiming { get; set; }

        public bool MayDecide { get; set; } = true;

        public bool MayHaveLostEntities { get; set; }

        public IReadOnlyCollection<(Place Place, IActorRef Hub)> Hubs =>
        [
            .. new[] { 1, 2 }.Where(member => !IsGone(PlaceOf(member)))
                .Select(static member => (PlaceOf(member), HubOf(member))),
        ];

        public IEnumerable<string> Told => Sent.Select(static message => message switch
        {
            Supersede told => $"Supersede {told.Session.Low}",
            Detached told => $"Detached {told.Session.Low}",
            Attached told => $"Attached {told.Session.Low}",
            EpochIs told => $"EpochIs {told.Session.Low}",
            Unknown told => $"Unknown {told.Session.Low}",
            Over told => $"Over {told.Session.Low}",
            WhoHas => "WhoHas",
            _ => message.ToString()!,
        });

        public bool IsGone(Place place) => Gone.Contains(place);

        public void Send(IActorRef hub, IToHub message) => Sent.Add(message);

        public void Claim(long lowestEpoch) => Claiming = lowestEpoch;

        public void Save(Checkpoint checkpoint, Attachment? asker) => Saved.Add(checkpoint);

        public void Keep(Checkpoint checkpoint)
        {
        }

        public void Forget(long epoch)
        {
        }

        public void WakeIn(TimeSpan delay)
        {
        }

        public void End()
        {
        }

        public void CountQueueDrop()
        {
        }

        public void Answer(IActorRef asker, Delivery delivery)
        {
        }

        public void OnAttached(Attachment now, Attachment? before)
        {
        }
    }
}
