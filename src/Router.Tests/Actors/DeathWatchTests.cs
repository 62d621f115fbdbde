namespace Router.Tests.Actors;

public sealed class DeathWatchTests : ActorTestKit
{
    /// <summary>In which a second message would come: all of it is in this process.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(200);

    [Fact]
    public void Each_watcher_is_told_exactly_once()
    {
        var actor = Sys.ActorOf<Echo>();
        var other = CreateTestProbe();
        Watch(actor);
        Watch(actor);
        other.Watch(actor);

        Sys.Stop(actor);

        Assert.True(ExpectTerminated(actor).ExistenceConfirmed);
        other.ExpectTerminated(actor);
        ExpectNoMsg(Silence);
        other.ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void Watching_an_actor_that_is_dead_already_tells_once()
    {
        var actor = Sys.ActorOf<Echo>();
        Watch(actor);
        Sys.Stop(actor);
        ExpectTerminated(actor);

        Watch(actor);

        ExpectTerminated(actor);
        ExpectNoMsg(Silence);
    }

    [Fact]
    public void A_parent_that_watches_its_child_is_told_once()
    {
        var watcher = Sys.ActorOf(Props.Create(() => new Watcher(TestActor)));
        watcher.Tell("start");
        var child = ExpectMsg<IActorRef>();

        child.Tell(PoisonPill.Instance);

        ExpectMsg(child);
        ExpectNoMsg(Silence);
    }

    [Fact]
    public void Unwatch_drops_a_Terminated_that_waits_in_the_mailbox()
    {
        var watcher = Sys.ActorOf(Props.Create(() => new Watcher(TestActor)));
        watcher.Tell("start");
        var child = ExpectMsg<IActorRef>();
        Watch(child);
        using var gate = new ManualResetEventSlim();
        watcher.Tell(gate);
        watcher.Tell(new Watcher.Unwatch(child));
        child.Tell(PoisonPill.Instance);
        ExpectTerminated(child);
        gate.Set();

        watcher.Tell("start");

        Assert.NotEqual(child, ExpectMsg<IActorRef>());
        ExpectNoMsg(Silence);
    }

    [Fact]
    public void WatchWith_tells_the_message_of_the_watchers_choice()
    {
        var watcher = Sys.ActorOf(Props.Create(() => new Watcher(TestActor)));
        var actor = Sys.ActorOf<Echo>();
        watcher.Tell(new Watcher.With(actor, "it is over"));

        actor.Tell(PoisonPill.Instance);

        ExpectMsg("it is over");
        ExpectNoMsg(Silence);
    }

    [Fact]
    public void A_Terminated_not_handled_is_a_death_pact()
    {
        var watcher = Sys.ActorOf(Props.Create(() => new Pact()));
        var actor = Sys.ActorOf<Echo>();
        Watch(watcher);
        watcher.Tell(actor);
        ExpectMsg("watching");

        EventFilter.Exception<DeathPactException>().ExpectOne(() => actor.Tell(PoisonPill.Instance));

        ExpectTerminated(watcher);
    }

    [Fact]
    public void Terminated_comes_for_an_actor_that_ends_by_supervision()
    {
        var actor = Sys.ActorOf<Echo>();
        Watch(actor);

        EventFilter.Exception<ActorKilledException>().ExpectOne(() => actor.Tell(Kill.Instance));

        ExpectTerminated(actor);
        ExpectNoMsg(Silence);
    }

    [Fact]
    public void A_restart_is_no_end()
    {
        var parent = Sys.ActorOf(Props.Create(() =>
            new Parent(new OneForOneStrategy(-1, -1, _ => Directive.Restart, false))));
        parent.Tell(new Parent.Start(Props.Create(() => new Reporter(ActorRefs.Nobody))));
        var child = ExpectMsg<IActorRef>();
        Watch(child);

        child.Tell(new Reporter.Crash());
        child.Tell(PoisonPill.Instance);

        ExpectTerminated(child);
        ExpectNoMsg(Silence);
    }

    private sealed class Watcher : UntypedActor
    {
        private readonly IActorRef _probe;

        public Watcher(IActorRef probe) => _probe = probe;

        internal sealed record Unwatch(IActorRef Subject);

        internal sealed record With(IActorRef Subject, object Message);

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case "start":
                    _probe.Tell(Context.Watch(Context.ActorOf<Echo>()));
                    break;
                case Unwatch unwatch:
                    Context.Unwatch(unwatch.Subject);
                    break;
                case With with:
                    Context.WatchWith(with.Subject, with.Message);
                    break;
                case Terminated terminated:
                    _probe.Tell(terminated.ActorRef);
                    break;
                case ManualResetEventSlim gate:
                    gate.Wait();
                    break;
                default:
                    _probe.Tell(message);
                    break;
            }
        }
    }

    private sealed class Pact : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is IActorRef subject)
            {
                Context.Watch(subject);
                Sender.Tell("watching");
            }
            else
            {
                Unhandled(message);
            }
        }
    }
}
