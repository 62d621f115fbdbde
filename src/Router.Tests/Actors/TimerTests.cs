using Akka.Configuration;
using Router.Loop;
using Router.TestKit.Simulation;

namespace Router.Tests.Actors;

public sealed class TimerTests : ActorTestKit
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly VirtualTimeProvider _time;

    public TimerTests()
        : this(new VirtualTimeProvider())
    {
    }

    private TimerTests(VirtualTimeProvider time)
        : base(ClockScheduler.Create(
            time,
            static () => ActorSystem.Create(
                "test", ConfigurationFactory.ParseString(ClockScheduler.Setting).WithFallback(DefaultConfig)))) =>
        _time = time;

    [Fact]
    public void ReceiveTimeout_comes_after_each_silence()
    {
        var actor = StartTimed();
        Do(actor, context => context.SetReceiveTimeout(Second));

        _time.Advance(Second);
        ExpectMsg(ReceiveTimeout.Instance);
        _time.Advance(Second);
        ExpectMsg(ReceiveTimeout.Instance);
    }

    [Fact]
    public void Messages_put_the_ReceiveTimeout_off()
    {
        var actor = StartTimed();
        Do(actor, context => context.SetReceiveTimeout(Second));

        for (var i = 0; i < 10; i++)
        {
            _time.Advance(Second / 2);
            actor.Tell(i);
            ExpectMsg(i);
        }

        _time.Advance(Second - TimeSpan.FromTicks(1));
        Do(actor, _ => { }, new Unnoticed());
        _time.Advance(TimeSpan.FromTicks(1));
        ExpectMsg(ReceiveTimeout.Instance);
    }

    [Fact]
    public void ReceiveTimeout_can_be_taken_back()
    {
        var actor = StartTimed();
        Do(actor, context => context.SetReceiveTimeout(Second));
        Do(actor, context => context.SetReceiveTimeout(null));

        _time.Advance(10 * Second);

        Do(actor, context => Assert.Null(context.ReceiveTimeout));
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void A_single_timer_fires_once()
    {
        var actor = StartTimed();
        DoTimers(actor, timers => timers.StartSingleTimer("key", "tick", Second));
        DoTimers(actor, timers => Assert.True(timers.IsTimerActive("key")));

        _time.Advance(10 * Second);

        ExpectMsg("tick");
        DoTimers(actor, timers => Assert.False(timers.IsTimerActive("key")));
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void A_periodic_timer_fires_until_it_is_cancelled()
    {
        var actor = StartTimed();
        DoTimers(actor, timers => timers.StartPeriodicTimer("key", "tick", Second));

        _time.Advance(3 * Second);
        Assert.Equal(["tick", "tick", "tick"], ReceiveN(3));
        DoTimers(actor, timers => timers.Cancel("key"));
        _time.Advance(3 * Second);

        DoTimers(actor, timers => Assert.False(timers.IsTimerActive("key")));
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void A_timer_cancelled_while_its_message_waits_never_delivers()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Timed(TestActor)));
        DoTimers(actor, timers => timers.StartSingleTimer("key", "tick", Second));
        using var gate = new ManualResetEventSlim();
        actor.Tell(new Call((_, timers) =>
        {
            gate.Wait();
            timers.Cancel("key");
        }));
        _time.Advance(Second);
        gate.Set();
        ExpectMsg("done");

        Do(actor, _ => { });
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void A_key_started_again_replaces_its_timer()
    {
        var actor = StartTimed();
        DoTimers(actor, timers =>
        {
            timers.StartSingleTimer("key", "old", Second);
            timers.StartSingleTimer("key", "new", 2 * Second);
        });

        _time.Advance(5 * Second);

        ExpectMsg("new");
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void A_restart_ends_the_timers()
    {
        var actor = StartTimed();
        DoTimers(actor, timers => timers.StartPeriodicTimer("key", "tick", Second));

        EventFilter.Exception<InvalidOperationException>()
            .ExpectOne(() => actor.Tell(new Call((_, _) => throw new InvalidOperationException())));
        DoTimers(actor, timers => Assert.False(timers.IsTimerActive("key")));
        _time.Advance(5 * Second);

        Do(actor, _ => { });
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void The_scheduler_tells_once_and_repeatedly_until_cancelled()
    {
        Sys.Scheduler.ScheduleTellOnce(Second, TestActor, "once", ActorRefs.NoSender);
        var repeated = Sys.Scheduler.ScheduleTellRepeatedlyCancelable(
            2 * Second, Second, TestActor, "again", ActorRefs.NoSender);

        _time.Advance(Second);
        ExpectMsg("once");
        _time.Advance(3 * Second);
        Assert.Equal(["again", "again", "again"], ReceiveN(3));
        repeated.Cancel();
        _time.Advance(3 * Second);
        ExpectNoMsg(TimeSpan.Zero);
    }

    /// <summary>On the calling thread: what an Advance sets off has happened when it returns.</summary>
    private IActorRef StartTimed() => Sys.ActorOf(
        Props.Create(() => new Timed(TestActor)).WithDispatcher("akka.test.calling-thread-dispatcher"));

    private void Do(IActorRef actor, Action<IActorContext> action, object? wrapper = null)
    {
        if (wrapper is Unnoticed unnoticed)
        {
            actor.Tell(unnoticed);
        }
        else
        {
            actor.Tell(new Call((context, _) => action(context)));
        }

        ExpectMsg("done");
    }

    private void DoTimers(IActorRef actor, Action<ITimerScheduler> action)
    {
        actor.Tell(new Call((_, timers) => action(timers)));
        ExpectMsg("done");
    }

    private sealed record Call(Action<IActorContext, ITimerScheduler> Action);

    private sealed class Unnoticed : INotInfluenceReceiveTimeout;

    private sealed class Timed : UntypedActor, IWithTimers
    {
        private readonly IActorRef _probe;

        public Timed(IActorRef probe) => _probe = probe;

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case Call call:
                    call.Action(Context, Timers);
                    Sender.Tell("done");
                    break;
                case Unnoticed:
                    Sender.Tell("done");
                    break;
                default:
                    _probe.Tell(message);
                    break;
            }
        }
    }
}
