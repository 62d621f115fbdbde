#if !ACTOR_ENGINE_AKKA
namespace Router.Tests.Actors;

/// <summary>Children whose cell and actor were made ahead are children like all others.</summary>
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

        protected override void OnReceive(object message)
        {
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
