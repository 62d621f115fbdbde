namespace Router.Tests.Actors;

public sealed class LifecycleTests : ActorTestKit
{
    [Fact]
    public void Stop_ends_children_first_then_runs_PostStop_then_tells_watchers()
    {
        var family = Sys.ActorOf(Props.Create(() => new Family(TestActor, "parent", 2)), "parent");
        Watch(family);

        Sys.Stop(family);

        ExpectMsgAllOf(new[] { "child0 stopped", "child1 stopped" });
        ExpectMsg("parent stopped");
        ExpectTerminated(family);
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void A_name_is_free_again_once_its_actor_has_terminated()
    {
        var first = Sys.ActorOf<Echo>("name");
        Watch(first);
        Assert.Throws<InvalidActorNameException>(() => Sys.ActorOf<Echo>("name"));

        Sys.Stop(first);
        ExpectTerminated(first);

        IActorRef? second = null;
        AwaitAssert(() => second = Sys.ActorOf<Echo>("name"));
        Assert.NotEqual(first, second);
        Assert.Equal(first.Path, second!.Path);
        Assert.NotEqual(first.Path.Uid, second.Path.Uid);
        first.Tell("to the old one");
        second.Tell("to the new one");
        ExpectMsg("to the new one");
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void A_child_is_gone_from_its_parent_when_Terminated_comes()
    {
        var parent = Sys.ActorOf(Props.Create(() => new Replacing(TestActor)));

        for (var i = 0; i < 20; i++)
        {
            parent.Tell("replace");
            ExpectMsg("replaced");
        }
    }

    [Fact]
    public void Unnamed_actors_get_names_of_their_own()
    {
        var names = Enumerable.Range(0, 200).Select(_ => Sys.ActorOf<Echo>().Path.Name).ToList();

        Assert.Equal(200, names.Distinct().Count());
        Assert.All(names, name => Assert.StartsWith("$", name, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("$a")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("%zz")]
    public void Names_that_paths_cannot_carry_are_refused(string name) =>
        Assert.Throws<InvalidActorNameException>(() => Sys.ActorOf<Echo>(name));

    [Theory]
    [InlineData("127.0.0.1:50000")]
    [InlineData("a-b_c.d*e$f+g:h@i&j=k,l!m~n';()")]
    [InlineData("%20")]
    public void Other_names_are_taken(string name) =>
        Assert.Equal($"akka://test/user/{name}", Sys.ActorOf<Echo>(name).Path.ToString());

    [Fact]
    public void A_parent_finds_its_children_by_name()
    {
        var parent = Sys.ActorOf(Props.Create(() => new Family(TestActor, "parent", 3)));

        parent.Tell("child1");
        Assert.Equal("child1", ExpectMsg<IActorRef>().Path.Name);
        parent.Tell("nobody");
        Assert.True(ExpectMsg<IActorRef>().IsNobody());
        parent.Tell("count");
        ExpectMsg(3);
    }

    [Fact]
    public void A_stopping_actor_makes_no_more_children()
    {
        var actor = Sys.ActorOf(Props.Create(() => new LateParent(TestActor)));

        Sys.Stop(actor);

        ExpectMsg<InvalidOperationException>();
    }

    [Fact]
    public void A_PostStop_that_fails_is_logged_and_the_end_goes_on()
    {
        var actor = Sys.ActorOf<FailsInPostStop>();
        Watch(actor);

        EventFilter.Exception<NotSupportedException>().ExpectOne(() => Sys.Stop(actor));

        ExpectTerminated(actor);
    }

    [Fact]
    public void Ten_thousand_children_start_and_stop()
    {
        const int Children = 10_000;
        var parent = Sys.ActorOf(Props.Create(() => new Family(ActorRefs.Nobody, "parent", Children)));
        Watch(parent);
        parent.Tell("count");
        ExpectMsg(Children, TimeSpan.FromSeconds(30));

        Sys.Stop(parent);

        ExpectTerminated(parent, TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Terminate_ends_all_actors_and_completes()
    {
        var system = ActorSystem.Create("other");
        var probe = CreateTestProbe();
        system.ActorOf(Props.Create(() => new Reporter(probe.Ref)));
        probe.ExpectMsg("constructed");
        probe.ExpectMsg("pre-start");

        await system.Terminate().WaitAsync(TimeSpan.FromSeconds(30));

        probe.ExpectMsg("post-stop");
        Assert.True(system.WhenTerminated.IsCompletedSuccessfully);
        Assert.Throws<InvalidOperationException>(() => system.ActorOf<Echo>());
    }

    private sealed class Family : UntypedActor
    {
        private readonly IActorRef _probe;
        private readonly string _name;

        public Family(IActorRef probe, string name, int children)
        {
            _probe = probe;
            _name = name;
            for (var i = 0; i < children; i++)
            {
                var child = "child" + i;
                Context.ActorOf(Props.Create(() => new Family(probe, child, 0)), child);
            }
        }

        protected override void PostStop() => _probe.Tell(_name + " stopped");

        protected override void OnReceive(object message)
        {
            if (message is "count")
            {
                Sender.Tell(Context.GetChildren().Count());
            }
            else
            {
                Sender.Tell(Context.Child((string)message));
            }
        }
    }

    private sealed class Replacing : UntypedActor
    {
        private readonly IActorRef _probe;
        private IActorRef? _child;

        public Replacing(IActorRef probe) => _probe = probe;

        protected override void PreStart() => Start();

        protected override void OnReceive(object message)
        {
            if (message is Terminated)
            {
                Start();
                _probe.Tell("replaced");
            }
            else
            {
                Context.Stop(_child!);
            }
        }

        private void Start() => _child = Context.Watch(Context.ActorOf<Echo>("only"));
    }

    private sealed class LateParent : UntypedActor
    {
        private readonly IActorRef _probe;

        public LateParent(IActorRef probe) => _probe = probe;

        protected override void PostStop()
        {
            try
            {
                Context.ActorOf<Echo>();
            }
            catch (InvalidOperationException e)
            {
                _probe.Tell(e);
            }
        }

        protected override void OnReceive(object message) => Unhandled(message);
    }

    private sealed class FailsInPostStop : UntypedActor
    {
        protected override void PostStop() => throw new NotSupportedException("in PostStop");

        protected override void OnReceive(object message) => Unhandled(message);
    }
}
