using Router.Cluster.Checkpoints;
using Router.Cluster.Identities;
using Router.Cluster.Members;
using Router.TestKit;
using Router.Tests.Configuration;

namespace Router.Tests.Cluster;

/// <summary>A member hands over what its entities know; the other members, the region and an entity are probes.
/// </summary>
public sealed class HandOverActorTests : RouterActorTestKit
{
    private readonly TestProbe _other;
    private readonly TestProbe _entity;
    private readonly InheritedIdentities _inherited;
    private readonly IActorRef _actor;

    public HandOverActorTests()
        : base(seed: 1)
    {
        (_other, _entity) = (CreateTestProbe("other"), CreateTestProbe("entity"));
        var region = CreateTestProbe("region");
        _inherited = new InheritedIdentities(Kit.Time);
        var environment = new IdentityEnvironment(
            new MemoryIdentities(new MemoryCheckpoints()),
            new Members(_other.Ref),
            new IdentityLimits(1, TimeSpan.FromDays(1)),
            new IdentityCounters(),
            _inherited);
        _actor = Sys.ActorOf(HandOverActor.PropsOf(
            environment, region.Ref, new IdentityExtractor(8), new Place(Address.AllSystems, 1)));
    }

    /// <summary>Entities that sharding ends by force are ended before others have what they know.</summary>
    [Fact]
    public void Sharding_waits_for_longer_than_for_an_answer()
    {
        var settings = ClusterSettings.Of(Loaded.Options($"{Loaded.Echo}\nrouter.cluster {{}}").Cluster!);

        var forced = settings.GetTimeSpan("akka.cluster.sharding.handoff-timeout", null) - HandOverActor.ForcedBefore;
        Assert.InRange(HandOverActor.AnswerTimeout, TimeSpan.FromSeconds(1), forced - TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void An_entity_stops_when_the_others_have_what_it_knows()
    {
        HandOver();
        var pack = _other.ExpectMsg<CarryPack>();
        Assert.True(pack.Wakes);
        _entity.ExpectNoMsg(TimeSpan.Zero);

        _actor.Tell(new CarryTaken(pack.Number), _other.Ref);
        Kit.RunUntilIdle();
        _entity.ExpectMsg<StopEntity>();
        Kit.Advance(TimeSpan.FromSeconds(10));
        _other.ExpectNoMsg(TimeSpan.Zero);
        Assert.NotNull(_inherited.Take("id"));   // its shard may come back
    }

    [Fact]
    public void A_member_that_does_not_answer_is_told_again_also_when_the_entity_had_to_stop()
    {
        HandOver();
        var first = _other.ExpectMsg<CarryPack>();
        Kit.Advance(HandOverActor.AnswerTimeout + TimeSpan.FromSeconds(2));
        _entity.ExpectMsg<StopEntity>();
        _entity.ExpectNoMsg(TimeSpan.Zero);
        for (var again = 0; again < 8; again++)
        {
            Assert.Equal(first.Number, _other.ExpectMsg<CarryPack>().Number);
        }

        _actor.Tell(new CarryTaken(first.Number), _other.Ref);
        Kit.Advance(TimeSpan.FromSeconds(10));
        _other.ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void One_that_never_answers_is_given_up_after_a_minute()
    {
        HandOver();
        Kit.Advance(InheritedIdentities.KeepFor + TimeSpan.FromSeconds(1));
        var packs = 0;
        for (; _other.HasMessages; packs++)
        {
            _other.ExpectMsg<CarryPack>();
        }

        Assert.InRange(packs, 58, 61);
        Kit.Advance(TimeSpan.FromSeconds(10));
        _other.ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void What_is_told_twice_is_taken_once_and_answered_twice()
    {
        var pack = new CarryPack(7, Wakes: false, [Carried]);
        _actor.Tell(pack, _other.Ref);
        Kit.RunUntilIdle();
        Assert.NotNull(_inherited.Take("id"));
        _actor.Tell(pack, _other.Ref);
        Kit.RunUntilIdle();

        Assert.Null(_inherited.Take("id"));
        Assert.Equal([7, 7], new[] { _other.ExpectMsg<CarryTaken>().Number, _other.ExpectMsg<CarryTaken>().Number });
    }

    private static CarriedIdentity Carried =>
        new(new Checkpoint("id", 1, 1, new byte[1]), null, [], IsSure: true, ClaimsLost: 0);

    private void HandOver()
    {
        _actor.Tell(new HandOver(Carried), _entity.Ref);
        Kit.Advance(TimeSpan.FromMilliseconds(20));
    }

    private sealed class Members(IActorRef other) : IIdentityMembers
    {
        public bool MayDecide => true;

        public bool MayHaveLostEntities => false;

        public bool MayRemovedSend => false;

        public IReadOnlyCollection<(Place Place, IActorRef Hub)> Hubs => [];

        public IReadOnlyCollection<(Place Place, IActorRef Actor)> HandOvers =>
            [(new Place(Address.AllSystems, 2), other)];

        public bool IsGone(Place place) => false;
    }
}
