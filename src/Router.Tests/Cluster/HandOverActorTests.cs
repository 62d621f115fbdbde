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
    private const int InThreeWindows = 3 * HandOverActor.WindowBytes / (64 << 10);

    private readonly TestProbe _other;
    private readonly TestProbe _entity;
    private readonly InheritedIdentities _inherited;
    private readonly IdentityCounters _counters = new();
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
            _counters,
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

    /// <summary>A larger message is dropped by remoting, and all that is in it with it.</summary>
    [Fact]
    public void What_waits_of_an_identity_beyond_a_message_is_dropped_the_oldest_first_and_counted()
    {
        var tells = Enumerable.Range(0, 60).Select(static number => TellOf((17 << 10) + number));
        _actor.Tell(new HandOver(Carried with { Queue = [.. tells] }), _entity.Ref);
        Kit.Advance(TimeSpan.FromMilliseconds(20));

        var pack = _other.ExpectMsg<CarryPack>();
        var queue = Assert.Single(pack.Identities).Queue;
        Assert.Equal(60 - queue.Count, _counters.QueueDrops);
        Assert.InRange(queue.Count, 20, 30);
        Assert.Equal((17 << 10) + 59, ((byte[])queue[^1].Message).Length);
        Assert.InRange(Written(pack), HandOverActor.IdentityBytesMax - (20 << 10), ClusterSettings.FrameBytes / 2);
    }

    [Fact]
    public void Packs_that_are_large_for_what_waits_go_one_by_one()
    {
        for (var number = 0; number < 20; number++)
        {
            _actor.Tell(new HandOver(Carried with { Queue = [TellOf(100 << 10)] }), _entity.Ref);
        }

        Kit.Advance(TimeSpan.FromMilliseconds(20));
        var identities = 0;
        while (_other.HasMessages)
        {
            var pack = _other.ExpectMsg<CarryPack>();
            identities += pack.Identities.Count;
            Assert.InRange(Written(pack), 1, ClusterSettings.FrameBytes / 2);
        }

        Assert.Equal(20, identities);
        Assert.Equal(0, _counters.QueueDrops);
    }

    [Fact]
    public void No_more_than_a_window_is_on_the_way_and_the_rest_follows_the_answers()
    {
        HandOverThreeWindows();
        Kit.Advance(TimeSpan.FromMilliseconds(20));
        var (seen, bytes) = (new HashSet<string>(), 0);
        var first = new List<CarryPack>();
        while (_other.HasMessages)
        {
            first.Add(_other.ExpectMsg<CarryPack>());
            bytes += first[^1].Identities.Sum(static identity => identity.Kept.State.Length);
        }

        Assert.InRange(bytes, HandOverActor.WindowBytes / 2, HandOverActor.WindowBytes);
        var waiting = new Queue<CarryPack>(first);
        while (waiting.TryDequeue(out var pack))
        {
            seen.UnionWith(pack.Identities.Select(static identity => identity.Kept.Identity));
            _actor.Tell(new CarryTaken(pack.Number), _other.Ref);
            Kit.RunUntilIdle();
            while (_other.HasMessages)
            {
                waiting.Enqueue(_other.ExpectMsg<CarryPack>());
            }
        }

        Assert.Equal(InThreeWindows, seen.Count);
    }

    [Fact]
    public void What_is_held_stops_in_time_and_is_told_all_the_same()
    {
        HandOverThreeWindows();
        Kit.Advance(HandOverActor.AnswerTimeout + TimeSpan.FromSeconds(2));
        for (var number = 0; number < InThreeWindows; number++)
        {
            _entity.ExpectMsg<StopEntity>();
        }

        Kit.Advance(3 * HandOverActor.AnswerTimeout);
        var seen = new HashSet<string>();
        while (_other.HasMessages)
        {
            seen.UnionWith(_other.ExpectMsg<CarryPack>().Identities.Select(static identity => identity.Kept.Identity));
        }

        Assert.Equal(InThreeWindows, seen.Count);
    }

    private static Tell TellOf(int bytes) => new("id", new byte[bytes], ActorRefs.Nobody, null);

    private void HandOverThreeWindows()
    {
        for (var number = 0; number < InThreeWindows; number++)
        {
            var kept = new Checkpoint($"{number}", 1, 1, new byte[64 << 10]);
            _actor.Tell(new HandOver(Carried with { Kept = kept }), _entity.Ref);
        }
    }

    private int Written(CarryPack pack)
    {
        var writer = new IdentityWriter((ExtendedActorSystem)Sys);
        writer.Pack(pack);
        return writer.ToArray().Length;
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
