using Router.Listeners;

namespace Router.Reporting;

/// <summary>The time between two stats lines from now on; <see cref="Timeout.InfiniteTimeSpan"/> for none.</summary>
internal sealed record StatsInterval(TimeSpan Time);

/// <summary>/user/router/stats: writes the stats line, and the drops since the last one per listener and reason.
/// </summary>
internal sealed class StatsActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan RefreshTime = TimeSpan.FromMilliseconds(50);

    private readonly ListenerStats _stats;
    private readonly StatsWriter _writer;
    private TimeSpan _interval;

    public StatsActor(ListenerStats stats, StatsWriter writer, TimeSpan interval)
    {
        _stats = stats;
        _writer = writer;
        _interval = interval;
        Receive<Tick>(_ => OnTick());
        Receive<Write>(_ => OnWrite());
        Receive<StatsInterval>(OnInterval);
        Receive<DrainListener>(static _ => { });
        Receive<RefreshFigures>(static _ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        if (_interval > TimeSpan.Zero)
        {
            Timers.StartPeriodicTimer(nameof(Tick), new Tick(), _interval);
        }
    }

    private void OnWrite()
    {
        _writer.Write(_stats.Read());
        _writer.Forget(_stats.Forget());
    }

    private void OnInterval(StatsInterval interval)
    {
        if (interval.Time == _interval)
        {
            return;
        }

        _interval = interval.Time;
        Timers.Cancel(nameof(Tick));
        PreStart();
    }

    /// <summary>The loops ask the kernel for its figures first; shortly after they are written.</summary>
    private void OnTick()
    {
        Context.Parent.Tell(new RefreshFigures());
        Timers.StartSingleTimer(nameof(Write), new Write(), RefreshTime);
    }

    private sealed record Tick;

    private sealed record Write;
}
