using Router.Cluster.Checkpoints;
using Router.Cluster.Identities;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Cluster;

/// <summary>An identity's actor; the hub of a member and who hands over are probes.</summary>
public sealed class IdentityEntityTests : RouterActorTestKit
{
    private static readonly Place There = new(Address.AllSystems, 2);

    private readonly MemoryCheckpoints _rows = new();
    private readonly FailingStore _store;
    private readonly TestProbe _hub;
    private readonly TestProbe _handOver;
    private readonly IActorRef _entity;

    public IdentityEntityTests()
        : base(seed: 1)
    {
        (_hub, _handOver, _store) = (CreateTestProbe("hub"), CreateTestProbe("hand-over"), new FailingStore(_rows));
        var environment = new IdentityEnvironment(
            _store,
            new Members(_hub.Ref),
            new IdentityLimits(1, TimeSpan.FromDays(1)),
            new IdentityCounters(),
            new InheritedIdentities(Kit.Time))
        {
            HandOver = _handOver.Ref,
        };
        _entity = Sys.ActorOf(Props.CreateBy(new IdentityEntityProducer(environment)), "device");
    }

    [Fact]
    public void What_is_kept_here_goes_with_the_identity()
    {
        Attach(1);
        Assert.Equal(1, _hub.ExpectMsg<Attached>().Epoch);
        Assert.NotNull(_rows.Find("device"));

        _entity.Tell(HandOffEntity.Instance);
        Kit.RunUntilIdle();
        Assert.Equal(1, _handOver.ExpectMsg<HandOver>().Identity.Kept.Epoch);
        Assert.NotNull(_rows.Find("device"));   // until others have it

        _entity.Tell(StopEntity.Instance);
        Kit.RunUntilIdle();
        Assert.Null(_rows.Find("device"));
    }

    [Fact]
    public void One_that_only_sleeps_leaves_what_is_kept()
    {
        Attach(1);
        _entity.Tell(StopEntity.Instance);
        Kit.RunUntilIdle();
        Assert.NotNull(_rows.Find("device"));
    }

    [Fact]
    public void One_that_has_failed_asks_who_speaks_for_the_identity()
    {
        Attach(1);
        _hub.ExpectMsg<Attached>();
        _store.Fails = true;
        _entity.Tell(new Save("device", new SessionId(1, 1), 1, new KeptState(1, new byte[1]), Sync: false), _hub.Ref);
        Kit.RunUntilIdle();
        _store.Fails = false;

        Attach(2);
        Assert.Equal("device", _hub.ExpectMsg<WhoHas>().Identity);
        _entity.Tell(new HasNone("device", There), _hub.Ref);
        Kit.RunUntilIdle();
        Assert.Equal(2, _hub.ExpectMsg<Attached>().Epoch);
    }

    private void Attach(ulong session)
    {
        _entity.Tell(
            new Attach("device", new SessionId(1, session), There, "192.0.2.7:5000", (long)session, 0, default),
            _hub.Ref);
        Kit.RunUntilIdle();
    }

    private sealed class Members(IActorRef hub) : IIdentityMembers
    {
        public bool MayDecide => true;

        public bool MayHaveLostEntities => false;

        public bool MayRemovedSend => false;

        public IReadOnlyCollection<(Place Place, IActorRef Hub)> Hubs => [(There, hub)];

        public IReadOnlyCollection<(Place Place, IActorRef Actor)> HandOvers => [];

        public bool IsGone(Place place) => false;
    }

    private sealed class FailingStore(MemoryCheckpoints rows) : IIdentityStore
    {
        private readonly MemoryIdentities _kept = new(rows);

        public bool Fails { get; set; }

        public Checkpoint? Claim(string identity, long lowestEpoch, ICheckpointOwner owner) =>
            _kept.Claim(identity, lowestEpoch, owner);

        public WriteResult? Write(Checkpoint checkpoint, ICheckpointOwner owner) =>
            Fails ? throw new InvalidOperationException("as it should") : _kept.Write(checkpoint, owner);

        public void Keep(Checkpoint checkpoint) => _kept.Keep(checkpoint);

        public void Release(string identity, long epoch) => _kept.Release(identity, epoch);

        public void Forget(string identity, long epoch) => _kept.Forget(identity, epoch);
    }
}
