using Akka.Configuration;
using Router.Loop;
using Router.TestKit.Simulation;

namespace Router.Tests.Loop;

public sealed class ClockSchedulerTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly VirtualTimeProvider _time = new();
    private readonly ActorSystem _system;
    private readonly ClockScheduler _scheduler;
    private readonly List<string> _done = [];

    public ClockSchedulerTests()
    {
        var config = ConfigurationFactory.ParseString(ClockScheduler.Setting + "\nakka.loggers = []");
        _system = ClockScheduler.Create(_time, () => ActorSystem.Create("clock", config));
        _scheduler = Assert.IsType<ClockScheduler>(_system.Scheduler);
    }

    private IActionScheduler Actions => _system.Scheduler.Advanced;

    public void Dispose() => _system.Dispose();

    [Fact]
    public void Work_runs_in_order_of_its_time_and_then_of_its_scheduling()
    {
        Schedule(2, "third");
        Schedule(1, "first");
        Schedule(1, "second");

        _time.Advance(2 * Second);

        Assert.Equal(["first", "second", "third"], _done);
    }

    [Fact]
    public async Task By_the_systems_clock_it_can_have_a_thread_of_its_own()
    {
        var config = ConfigurationFactory.ParseString(
            ClockScheduler.Setting + "\nakka.scheduler.own-thread = on\nakka.loggers = []");
        using var system = ClockScheduler.Create(TimeProvider.System, () => ActorSystem.Create("own", config));
        var (late, early) = (new TaskCompletionSource<string?>(), new TaskCompletionSource<string?>());

        system.Scheduler.Advanced.ScheduleOnce(TimeSpan.FromMilliseconds(50), Tell(late));
        system.Scheduler.Advanced.ScheduleOnce(TimeSpan.FromMilliseconds(1), Tell(early));

        Assert.Equal("router-timer", await late.Task.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.True(early.Task.IsCompletedSuccessfully);

        static Action Tell(TaskCompletionSource<string?> done) => () => done.TrySetResult(Thread.CurrentThread.Name);
    }

    [Fact]
    public void Work_never_runs_early()
    {
        Actions.ScheduleOnce(TimeSpan.FromTicks(15_001), () => _done.Add("done"));   // 1.5001 ms

        _time.Advance(TimeSpan.FromTicks(15_000));
        Assert.Empty(_done);

        _time.Advance(TimeSpan.FromMilliseconds(1));   // a system's timer counts whole ones
        Assert.Equal(["done"], _done);
    }

    [Fact]
    public void Repeated_work_runs_at_every_interval_of_a_long_advance()
    {
        var at = new List<TimeSpan>();
        Actions.ScheduleRepeatedly(Second, 2 * Second, () => at.Add(_time.Elapsed));

        _time.Advance(6 * Second);

        Assert.Equal([Second, 3 * Second, 5 * Second], at);
    }

    [Fact]
    public void Cancelled_work_does_not_run_and_is_forgotten_when_much_waits()
    {
        for (var i = 0; i < 10_000; i++)
        {
            using var cancelable = new Cancelable(Actions);
            Actions.ScheduleOnce(Second, () => _done.Add("cancelled"), cancelable);
            cancelable.Cancel();
            Assert.InRange(_scheduler.Waiting, 1, 256);
        }

        _time.Advance(2 * Second);

        Assert.Empty(_done);
        Assert.Equal(0, _scheduler.Waiting);
    }

    [Fact]
    public void Work_that_throws_keeps_nothing_else_from_running()
    {
        Actions.ScheduleOnce(Second, () => throw new InvalidOperationException("no"));
        Schedule(1, "after");

        _time.Advance(Second);

        Assert.Equal(["after"], _done);
    }

    [Fact]
    public void Work_may_schedule_more_and_cancel_itself()
    {
        using var cancelable = new Cancelable(Actions);
        Actions.ScheduleRepeatedly(
            Second,
            Second,
            () =>
            {
                Schedule(1, "more");
                cancelable.Cancel();
            },
            cancelable);

        _time.Advance(10 * Second);

        Assert.Equal(["more"], _done);
    }

    [Fact]
    public void No_timer_is_armed_while_nothing_waits()
    {
        Assert.Null(_time.NextTimer);

        Schedule(1, "done");
        Assert.Equal(Second, _time.NextTimer);

        _time.Advance(Second);
        Assert.Null(_time.NextTimer);
    }

    [Fact]
    public void Its_clock_is_the_one_that_the_system_was_made_with()
    {
        _time.Advance(3 * Second);

        Assert.Equal(3 * Second, _scheduler.MonotonicClock);
        Assert.Equal(_time.GetUtcNow(), _system.Scheduler.Now);
    }

    [Fact]
    public void After_its_end_nothing_runs_and_nothing_is_taken()
    {
        Schedule(1, "done");

        _scheduler.Dispose();
        _time.Advance(2 * Second);

        Assert.Empty(_done);
        Assert.Null(_time.NextTimer);
        Assert.Throws<SchedulerException>(() => Schedule(1, "late"));
    }

    private void Schedule(int seconds, string what) =>
        Actions.ScheduleOnce(seconds * Second, () => _done.Add(what));
}
