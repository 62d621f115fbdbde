namespace Router.Tests.Actors;

/// <summary>Many threads at one actor's state machine: nothing is lost, doubled or left hanging.</summary>
public sealed class RaceTests : ActorTestKit
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public void Every_message_told_around_crashes_is_handled_once()
    {
        const int Senders = 3;
        const int Each = 5_000;
        const int CrashEvery = 100;
        var tally = new Tally();
        var parent = Sys.ActorOf(Props.Create(() =>
            new Parent(new OneForOneStrategy(-1, -1, _ => Directive.Restart, false))));
        parent.Tell(new Parent.Start(Props.Create(() => new Counter(tally))));
        var actor = ExpectMsg<IActorRef>();

        RunTogether(Senders, index =>
        {
            for (var i = 0; i < Each; i++)
            {
                actor.Tell(tally, ActorRefs.NoSender);
                if (i % CrashEvery == 0)
                {
                    actor.Tell(new Reporter.Crash(), ActorRefs.NoSender);
                }
            }
        });

        AwaitCondition(() => tally.Handled == Senders * Each, Patience);
        Assert.Equal(Senders * Each / CrashEvery, tally.Crashed);
    }

    [Fact]
    public void Suspension_by_a_failing_parent_loses_and_reorders_nothing()
    {
        const int Rounds = 3_000;
        var middle = Sys.ActorOf(Props.Create(() => new Resuming(TestActor)));
        middle.Tell("start");
        var bottom = ExpectMsg<IActorRef>();

        RunTogether(2, index =>
        {
            for (var i = 0; i < Rounds; i++)
            {
                if (index == 0)
                {
                    middle.Tell("crash", ActorRefs.NoSender);
                }
                else
                {
                    bottom.Tell(i, ActorRefs.NoSender);
                }
            }
        });

        for (var i = 0; i < Rounds; i++)
        {
            ExpectMsg(i, Patience);
        }
    }

    [Fact]
    public void Watchers_that_race_with_the_end_are_each_told_once()
    {
        const int Rounds = 300;
        var probes = Enumerable.Range(0, 3).Select(_ => CreateTestProbe()).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            var actor = Sys.ActorOf<Echo>();

            RunTogether(probes.Length + 1, index =>
            {
                if (index < probes.Length)
                {
                    probes[index].Watch(actor);
                }
                else
                {
                    Sys.Stop(actor);
                }
            });

            foreach (var probe in probes)
            {
                probe.ExpectTerminated(actor, Patience);
            }
        }

        Assert.All(probes, probe => probe.ExpectNoMsg(TimeSpan.Zero));
    }

    [Fact]
    public void Children_made_while_the_system_terminates_are_refused_or_stopped()
    {
        const int Rounds = 1;   // Akka takes one to six seconds for the end of a system
        for (var round = 0; round < Rounds; round++)
        {
            var system = ActorSystem.Create("short-lived");
            RunTogether(3, index =>
            {
                if (index == 2)
                {
                    _ = system.Terminate();
                    return;
                }

                try
                {
                    for (var i = 0; i < 50; i++)
                    {
                        system.ActorOf(Props.Create(() => new Echo()));
                    }
                }
                catch (InvalidOperationException)
                {
                    // Too late, as it may be.
                }
            });

            AwaitCondition(() => system.WhenTerminated.IsCompletedSuccessfully, Patience);
        }
    }

    private static void RunTogether(int threads, Action<int> action)
    {
        using var start = new Barrier(threads);
        var running = Enumerable.Range(0, threads).Select(index => new Thread(() =>
        {
            start.SignalAndWait();
            action(index);
        })).ToList();
        running.ForEach(thread => thread.Start());
        running.ForEach(thread => thread.Join());
    }

    private sealed class Tally
    {
        private int _handled;
        private int _dead;
        private int _crashed;

        public int Handled => Volatile.Read(ref _handled);

        public int Dead => Volatile.Read(ref _dead);

        public int Crashed => Volatile.Read(ref _crashed);

        public void AddHandled() => Interlocked.Increment(ref _handled);

        public void AddDead() => Interlocked.Increment(ref _dead);

        public void AddCrashed() => Interlocked.Increment(ref _crashed);
    }

    private sealed class Counter : UntypedActor
    {
        private readonly Tally _tally;

        public Counter(Tally tally) => _tally = tally;

        protected override void OnReceive(object message)
        {
            if (message is Reporter.Crash crash)
            {
                _tally.AddCrashed();
                throw crash.Cause;
            }

            _tally.AddHandled();
        }
    }

    private sealed class DeadLetterCounter : UntypedActor
    {
        private readonly Tally _tally;

        public DeadLetterCounter(Tally tally) => _tally = tally;

        protected override void OnReceive(object message)
        {
            if (message is DeadLetter letter && ReferenceEquals(letter.Message, _tally))
            {
                _tally.AddDead();
            }
        }
    }

    /// <summary>The outer one passes crashes on to the inner one and resumes it.</summary>
    private sealed class Resuming : UntypedActor
    {
        private readonly IActorRef _probe;

        public Resuming(IActorRef probe) => _probe = probe;

        protected override SupervisorStrategy SupervisorStrategy() =>
            new OneForOneStrategy(-1, -1, _ => Directive.Resume, false);

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case "start":
                    Context.ActorOf(Props.Create(() => new Resuming(_probe)), "inner").Tell("inner");
                    break;
                case "inner":
                    _probe.Tell(Context.ActorOf(Props.Create(() => new Passing(_probe))));
                    break;
                case "crash" when !Context.Child("inner").IsNobody():
                    Context.Child("inner").Tell("crash");
                    break;
                default:
                    throw new InvalidOperationException("crash");
            }
        }
    }

    private sealed class Passing : UntypedActor
    {
        private readonly IActorRef _probe;

        public Passing(IActorRef probe) => _probe = probe;

        protected override void OnReceive(object message) => _probe.Tell(message);
    }
}
