namespace Router.Tests.Actors;

public sealed class RestartTests : ActorTestKit
{
    private readonly IActorRef _parent;

    public RestartTests() => _parent = Sys.ActorOf(
        Props.Create(() => new Parent(new OneForOneStrategy(-1, -1, _ => Directive.Restart, false))), "parent");

    [Fact]
    public void Restart_drops_the_failing_message_and_keeps_mailbox_and_reference()
    {
        var child = StartChild(Props.Create(() => new Reporter(TestActor)));
        ExpectMsg("constructed");
        ExpectMsg("pre-start");

        child.Tell("one");
        child.Tell(new Reporter.Crash());
        child.Tell("two");
        child.Tell("three");

        ExpectMsg("one");
        ExpectMsg("pre-restart crash on Crash");
        ExpectMsg("post-stop");
        ExpectMsg("constructed");
        ExpectMsg("post-restart crash");
        ExpectMsg("pre-start");
        ExpectMsg("two");
        ExpectMsg("three");
        Assert.Equal(child, LastSender);
    }

    [Fact]
    public void PreRestart_stops_the_children()
    {
        var child = StartChild(Props.Create(() => new Parent(SupervisorStrategy.DefaultStrategy)));
        child.Tell(new Parent.Start(Props.Create(() => new Echo()), "grandchild"));
        var grandchild = ExpectMsg<IActorRef>();
        Watch(grandchild);

        child.Tell(new Reporter.Crash());

        ExpectTerminated(grandchild);
        child.Tell(new Parent.Start(Props.Create(() => new Echo()), "grandchild"));
        Assert.NotEqual(grandchild, ExpectMsg<IActorRef>());
    }

    [Fact]
    public void Children_that_PreRestart_keeps_are_restarted_too()
    {
        var keeping = StartChild(Props.Create(() => new Keeping(TestActor)));
        keeping.Tell("child");
        var grandchild = ExpectMsg<IActorRef>();
        ExpectMsgAllOf(new[] { "constructed", "pre-start" });

        keeping.Tell("crash");

        ExpectMsg("pre-restart kept on ");
        ExpectMsg("post-stop");
        ExpectMsg("constructed");
        ExpectMsg("post-restart kept");
        ExpectMsg("pre-start");
        grandchild.Tell("still there");
        ExpectMsgFrom(grandchild, "still there");
    }

    [Fact]
    public void The_old_instance_hands_its_state_to_the_new_one()
    {
        var child = StartChild(Props.CreateBy(new HandOver()));
        child.Tell("state one");
        child.Tell("crash");
        child.Tell("report");

        ExpectMsg("state one, taken over by " + child.Path);
    }

    [Fact]
    public void A_constructor_that_fails_stops_the_actor()
    {
        var parent = Sys.ActorOf(Props.Create(() => new Parent(SupervisorStrategy.DefaultStrategy)));
        var attempts = new Attempts(int.MaxValue);
        parent.Tell(new Parent.Start(Props.Create(() => new FailsFirst(attempts, TestActor))));
        Watch(ExpectMsg<IActorRef>());

        ExpectMsg<Terminated>();
        Assert.Equal(1, attempts.Made);
    }

    [Fact]
    public void A_PreStart_that_fails_is_an_initialization_failure()
    {
        var causes = CreateTestProbe();
        var strategy = new OneForOneStrategy(
            -1,
            -1,
            cause =>
            {
                causes.Ref.Tell(cause);
                return Directive.Stop;
            },
            false);
        var parent = Sys.ActorOf(Props.Create(() => new Parent(strategy)));
        parent.Tell(new Parent.Start(Props.Create(() => new FailsInPreStart())));

        var cause = causes.ExpectMsg<ActorInitializationException>();
        Assert.Equal("not today", cause.InnerException?.Message);
    }

    [Fact]
    public void A_constructor_that_fails_under_Restart_is_tried_again()
    {
        var attempts = new Attempts(2);
        var child = StartChild(Props.Create(() => new FailsFirst(attempts, TestActor)));

        child.Tell("hello");

        ExpectMsg("hello");
        Assert.Equal(3, attempts.Made);
    }

    [Fact]
    public void A_PreRestart_that_fails_is_logged_and_the_restart_goes_on()
    {
        var child = StartChild(Props.Create(() => new FailsInPreRestart()));

        EventFilter.Exception<PreRestartException>().ExpectOne(() => child.Tell("crash"));

        child.Tell("hello");
        ExpectMsg("hello");
    }

    [Fact]
    public void A_PostRestart_that_fails_is_a_new_failure()
    {
        var parent = Sys.ActorOf(Props.Create(() => new Parent(SupervisorStrategy.DefaultStrategy)));
        parent.Tell(new Parent.Start(Props.Create(() => new FailsInPostRestart())));
        var child = ExpectMsg<IActorRef>();
        Watch(child);

        EventFilter.Error(source: child.Path.ToString()).Expect(2, () => child.Tell("crash"));

        ExpectTerminated(child);
    }

    [Fact]
    public void A_thousand_crashes_lose_no_other_message()
    {
        const int Crashes = 1_000;
        var child = StartChild(Props.Create(() => new Silent(TestActor)));
        for (var i = 0; i < Crashes; i++)
        {
            child.Tell(new Reporter.Crash());
            child.Tell(i);
        }

        for (var i = 0; i < Crashes; i++)
        {
            ExpectMsg(i);
        }
    }

    private IActorRef StartChild(Props props)
    {
        _parent.Tell(new Parent.Start(props));
        return FishForMessage<IActorRef>(_ => true);
    }

    private sealed class Attempts
    {
        private readonly int _failures;

        public Attempts(int failures) => _failures = failures;

        public int Made { get; private set; }

        public void Make()
        {
            if (++Made <= _failures)
            {
                throw new InvalidOperationException("not yet");
            }
        }
    }

    private sealed class FailsFirst : UntypedActor
    {
        private readonly IActorRef _probe;

        public FailsFirst(Attempts attempts, IActorRef probe)
        {
            attempts.Make();
            _probe = probe;
        }

        protected override void OnReceive(object message) => _probe.Tell(message);
    }

    private sealed class FailsInPreStart : UntypedActor
    {
        protected override void PreStart() => throw new InvalidOperationException("not today");

        protected override void OnReceive(object message) => Unhandled(message);
    }

    private sealed class FailsInPreRestart : UntypedActor
    {
        protected override void PreRestart(Exception reason, object? message) =>
            throw new InvalidOperationException("in PreRestart");

        protected override void OnReceive(object message)
        {
            if (message is "crash")
            {
                throw new InvalidOperationException("crash");
            }

            Sender.Tell(message);
        }
    }

    private sealed class FailsInPostRestart : UntypedActor
    {
        protected override void PostRestart(Exception reason) =>
            throw new InvalidOperationException("in PostRestart");

        protected override void OnReceive(object message) => throw new InvalidOperationException("crash");
    }

    private sealed class Silent : UntypedActor
    {
        private readonly IActorRef _probe;

        public Silent(IActorRef probe) => _probe = probe;

        protected override void OnReceive(object message)
        {
            if (message is Reporter.Crash crash)
            {
                throw crash.Cause;
            }

            _probe.Tell(message);
        }
    }

    private sealed class Keeping : UntypedActor
    {
        private readonly IActorRef _probe;

        public Keeping(IActorRef probe) => _probe = probe;

        protected override void PreRestart(Exception reason, object? message)
        {
        }

        protected override void OnReceive(object message)
        {
            if (message is "crash")
            {
                throw new InvalidOperationException("kept");
            }

            _probe.Tell(Context.ActorOf(Props.Create(() => new Reporter(_probe))));
        }
    }

    /// <summary>Keeps the state of an instance that restarts for the next one.</summary>
    private sealed class HandOver : IIndirectActorProducer
    {
        public string? State { get; set; }

        public Type ActorType => typeof(Stateful);

        public ActorBase Produce() => new Stateful(this);

        public void Release(ActorBase actor)
        {
        }
    }

    private sealed class Stateful : UntypedActor
    {
        private readonly HandOver _producer;
        private string? _state;

        public Stateful(HandOver producer)
        {
            _producer = producer;
            _state = producer.State is { } state ? $"{state}, taken over by {Self.Path}" : null;
        }

        protected override void PreRestart(Exception reason, object? message) => _producer.State = _state;

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case "crash":
                    throw new InvalidOperationException("crash");
                case "report":
                    Sender.Tell(_state!);
                    break;
                default:
                    _state = (string)message;
                    break;
            }
        }
    }
}
