namespace Router.Tests.Actors;

public sealed class SupervisionTests : ActorTestKit
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    public SupervisionTests()
        : base(ActorTestSettings.VirtualTime)
    {
    }


    /// <summary>What becomes of a child under each directive, as OTP tabulates it: a crash is decided by the
    /// directive; a normal stop is an end under all of them.</summary>
    [Theory]
    [InlineData(Directive.Resume, false, "kept")]
    [InlineData(Directive.Restart, false, "fresh")]
    [InlineData(Directive.Stop, false, "ended")]
    [InlineData(Directive.Escalate, false, "ended")]
    [InlineData(Directive.Resume, true, "ended")]
    [InlineData(Directive.Restart, true, "ended")]
    [InlineData(Directive.Stop, true, "ended")]
    [InlineData(Directive.Escalate, true, "ended")]
    public void A_directive_decides_on_crashes_and_never_on_normal_stops(
        Directive directive, bool normalStop, string outcome)
    {
        // The grandparent restarts the parent that escalates, which stops the child.
        var child = StartUnder(new OneForOneStrategy(-1, -1, _ => directive, false));
        Watch(child);
        child.Tell("count");
        ExpectMsg(1);

        child.Tell(normalStop ? PoisonPill.Instance : new Reporter.Crash());

        if (outcome == "ended")
        {
            ExpectTerminated(child);
            return;
        }

        child.Tell("count");
        ExpectMsg(outcome == "kept" ? 2 : 1);
    }

    [Fact]
    public void Restarts_beyond_the_budget_stop_the_child()
    {
        var child = StartUnder(new OneForOneStrategy(2, (int)Window.TotalMilliseconds, _ => Directive.Restart, false));
        Watch(child);

        CrashAndExpectFresh(child);
        CrashAndExpectFresh(child);
        child.Tell(new Reporter.Crash());

        ExpectTerminated(child);
    }

    [Fact]
    public void A_budget_of_minus_one_never_ends()
    {
        var child = StartUnder(new OneForOneStrategy(-1, -1, _ => Directive.Restart, false));
        for (var i = 0; i < 200; i++)
        {
            CrashAndExpectFresh(child);
        }
    }

    [Fact]
    public void A_budget_of_zero_stops_at_the_first_crash()
    {
        var child = StartUnder(new OneForOneStrategy(0, -1, _ => Directive.Restart, false));
        Watch(child);

        child.Tell(new Reporter.Crash());

        ExpectTerminated(child);
    }

    [Fact]
    public void A_failing_child_leaves_its_siblings_alone()
    {
        var parent = Sys.ActorOf(Props.Create(() =>
            new Parent(new OneForOneStrategy(-1, -1, _ => Directive.Restart, false))));
        var failing = StartCounter(parent);
        var sibling = StartCounter(parent);
        sibling.Tell("count");
        ExpectMsg(1);

        CrashAndExpectFresh(failing);

        sibling.Tell("count");
        ExpectMsg(2);
    }

    [Fact]
    public void AllForOne_restarts_the_siblings_too()
    {
        var parent = Sys.ActorOf(Props.Create(() =>
            new Parent(new AllForOneStrategy(-1, -1, _ => Directive.Restart, false))));
        var failing = StartCounter(parent);
        var sibling = StartCounter(parent);
        sibling.Tell("count");
        ExpectMsg(1);

        CrashAndExpectFresh(failing);

        AwaitAssert(() =>
        {
            sibling.Tell("peek");
            ExpectMsg(0);
        });
    }

    [Fact]
    public void AllForOne_stops_all_when_it_stops_one()
    {
        var parent = Sys.ActorOf(Props.Create(() =>
            new Parent(new AllForOneStrategy(-1, -1, _ => Directive.Stop, false))));
        var failing = StartCounter(parent);
        var sibling = StartCounter(parent);
        Watch(failing);
        Watch(sibling);

        failing.Tell(new Reporter.Crash());

        var ended = ReceiveN(2).Cast<Terminated>().Select(terminated => terminated.ActorRef).ToHashSet();
        Assert.True(ended.SetEquals([failing, sibling]));
    }

    [Fact]
    public void Escalation_reaches_the_guardian_which_restarts_the_top()
    {
        var escalate = new OneForOneStrategy(-1, -1, _ => Directive.Escalate, false);
        var top = Sys.ActorOf(Props.Create(() => new Parent(escalate)), "top");
        top.Tell(new Parent.Start(Props.Create(() => new Parent(escalate)), "middle"));
        var middle = ExpectMsg<IActorRef>();
        var bottom = StartCounter(middle);
        Watch(bottom);

        EventFilter.Exception<InvalidOperationException>("crash", source: top.Path.ToString())
            .ExpectOne(() => bottom.Tell(new Reporter.Crash()));

        ExpectTerminated(bottom);
        top.Tell(new Parent.Start(Props.Create(() => new Echo()), "middle"));
        Assert.NotEqual(middle, ExpectMsg<IActorRef>());
    }

    [Fact]
    public void A_strategy_that_throws_escalates_what_it_throws()
    {
        var broken = new OneForOneStrategy(-1, -1, _ => throw new NotSupportedException("undecided"), false);
        var parent = Sys.ActorOf(Props.Create(() => new Parent(broken)), "broken");
        var child = StartCounter(parent);

        EventFilter.Exception<NotSupportedException>("undecided", source: parent.Path.ToString())
            .ExpectOne(() => child.Tell(new Reporter.Crash()));
    }

    [Fact]
    public void A_restart_is_logged_as_an_error_and_a_resume_as_a_warning()
    {
        var restarted = StartUnder(new OneForOneStrategy(_ => Directive.Restart));
        var resumed = StartUnder(new OneForOneStrategy(_ => Directive.Resume));

        EventFilter.Error("crash", source: restarted.Path.ToString())
            .ExpectOne(() => restarted.Tell(new Reporter.Crash()));
        EventFilter.Warning("crash", source: resumed.Path.ToString())
            .ExpectOne(() => resumed.Tell(new Reporter.Crash()));
    }

    [Fact]
    public void Logging_can_be_switched_off()
    {
        var child = StartUnder(new OneForOneStrategy(-1, -1, _ => Directive.Restart, false));

        EventFilter.Error().Expect(0, () => CrashAndExpectFresh(child));
    }

    [Fact]
    public void Kill_fails_the_actor_and_the_default_is_to_stop_it()
    {
        var actor = Sys.ActorOf<Echo>();
        Watch(actor);

        EventFilter.Exception<ActorKilledException>().ExpectOne(() => actor.Tell(Kill.Instance));

        ExpectTerminated(actor);
    }

    [Fact]
    public void The_default_decider_stops_what_cannot_start_and_restarts_the_rest()
    {
        var decider = SupervisorStrategy.DefaultDecider;
        Assert.Equal(Directive.Stop, decider.Decide(new ActorInitializationException("x")));
        Assert.Equal(Directive.Stop, decider.Decide(new ActorKilledException("x")));
        Assert.Equal(Directive.Stop, decider.Decide(new DeathPactException(TestActor)));
        Assert.Equal(Directive.Restart, decider.Decide(new InvalidOperationException()));
    }

    [Fact]
    public void Props_may_bring_the_strategy()
    {
        var props = Props.Create(() => new Parent(SupervisorStrategy.StoppingStrategy))
            .WithSupervisorStrategy(new OneForOneStrategy(-1, -1, _ => Directive.Resume, false));
        var child = StartCounter(Sys.ActorOf(props));
        child.Tell("count");
        ExpectMsg(1);

        child.Tell(new Reporter.Crash());
        child.Tell("count");

        ExpectMsg(2);
    }

    private IActorRef StartUnder(SupervisorStrategy strategy) =>
        StartCounter(Sys.ActorOf(Props.Create(() => new Parent(strategy))));

    private IActorRef StartCounter(IActorRef parent)
    {
        parent.Tell(new Parent.Start(Props.Create(() => new Counter())));
        return ExpectMsg<IActorRef>();
    }

    private void CrashAndExpectFresh(IActorRef child)
    {
        child.Tell("count");
        ExpectMsg<int>();
        child.Tell(new Reporter.Crash());
        child.Tell("peek");
        ExpectMsg(0);
    }

    private sealed class Counter : UntypedActor
    {
        private int _count;

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case Reporter.Crash crash:
                    throw crash.Cause;
                case "peek":
                    Sender.Tell(_count);
                    break;
                default:
                    Sender.Tell(++_count);
                    break;
            }
        }
    }
}
