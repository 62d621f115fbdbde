using Router.Net;
#if ACTOR_ENGINE_AKKA
using Akka.Configuration;
#else
using Router.Configuration.Hocon;
#endif

namespace Router.Tests.Net;

public sealed class IoDispatcherTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Actors_of_a_loop_run_on_its_thread()
    {
        using var group = new IoLoopGroup(2, new LinuxNetwork(), TimeProvider.System, new IoLoopOptions());
        var system = CreateSystem(group);
        group.Start();
        for (var i = 0; i < 2; i++)
        {
            var props = Props.Create(() => new Where()).WithDispatcher(IoLoopGroup.DispatcherId(i));
            var actor = system.ActorOf(props, $"where-{i}");
            Assert.Equal(i, await actor.Ask<int>("where", Patience));
        }

        await system.Terminate();
    }

    [Fact]
    public async Task Tells_from_everywhere_arrive_in_the_order_of_each_sender()
    {
        using var group = new IoLoopGroup(2, new LinuxNetwork(), TimeProvider.System, new IoLoopOptions());
        var system = CreateSystem(group);
        group.Start();
        var sum = system.ActorOf(
            Props.Create(() => new InOrder()).WithDispatcher(IoLoopGroup.DispatcherId(0)), "in-order");
        var threads = Enumerable.Range(0, 3).Select(sender => new Thread(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                sum.Tell((sender, i));
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        Assert.Equal(30_000, await sum.Ask<int>("count", Patience));
        await system.Terminate();
    }

    [Fact]
    public async Task A_group_serves_one_system_after_another()
    {
        using var group = new IoLoopGroup(1, new LinuxNetwork(), TimeProvider.System, new IoLoopOptions());
        group.Start();
        for (var round = 0; round < 3; round++)
        {
            var system = CreateSystem(group);
            var actor = system.ActorOf(
                Props.Create(() => new Where()).WithDispatcher(IoLoopGroup.DispatcherId(0)), "where");
            Assert.Equal(0, await actor.Ask<int>("where", Patience));
            await system.Terminate();
        }
    }

    [Fact]
    public async Task A_group_that_is_gone_is_not_found()
    {
        var group = new IoLoopGroup(1, new LinuxNetwork(), TimeProvider.System, new IoLoopOptions());
        var system = CreateSystem(group);
        group.Dispose();

        Assert.ThrowsAny<Exception>(() => system.ActorOf(
            Props.Create(() => new Where()).WithDispatcher(IoLoopGroup.DispatcherId(0)), "where"));
        await system.Terminate();
    }

    [Fact]
    public async Task A_receive_timeout_of_a_loops_actor_comes_on_its_thread()
    {
        using var group = new IoLoopGroup(1, new LinuxNetwork(), TimeProvider.System, new IoLoopOptions());
        var system = CreateSystem(group);
        group.Start();
        var told = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var props = Props.Create(() => new Impatient(told)).WithDispatcher(IoLoopGroup.DispatcherId(0));
        system.ActorOf(props, "impatient");

        Assert.Equal(0, await told.Task.WaitAsync(Patience));
        await system.Terminate();
    }

    private static ActorSystem CreateSystem(IoLoopGroup group) =>
        ActorSystem.Create("test", ConfigurationFactory.ParseString(group.DispatcherConfig));

    private sealed class Where : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell(IoLoop.Current?.Index ?? -1);
    }

    private sealed class InOrder : UntypedActor
    {
        private readonly int[] _next = new int[3];

        protected override void OnReceive(object message)
        {
            if (message is (int sender, int number))
            {
                Assert.Equal(_next[sender]++, number);
            }
            else
            {
                Sender.Tell(_next.Sum());
            }
        }
    }

    private sealed class Impatient : UntypedActor
    {
        private readonly TaskCompletionSource<int> _told;

        public Impatient(TaskCompletionSource<int> told)
        {
            _told = told;
            Context.SetReceiveTimeout(TimeSpan.FromMilliseconds(20));
        }

        protected override void OnReceive(object message)
        {
            if (message is ReceiveTimeout)
            {
                _told.TrySetResult(IoLoop.Current?.Index ?? -1);
            }
        }
    }
}

#if !ACTOR_ENGINE_AKKA
public sealed class LoopSchedulerTests : IDisposable
{
    private readonly TurnedClock _time = new();
    private readonly IoLoop _loop;
    private readonly LoopScheduler _scheduler;

    public LoopSchedulerTests()
    {
        _loop = new IoLoop(0, new LinuxNetwork(), _time, new IoLoopOptions());
        _scheduler = new LoopScheduler(_loop);
    }

    public void Dispose() => _loop.Dispose();

    [Fact]
    public void Work_runs_in_order_of_time_never_early_and_at_most_a_slot_late()
    {
        var ran = new List<(int Delay, double At)>();
        foreach (var delay in (int[])[50, 10, 30, 0, 31])
        {
            _scheduler.Advanced.ScheduleOnce(
                TimeSpan.FromMilliseconds(delay), () => ran.Add((delay, _loop.Elapsed.TotalMilliseconds)));
        }

        for (var i = 0; i < 70; i++)
        {
            _loop.RunOnce(block: false);
            _time.AdvanceMs(1);
        }

        Assert.Equal([0, 10, 30, 31, 50], ran.Select(item => item.Delay));
        Assert.All(ran, item => Assert.InRange(item.At - item.Delay, 0, TimerWheel.SlotMs));
    }

    [Fact]
    public void Repeated_and_cancelled_work_keep_their_promises()
    {
        var ticks = 0;
        var stop = new Cancelable();
        _scheduler.Advanced.ScheduleRepeatedly(TimeSpan.Zero, TimeSpan.FromMilliseconds(100), () => ticks++, stop);
        for (var i = 0; i < 1000; i++)
        {
            _loop.RunOnce(block: false);
            _time.AdvanceMs(1);
        }

        Assert.InRange(ticks, 10, 11);
        stop.Cancel();
        _time.AdvanceMs(1000);
        var before = ticks;
        for (var i = 0; i < 5; i++)
        {
            _loop.RunOnce(block: false);
        }

        Assert.Equal(before, ticks);
    }

    [Fact]
    public void Work_that_throws_does_not_stop_the_clock()
    {
        var faults = new List<Exception>();
        var ran = false;
        _loop.OnFault = faults.Add;
        _scheduler.Advanced.ScheduleOnce(
            TimeSpan.FromMilliseconds(1), () => throw new InvalidOperationException("work"));
        _scheduler.Advanced.ScheduleOnce(TimeSpan.FromMilliseconds(2), () => ran = true);
        _time.AdvanceMs(20);
        for (var i = 0; i < 5; i++)
        {
            _loop.RunOnce(block: false);
        }

        Assert.True(ran);
        Assert.Equal("work", Assert.Single(faults).Message);
    }

    private sealed class TurnedClock : TimeProvider
    {
        private long _ticks;

        public override long GetTimestamp() => _ticks;

        public void AdvanceMs(int milliseconds) => _ticks += milliseconds * (TimestampFrequency / 1000);
    }
}
#endif
