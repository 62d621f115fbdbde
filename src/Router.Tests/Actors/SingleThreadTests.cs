#if !ACTOR_ENGINE_AKKA
namespace Router.Tests.Actors;

/// <summary>Actors on a dispatcher with one thread, as on an I/O loop: the test's thread runs the turns.</summary>
public sealed class SingleThreadTests : IDisposable
{
    private const string Loop = "test.loop";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ActorSystem _system = ActorSystem.Create(
        "loop",
        Router.Configuration.Hocon.ConfigurationFactory.ParseString($$"""
            {{Loop}} {
              type = "Router.TestKit.Actors.StepDispatcherConfigurator, Router.TestKit"
              throughput = 64
            }
            """));

    private readonly StepDispatcher _loop;

    public SingleThreadTests()
    {
        _loop = (StepDispatcher)_system.Dispatchers.Lookup(Loop);
        _loop.Bind();
    }

    public void Dispose()
    {
        _ = _system.Terminate();
        Assert.True(_loop.RunUntil(() => _system.WhenTerminated.IsCompleted, Patience));
        _loop.Unbind();
    }

    [Fact]
    public void A_Tell_and_its_turn_allocate_nothing()
    {
        var pings = new Pings();
        var first = Start(() => new Bouncer(pings));
        var second = Start(() => new Bouncer(pings));
        _loop.RunUntilIdle();
        Bounce(10_000);
        Assert.Equal(0, pings.Left);

        var allocated = Allocations.Of(() => Bounce(100_000));

        Assert.Equal(0, pings.Left);
        Assert.Equal(0, allocated);

        void Bounce(int times)
        {
            pings.Left = times;
            first.Tell(pings, second);
            _loop.RunUntilIdle();
        }
    }

    [Fact]
    public void Tells_from_elsewhere_allocate_nothing_once_their_letters_come_back()
    {
        var counter = new Pings();
        var actor = Start(() => new Sink(counter));
        for (var i = 0; i < 20; i++)
        {
            Burst();   // until the loop has as many letters as it keeps
        }

        var allocated = Allocations.Of(Burst);

        Assert.Equal(0, counter.Left);
        Assert.InRange(allocated, 0, 40);   // a letter of the thousand

        void Burst()
        {
            counter.Left = 1_000;
            _loop.Unbind();
            for (var i = 0; i < 1_000; i++)
            {
                actor.Tell(counter, ActorRefs.NoSender);
            }

            _loop.Bind();
            _loop.RunUntilIdle();
        }
    }

    /// <summary>A new one among them would make each collection look through all actors that it has gone through.
    /// </summary>
    [Fact]
    public void A_loops_own_letters_go_round_without_those_from_elsewhere()
    {
        var counter = new Pings { Left = 3 };
        var actor = Start(() => new Sink(counter));
        actor.Tell(counter, ActorRefs.NoSender);
        _loop.RunUntilIdle();
        var letters = MessageDispatcher.LettersOf(_loop);
        var own = letters.Rent(_loop, counter, ActorRefs.NoSender);
        letters.Return(_loop, own);

        _loop.Unbind();
        actor.Tell(counter, ActorRefs.NoSender);
        _loop.Bind();
        _loop.RunUntilIdle();
        actor.Tell(counter, ActorRefs.NoSender);
        _loop.RunUntilIdle();

        Assert.Equal(0, counter.Left);
        Assert.Same(own, letters.Rent(_loop, counter, ActorRefs.NoSender));
    }

    [Fact]
    public void A_burst_to_a_thousand_actors_allocates_nothing()
    {
        var counter = new Pings();
        var actors = Enumerable.Range(0, 1_000).Select(_ => Start(() => new Sink(counter))).ToArray();
        _loop.RunUntilIdle();
        Burst();

        var allocated = Allocations.Of(Burst);

        Assert.Equal(0, counter.Left);
        Assert.Equal(0, allocated);

        void Burst()
        {
            counter.Left = actors.Length * 5;
            for (var round = 0; round < 5; round++)
            {
                foreach (var actor in actors)
                {
                    actor.Tell(counter, ActorRefs.NoSender);
                }
            }

            _loop.RunUntilIdle();
        }
    }

    [Fact]
    public void A_sender_that_moves_from_another_thread_to_the_loop_keeps_its_order()
    {
        var heard = new List<int>();
        var actor = Start(() => new Recorder(heard));
        _loop.RunUntilIdle();

        for (var round = 0; round < 100; round++)
        {
            var number = round * 4;
            OnAnotherThread(() => actor.Tell(number, ActorRefs.NoSender));
            actor.Tell(number + 1, ActorRefs.NoSender);
            OnAnotherThread(() => actor.Tell(number + 2, ActorRefs.NoSender));
            actor.Tell(number + 3, ActorRefs.NoSender);
        }

        _loop.RunUntilIdle();
        Assert.Equal(Enumerable.Range(0, 400), heard);
    }

    [Fact]
    public void A_system_message_from_another_thread_goes_before_user_messages_that_wait()
    {
        var heard = new List<int>();
        var actor = Start(() => new Recorder(heard));
        _loop.RunUntilIdle();

        actor.Tell(1, ActorRefs.NoSender);
        OnAnotherThread(() => _system.Stop(actor));
        _loop.RunUntilIdle();

        Assert.Empty(heard);
    }

    [Fact]
    public void An_actor_that_tells_itself_leaves_the_others_their_turns()
    {
        var pings = new Pings { Left = 1_000 };
        var selfish = Start(() => new Bouncer(pings));
        var heard = new List<int>();
        var modest = Start(() => new Recorder(heard));
        _loop.RunUntilIdle();

        selfish.Tell(pings, selfish);
        modest.Tell(1, ActorRefs.NoSender);
        Assert.True(_loop.RunOne());
        Assert.True(_loop.RunOne());

        Assert.Equal([1], heard);
        Assert.True(pings.Left >= 1_000 - 64, $"{pings.Left} left after one turn");
    }

    [Fact]
    public void The_run_queue_holds_a_busy_actor_once()
    {
        var pings = new Pings { Left = 100_000 };
        var actor = Start(() => new Sink(pings));
        _loop.RunUntilIdle();
        var before = _loop.Turns;

        // Foreign and own Tells mixed, always more than one turn's share: each foreign push may bring one
        // turn of its own, none may bring more.
        var foreignPushes = 0;
        for (var round = 0; round < 100; round++)
        {
            for (var i = 0; i < 999; i++)
            {
                actor.Tell(pings, ActorRefs.NoSender);
            }

            OnAnotherThread(() => actor.Tell(pings, ActorRefs.NoSender));
            foreignPushes++;
            _loop.RunOne();
        }

        _loop.RunUntilIdle();
        Assert.Equal(0, pings.Left);
        var needed = (100_000 / 64) + 1;
        Assert.InRange(_loop.Turns - before, needed, needed + foreignPushes + 1);
    }

    [Fact]
    public void Foreign_Tells_to_a_sleeping_loop_are_never_lost()
    {
        const int Senders = 3;
        const int Each = 200_000;
        var pings = new Pings { Left = Senders * Each };
        var actors = Enumerable.Range(0, 4).Select(_ => Start(() => new Sink(pings))).ToArray();
        _loop.RunUntilIdle();

        var threads = Enumerable.Range(0, Senders).Select(_ => new Thread(() =>
        {
            for (var i = 0; i < Each; i++)
            {
                actors[i & 3].Tell(pings, ActorRefs.NoSender);
                if ((i & 63) == 0)
                {
                    // Time for the loop to fall asleep.
                    Thread.SpinWait(200);
                }
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());

        Assert.True(_loop.RunUntil(() => pings.Left == 0, Patience), $"{pings.Left} lost");
        threads.ForEach(thread => thread.Join());
    }

    [Fact]
    public void A_hundred_thousand_children_start_and_stop_in_turns_linear_in_their_number()
    {
        var few = TurnsToStartAndStop(10_000);
        var many = TurnsToStartAndStop(100_000);

        // One turn to start, one to stop each; the parent's slices are few. No turn does all at once.
        Assert.InRange(few, 20_000, 22_000);
        Assert.InRange(many, 200_000, 220_000);
    }

    [Fact]
    public void Children_are_told_to_stop_in_slices()
    {
        const int Children = 10_000;
        var (parent, pings) = StartParentOf(Children);
        var heard = new List<int>();
        var other = Start(() => new Recorder(heard));
        _loop.RunUntilIdle();

        _system.Stop(parent);
        _loop.RunOne();
        other.Tell(1, ActorRefs.NoSender);
        var before = _loop.Turns;
        while (heard.Count == 0)
        {
            Assert.True(_loop.RunOne());
        }

        Assert.InRange(_loop.Turns - before, 1, 2_000);
        _loop.RunUntilIdle();
        Assert.Equal(Children, pings.Left);
    }

    [Fact]
    public void An_idle_actor_is_small()
    {
        const int Children = 10_000;
        StartParentOf(Children);
        var before = GC.GetAllocatedBytesForCurrentThread();
        StartParentOf(Children);
        var each = (GC.GetAllocatedBytesForCurrentThread() - before) / Children;

        // All that starting a child allocates: the cell, its actor (32 B: the cell, a field of its own, the
        // header) and its place in an array that doubles.
        Assert.InRange(each, 100, 180);
    }

    [Fact]
    public void Time_to_stop_does_not_depend_on_who_stops_first()
    {
        var (parent, pings) = StartParentOf(5_000);
        _loop.RunUntilIdle();
        var children = ((ActorCell)parent).GetChildren().ToArray();
        var random = new Random(17);
        random.Shuffle(children);

        foreach (var child in children.Take(2_500))
        {
            child.Tell(PoisonPill.Instance, ActorRefs.NoSender);
        }

        _system.Stop(parent);
        _loop.RunUntilIdle();

        Assert.Equal(5_000, pings.Left);
        Assert.True(((ActorCell)parent).IsTerminated);
    }

    private static void OnAnotherThread(Action action)
    {
        var thread = new Thread(() => action());
        thread.Start();
        thread.Join();
    }

    private long TurnsToStartAndStop(int children)
    {
        var before = _loop.Turns;
        var (parent, pings) = StartParentOf(children);
        _system.Stop(parent);
        _loop.RunUntilIdle();
        Assert.Equal(children, pings.Left);
        return _loop.Turns - before;
    }

    /// <summary>The pings count the children that have stopped.</summary>
    private (IActorRef Parent, Pings Stopped) StartParentOf(int children)
    {
        var pings = new Pings();
        var childProps = Props.CreateBy(new ChildProducer(pings)).WithDispatcher(Loop);
        var parent = Start(() => new ParentOf(childProps, children));
        _loop.RunUntilIdle();
        return (parent, pings);
    }

    private IActorRef Start<T>(System.Linq.Expressions.Expression<Func<T>> factory)
        where T : ActorBase
    {
        var actor = _system.ActorOf(Props.Create(factory).WithDispatcher(Loop));
        return actor;
    }

    private sealed class Pings
    {
        public int Left { get; set; }
    }

    private sealed class Bouncer : UntypedActor
    {
        private readonly Pings _pings;

        public Bouncer(Pings pings) => _pings = pings;

        protected override void OnReceive(object message)
        {
            if (--_pings.Left > 0)
            {
                Sender.Tell(message, Self);
            }
        }
    }

    private sealed class Sink : UntypedActor
    {
        private readonly Pings _pings;

        public Sink(Pings pings) => _pings = pings;

        protected override void OnReceive(object message) => _pings.Left--;
    }

    private sealed class Recorder : UntypedActor
    {
        private readonly List<int> _heard;

        public Recorder(List<int> heard) => _heard = heard;

        protected override void OnReceive(object message) => _heard.Add((int)message);
    }

    private sealed class ParentOf : UntypedActor
    {
        public ParentOf(Props childProps, int children)
        {
            for (var i = 0; i < children; i++)
            {
                Context.ActorOf(childProps);
            }
        }

        protected override void OnReceive(object message) => Unhandled(message);
    }

    private sealed class ChildProducer(Pings stopped) : IIndirectActorProducer
    {
        public Type ActorType => typeof(ChildActor);

        public ActorBase Produce() => new ChildActor(stopped);

        public void Release(ActorBase actor)
        {
        }
    }

    private sealed class ChildActor : UntypedActor
    {
        private readonly Pings _stopped;

        public ChildActor(Pings stopped) => _stopped = stopped;

        protected override void PostStop() => _stopped.Left++;

        protected override void OnReceive(object message) => Unhandled(message);
    }
}
#endif
