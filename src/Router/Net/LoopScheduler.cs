#if !ACTOR_ENGINE_AKKA
namespace Router.Net;

/// <summary>What the actors of a loop schedule, timed by the loop's wheel and run on its thread: up to a slot
/// late.</summary>
/// <remarks>Callable from any thread; work for another thread's actors is for the system's own scheduler.</remarks>
internal sealed class LoopScheduler : SchedulerBase
{
    private const int WorkPerTurn = 1024;

    private readonly IoLoop _loop;
    private readonly Alarm _alarm;
    private readonly Arming _arming;
    private int _asked;

    public LoopScheduler(IoLoop loop)
    {
        _loop = loop;
        _alarm = new Alarm(this);
        _arming = new Arming(this);
    }

    public override DateTimeOffset Now => _loop.Time.GetUtcNow();

    public override TimeSpan MonotonicClock => _loop.Elapsed;

    protected override void OnNextDueChanged()
    {
        if (_loop.IsCurrent)
        {
            Arm();
        }
        else if (Interlocked.Exchange(ref _asked, 1) == 0)
        {
            _loop.Enqueue(_arming);
        }
    }

    private void Arm()
    {
        if (NextDue() is { } due)
        {
            _loop.Schedule(_alarm, (long)Math.Ceiling(due.TotalMilliseconds));
        }
        else
        {
            _loop.Cancel(_alarm);
        }
    }

    private void RunDue()
    {
        try
        {
            var now = MonotonicClock;
            for (var i = 0; i < WorkPerTurn && RunNext(now); i++)
            {
            }
        }
        finally
        {
            Arm();   // also after a fault, which the loop contains: the rest stays timed
        }
    }

    private sealed class Alarm(LoopScheduler owner) : LoopTimer
    {
        protected internal override void OnTimer() => owner.RunDue();
    }

    private sealed class Arming(LoopScheduler owner) : IRunnable
    {
        public void Run()
        {
            // Cleared first: a change from here on asks again.
            Interlocked.Exchange(ref owner._asked, 0);
            owner.Arm();
        }

        public void Execute() => Run();
    }
}
#endif
