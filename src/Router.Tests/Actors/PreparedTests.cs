#if !ACTOR_ENGINE_AKKA
namespace Router.Tests.Actors;

/// <summary>Prepared children, whose cell and actor are made before their parent wants them, are like all others.
/// </summary>
public sealed class PreparedTests : ActorTestKit
{
    private readonly IActorRef _adopter;
    private readonly Props _recipe;

    public PreparedTests()
    {
        _adopter = Sys.ActorOf(Props.Create(() => new Adopter()));
        _recipe = Props.Create(() => new Reporter(TestActor));
    }

    [Fact]
    public void A_prepared_child_is_started_stopped_and_named_as_one_that_is_made()
    {
        var prepared = Prepare();
        ExpectMsg("constructed");
        var child = Adopt(prepared);
        ExpectMsg("pre-start");

        child.Tell("hello");
        ExpectMsg("hello");
        Assert.Same(prepared, child);
        Assert.Equal(_adopter.Path, child.Path.Parent);
        Assert.NotEqual(child.Path, Adopt(Prepare()).Path);
        ExpectMsg("constructed");
        ExpectMsg("pre-start");

        Watch(child);
        Sys.Stop(child);
        ExpectMsg("post-stop");
        ExpectTerminated(child);
    }

    [Fact]
    public void After_a_failure_the_recipe_makes_the_next_instance()
    {
        var child = Adopt(Prepare());
        ExpectMsg("constructed");
        ExpectMsg("pre-start");

        child.Tell(new Reporter.Crash());

        ExpectMsg("pre-restart crash on Crash");
        ExpectMsg("post-stop");
        ExpectMsg("constructed");
        ExpectMsg("post-restart crash");
        ExpectMsg("pre-start");
        child.Tell("hello");
        ExpectMsg("hello");
    }

    [Fact]
    public void A_prepared_actor_has_its_timers_and_its_stash()
    {
        var child = Adopt(ActorCell.Prepare(static () => new Equipped()), Props.Create(() => new Equipped()));

        child.Tell("are they there?", TestActor);

        ExpectMsg(true);
    }

    [Fact]
    public void A_cell_is_used_once_and_for_the_recipe_it_was_prepared_for()
    {
        var prepared = Prepare();
        Assert.IsType<ArgumentException>(Refused(prepared, Props.Create(() => new Echo())));
        Adopt(prepared);
        Assert.IsType<ArgumentException>(Refused(prepared, _recipe));
    }

    [Fact]
    public void One_whose_PreStart_fails_is_made_again_by_the_recipe()
    {
        var failures = 1;
        var recipe = Props.CreateBy(new FailingProducer(() => new Failing(TestActor, () => failures-- > 0)));

        var child = Adopt(ActorCell.Prepare(() => new Failing(TestActor, static () => true)), recipe);

        ExpectMsg("failed");   // the one that was prepared, the recipe's first, and its second comes up
        ExpectMsg("failed");
        ExpectMsg("started");
        child.Tell("hello", TestActor);
        ExpectMsg("hello");
    }

    [Fact]
    public void One_that_is_stopped_before_its_first_turn_starts_and_stops()
    {
        _adopter.Tell(new Adopter.AdoptAndStop(_recipe, Prepare()));

        ExpectMsg("constructed");
        ExpectMsg("pre-start");
        ExpectMsg("post-stop");
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void An_actor_made_elsewhere_or_that_uses_its_context_is_refused()
    {
        var made = ActorCell.Prepare(static () => new Echo());
        Assert.Throws<ArgumentException>(() => ActorCell.Prepare(() => Made(made)));
        Assert.Throws<ArgumentException>(() => ActorCell.Prepare(static () => new Becoming()));

        static ActorBase Made(ActorCell cell) => cell.UnderlyingActor!;
    }

    [Fact]
    public void Who_prepares_while_an_actor_is_constructed_does_not_disturb_that()
    {
        Sys.ActorOf(Props.Create(() => new Preparing(TestActor)));
        ExpectMsg(true);
    }

    private ActorCell Prepare() => ActorCell.Prepare(() => new Reporter(TestActor));

    private IActorRef Adopt(ActorCell prepared, Props? recipe = null)
    {
        var adopted = _adopter.Ask<object>(new Adopter.Adopt(recipe ?? _recipe, prepared)).Result;
        return Assert.IsAssignableFrom<IActorRef>(adopted);
    }

    private object Refused(ActorCell prepared, Props recipe) =>
        _adopter.Ask<object>(new Adopter.Adopt(recipe, prepared)).Result;

    private sealed class Adopter : UntypedActor
    {
        internal sealed record Adopt(Props Recipe, ActorCell Prepared);

        internal sealed record AdoptAndStop(Props Recipe, ActorCell Prepared);

        protected override SupervisorStrategy SupervisorStrategy() =>
            new OneForOneStrategy(static _ => Directive.Restart);

        protected override void OnReceive(object message)
        {
            if (message is AdoptAndStop both)
            {
                Context.Stop(Cell.ActorOf(both.Recipe, both.Prepared));
                return;
            }

            var adopt = (Adopt)message;
            try
            {
                Sender.Tell(Cell.ActorOf(adopt.Recipe, adopt.Prepared));
            }
            catch (ArgumentException refused)
            {
                Sender.Tell(refused);
            }
        }
    }

    private sealed class FailingProducer(Func<Failing> make) : IIndirectActorProducer
    {
        public Type ActorType => typeof(Failing);

        public ActorBase Produce() => make();

        public void Release(ActorBase actor)
        {
        }
    }

    private sealed class Failing(IActorRef probe, Func<bool> fails) : UntypedActor
    {
        protected override void PreStart()
        {
            var isFailure = fails();
            probe.Tell(isFailure ? "failed" : "started");
            if (isFailure)
            {
                throw new InvalidOperationException("PreStart");
            }
        }

        protected override void OnReceive(object message) => Sender.Tell(message);
    }

    private sealed class Becoming : UntypedActor
    {
        public Becoming() => Become(static _ => { });

        protected override void OnReceive(object message) => Unhandled(message);
    }

    private sealed class Equipped : UntypedActor, IWithTimers, IWithStash
    {
        public ITimerScheduler Timers { get; set; } = null!;

        public IStash Stash { get; set; } = null!;

        protected override void OnReceive(object message) => Sender.Tell(Timers is not null && Stash is not null);
    }

    private sealed class Preparing : UntypedActor
    {
        public Preparing(IActorRef probe)
        {
            ActorCell.Prepare(static () => new Echo());
            probe.Tell(ReferenceEquals(Self, ActorCell.Constructing));
        }

        protected override void OnReceive(object message) => Unhandled(message);
    }
}
#endif
