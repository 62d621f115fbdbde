using Router.Cluster.Identities;
using Router.Sessions;

namespace Router.Tests.Cluster;

/// <summary>A member's hub, without actors: what it tells entities and sessions, and when again.</summary>
public sealed class HubStateTests
{
    private static readonly SessionId Session = new(1, 2);

    private readonly World _world = new();
    private readonly HubState _hub;

    public HubStateTests()
    {
        _hub = new HubState(_world);
        _hub.On(new AttachSession(ActorRefs.Nobody, Session, "device", "192.0.2.7:5000", 1_000));
    }

    [Fact]
    public void Who_is_not_answered_is_asked_again_until_the_time_is_up()
    {
        Advance(TimeSpan.FromMilliseconds(900));
        Assert.InRange(_world.Told.OfType<Attach>().Count(), 3, 5);

        Advance(TimeSpan.FromMilliseconds(500));
        Assert.IsType<IdentityUnattached>(Assert.Single(_world.Said));
    }

    [Fact]
    public void The_end_of_a_session_is_told_until_it_is_acknowledged_with_its_last_checkpoint()
    {
        Attach();
        _hub.On(new EndSession(Session, 8, new byte[] { 8 }));
        Advance(TimeSpan.FromSeconds(1));
        var ends = _world.Told.OfType<Detach>().ToList();
        Assert.InRange(ends.Count, 3, 5);
        Assert.All(ends, static end => Assert.Equal((5, 8), (end.Epoch, end.State.Revision)));
        Assert.False(_hub.IsQuiet);

        _hub.On(new Detached("device", Session), Address.AllSystems);
        Assert.True(_hub.IsQuiet);
    }

    /// <summary>The peer asks every 4 s, and each answer waits for its checkpoint.</summary>
    [Fact]
    public void The_first_that_waits_for_its_checkpoint_says_when_all_are_given_up()
    {
        Attach();
        for (var revision = 8; revision < 12; revision++)
        {
            _hub.On(new SaveCheckpoint(Session, revision, new byte[1], Sync: true));
            Advance(TimeSpan.FromSeconds(4));
        }

        Assert.Equal(new CheckpointKept(10, false), _world.Said.OfType<CheckpointKept>().First());
    }

    [Fact]
    public void Those_behind_one_that_is_kept_have_their_own_time()
    {
        Attach();
        for (var revision = 8; revision < 12; revision++)
        {
            _hub.On(new SaveCheckpoint(Session, revision, new byte[1], Sync: true));
            Advance(TimeSpan.FromSeconds(4));
            _hub.On(new Kept("device", Session, revision - 1, true), Address.AllSystems);
        }

        Assert.DoesNotContain(_world.Said.OfType<CheckpointKept>(), static kept => !kept.IsKept);
    }

    [Fact]
    public void A_member_that_is_gone_took_entities_along_which_are_told_of_their_sessions_anew()
    {
        Attach();
        _hub.OnMemberRemoved(Address.AllSystems);
        var again = _world.Told.OfType<Attach>().Last();
        Assert.Equal((5, 7), (again.LiveEpoch, again.State.Revision));

        _hub.On(new EpochIs("device", Session, 6, 7), Address.AllSystems);
        Assert.Equal(new IdentityEpoch(6), _world.Said[^1]);
        Assert.True(_hub.IsQuiet);
    }

    [Fact]
    public void A_checkpoint_that_was_lost_on_its_way_to_an_entity_that_moved_is_sent_again_by_the_next_one_s_word()
    {
        Attach();
        _hub.On(new SaveCheckpoint(Session, 8, new byte[] { 8 }, Sync: false));
        _world.Told.Clear();

        _hub.On(new EpochIs("device", Session, 5, 7), Address.AllSystems);
        Assert.Equal(8, Assert.IsType<Save>(Assert.Single(_world.Told)).State.Revision);
        _hub.On(new EpochIs("device", Session, 5, 8), Address.AllSystems);
        Assert.Single(_world.Told);
        Assert.True(_hub.IsQuiet);
    }

    [Fact]
    public void An_actor_that_replaces_a_failed_one_knows_what_that_knew()
    {
        Attach();
        var next = new World();
        _hub.GoOnIn(next);
        _hub.On(new EndSession(Session, 0, default));
        Assert.Equal(7, Assert.IsType<Detach>(Assert.Single(next.Told)).State.Revision);
    }

    [Fact]
    public void Of_more_than_two_thousand_that_wait_as_many_are_asked_again_in_a_tick_and_nobody_is_left_out()
    {
        const int AtOnce = 2_000;
        const int Waiting = 9_000;
        Attach();
        for (var i = 0; i < Waiting; i++)
        {
            _hub.On(new AttachSession(ActorRefs.Nobody, new SessionId(7, (ulong)i), $"{i}", "192.0.2.7:5000", 60_000));
        }

        Advance(TimeSpan.FromMilliseconds(900));   // the rarer, the more there are
        _world.Told.Clear();
        var perTick = new List<int>();
        while (perTick.Count < 10)
        {
            var before = _world.Told.Count;
            Advance(HubState.Tick);
            perTick.Add(_world.Told.Count - before);
        }

        Assert.Equal(Waiting, _hub.Waiting);
        Assert.Equal(AtOnce, perTick.Max());
        Assert.Equal(Waiting, _world.Told.Count);
        Assert.Equal(Waiting, _world.Told.Select(static told => told.Identity).Distinct().Count());
    }

    [Fact]
    public void Who_asks_for_an_identity_hears_of_all_its_ends_that_are_not_acknowledged()
    {
        Attach();
        _hub.On(new EndSession(Session, 8, new byte[] { 8 }));
        var others = new[] { new SessionId(1, 3), new SessionId(1, 4) };
        foreach (var id in others)
        {
            _hub.On(new AttachSession(ActorRefs.Nobody, id, "device", "192.0.2.7:5000", 1_000));
            _hub.On(new EndSession(id, 0, default));
        }

        Assert.Equal([others[1], others[0], Session], EndsTold());
        _hub.On(new Detached("device", others[0]), Address.AllSystems);
        Assert.Equal([others[1], Session], EndsTold());
        _hub.On(new Detached("device", others[1]), Address.AllSystems);
        Assert.Equal([Session], EndsTold());
        _hub.On(new Detached("device", Session), Address.AllSystems);
        Assert.Empty(EndsTold());

        IEnumerable<SessionId> EndsTold()
        {
            _world.Told.Clear();
            _hub.On(new WhoHas("device"), Address.AllSystems);
            return _world.Told.OfType<Detach>().Select(static end => end.Session);
        }
    }

    [Fact]
    public void One_that_is_attached_when_it_was_told_that_it_is_over_gives_that_back()
    {
        _hub.On(new Over("device", Session, "another"), Address.AllSystems);
        _hub.On(new Attached("device", Session, 5, default), Address.AllSystems);

        Assert.IsType<IdentitySuperseded>(Assert.Single(_world.Said));
        Assert.Equal(5, Assert.Single(_world.Told.OfType<Detach>()).Epoch);
    }

    [Fact]
    public void That_nobody_speaks_is_not_said_while_a_removed_member_may()
    {
        _world.MayRemovedSend = true;
        _hub.On(new WhoHas("other"), Address.AllSystems);
        Assert.Empty(_world.Told.OfType<HasNone>());

        _world.MayRemovedSend = false;
        _hub.On(new WhoHas("other"), Address.AllSystems);
        Assert.Single(_world.Told.OfType<HasNone>());
    }

    [Fact]
    public void A_list_passes_over_nobody_who_is_attached_all_the_time_while_others_come_and_go_between_its_steps()
    {
        const int Sessions = 3 * HubWalk.StepMax;
        var random = new Random(1);
        for (var i = 0; i < Sessions; i++)
        {
            Attach(i);
        }

        var walk = _hub.Walk(new ListIdentities("", "", Sessions * 2));
        var gone = new HashSet<int>();
        var steps = 1;
        HubList? list;
        while ((list = walk.Step()) is null)
        {
            for (var i = 0; i < 2_000; i++)
            {
                var number = random.Next(Sessions);
                if (gone.Add(number))
                {
                    End(number);
                }

                Attach((steps * Sessions) + i);
            }

            steps++;
        }

        var names = list.Sessions.Select(static session => session.Identity).ToList();
        Assert.Equal(3, steps);
        Assert.Equal(names.Distinct().Order(StringComparer.Ordinal), names);
        Assert.Empty(
            Enumerable.Range(0, Sessions).Where(number => !gone.Contains(number)).Select(NameOf).Except(names));
        Assert.Equal(Sessions - gone.Count, names.Count(name => int.Parse(name[1..]) is var number
            && number < Sessions && !gone.Contains(number)));

        void Attach(int number)
        {
            var id = new SessionId(9, (ulong)number);
            _hub.On(new AttachSession(ActorRefs.Nobody, id, NameOf(number), "192.0.2.7:5000", 60_000));
            _hub.On(new Attached(NameOf(number), id, 1, default), Address.AllSystems);
        }

        void End(int number)
        {
            var id = new SessionId(9, (ulong)number);
            _hub.On(new EndSession(id, 0, default));
            _hub.On(new Detached(NameOf(number), id), Address.AllSystems);
        }

        static string NameOf(int number) => $"d{number:00000000}";
    }

    [Fact]
    public void A_page_has_the_first_names_behind_another_and_says_whether_there_are_more()
    {
        foreach (var name in new[] { "e", "b", "c", "a", "d", "x" })
        {
            var id = new SessionId(9, name[0]);
            _hub.On(new AttachSession(ActorRefs.Nobody, id, name, "192.0.2.7:5000", 60_000));
            _hub.On(new Attached(name, id, 1, default), Address.AllSystems);
        }

        Assert.Equal(("b c", true), PageOf(new ListIdentities("", "a", 2)));
        Assert.Equal(("d e x", false), PageOf(new ListIdentities("", "c", 3)));
        Assert.Equal(("x", false), PageOf(new ListIdentities("x", "", 3)));
        Assert.Equal(("", true), PageOf(new ListIdentities("", "", 0)));

        (string, bool) PageOf(ListIdentities wanted)
        {
            var list = _hub.Walk(wanted).Step()!;
            return (string.Join(' ', list.Sessions.Select(static session => session.Identity)), list.HasMore);
        }
    }

    /// <summary>Its end was acknowledged by an entity that heard of it as the owner only afterwards.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_entity_that_takes_a_session_that_is_gone_for_the_owner_is_told_that_it_has_ended(bool isTold)
    {
        Attach();
        _hub.On(new EndSession(Session, 8, new byte[] { 8 }));
        _hub.On(new Detached("device", Session), Address.AllSystems);
        _world.Told.Clear();

        var tell = new Tell("device", "hello", ActorRefs.Nobody, null);
        _hub.On(
            isTold ? new Pass("device", Session, tell) : new EpochIs("device", Session, 5, 8), Address.AllSystems);

        Assert.Equal(new Detach("device", Session, 0, default), _world.Told[0]);
        Assert.Equal(
            isTold ? [new Undelivered("device", Session, tell)] : Array.Empty<IToIdentity>(), _world.Told.Skip(1));
    }

    private void Attach()
    {
        var state = new KeptState(7, new byte[] { 7 });
        _hub.On(new Attached("device", Session, 5, state), Address.AllSystems);
        Assert.IsType<IdentityAttached>(Assert.Single(_world.Said));
    }

    private void Advance(TimeSpan time)
    {
        for (var end = _world.Now + time; _world.Now < end;)
        {
            _world.Now += HubState.Tick;
            _hub.OnTick();
        }
    }

    private sealed class World : IHubWorld
    {
        public TimeSpan Now { get; set; }

        public bool MayRemovedSend { get; set; }

        public Place Place { get; } = new(Address.AllSystems, 1);

        public List<IToIdentity> Told { get; } = [];

        public List<IdentityMessage> Said { get; } = [];

        public void ToIdentity(IToIdentity message) => Told.Add(message);

        public void ToSession(IActorRef session, IdentityMessage message, IActorRef? sender) => Said.Add(message);

        public void CountLostDetach() => throw new InvalidOperationException("nothing is lost here");
    }
}
