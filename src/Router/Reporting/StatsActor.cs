using Router.Listeners;

namespace Router.Reporting;

/// <summary>The times between two stats lines, and between two tellings of long sessions, from now on;
/// <see cref="Timeout.InfiniteTimeSpan"/> for none.</summary>
internal sealed record StatsInterval(TimeSpan Time, TimeSpan LongSessions);

/// <summary>/user/router/stats: writes the stats line, and the drops since the last one per listener and reason.
/// </summary>
internal sealed class StatsActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan RefreshTime = TimeSpan.FromMilliseconds(50);

    private readonly ListenerStats _stats;
    private readonly StatsWriter _writer;
    private StatsInterval _interval;

    public StatsActor(ListenerStats stats, StatsWriter writer, StatsInterval interval)
    {
        _stats = stats;
        _writer = writer;
        _interval = interval;
        Receive<Tick>(_ => OnTick());
        Receive<Write>(_ => OnWrite());
        Receive<TellLong>(_ => Context.Parent.Tell(
            new TellLongSessions((long)_interval.LongSessions.TotalMilliseconds)));
        Receive<TellLongSessions>(static _ => { });
        Receive<StatsInterval>(OnInterval);
        Receive<DrainListener>(static _ => { });
        Receive<RefreshFigures>(static _ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        StartTimer(new Tick(), _interval.Time);
        StartTimer(new TellLong(), _interval.LongSessions);
    }

    /// <summary>In place of the one there may be.</summary>
    private void StartTimer(object message, TimeSpan time)
    {
        Timers.Cancel(message.GetType().Name);
        if (time > TimeSpan.Zero)
        {
            Timers.StartPeriodicTimer(message.GetType().Name, message, time);
        }
    }

    private void OnWrite()
    {
        _writer.Write(_stats.Read());
        _writer.Forget(_stats.Forget());
    }

    private void OnInterval(StatsInterval interval)
    {
        var last = _interval;
        _interval = interval;
        if (interval.Time != last.Time)
        {
            StartTimer(new Tick(), interval.Time);
        }

        if (interval.LongSessions != last.LongSessions)
        {
            StartTimer(new TellLong(), interval.LongSessions);
        }
    }

    /// <summary>The loops ask the kernel for its figures first; shortly after they are written.</summary>
    private void OnTick()
    {
        Context.Parent.Tell(new RefreshFigures());
        Timers.StartSingleTimer(nameof(Write), new Write(), RefreshTime);
    }

    private sealed record Tick;

    private sealed record TellLong;

    private sealed record Write;
}
