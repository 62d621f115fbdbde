using System.Diagnostics.Metrics;
using System.Globalization;
using Router.Loop;
using Router.Reporting;
using Router.Sessions;

namespace Router.Running;

/// <summary>Instruments of the loops, with <c>loop</c>; and the times of turns, with <c>listener</c> and <c>route</c>.
/// </summary>
internal sealed class LoopMeter : IDisposable
{
    /// <summary>Half of the time for which a busy loop's samples have room: <see cref="TurnSamples"/>.</summary>
    internal static readonly TimeSpan TakePeriod = TimeSpan.FromSeconds(8);

    /// <summary>From 1 us, an echo's turn, to 4 s, by four.</summary>
    private static readonly double[] TurnBounds =
        [1e-6, 4e-6, 16e-6, 64e-6, 256e-6, 0.001, 0.004, 0.016, 0.064, 0.25, 1, 4];

    private readonly IReadOnlyList<IoLoop> _loops;
    private readonly TimeProvider _time;
    private readonly double[] _busy;
    private readonly Lock _lock = new();
    private readonly Histogram<double> _turns, _queued;
    private ITimer? _take;
    private bool _isDisposed;

    public LoopMeter(RouterMeter meter, IReadOnlyList<IoLoop> loops, TimeProvider time, Func<long> stalls)
    {
        (_loops, _time, _busy) = (loops, time, new double[loops.Count]);
        _turns = meter.CreateHistogram(
            "router.turn.duration", "Time of some turns of sessions on loops.", TurnBounds);
        _queued = meter.CreateHistogram(
            "router.turn.queue.duration", "Time from when a loop learnt that there is work until the turn began.",
            TurnBounds);
        var instruments = meter.Meter;
        instruments.CreateObservableCounter(
            "router.loop.busy.time", ReadBusy, "s", "Time that a loop's thread did not wait for work.");
        instruments.CreateObservableCounter(
            "router.loop.cpu.time", () => Each(static figures => figures.Cpu), "s",
            "Processor time of a loop's thread.");
        instruments.CreateObservableCounter(
            "router.loop.delay.time", () => Each(static figures => figures.Delay), "s",
            "Time that a loop's thread waited for a processor.");
        instruments.CreateObservableUpDownCounter(
            "router.loop.sockets", () => loops.Select(static loop => Measure<long>(loop.Sockets, loop)), "{socket}",
            "Sockets that a loop watches.");
        instruments.CreateObservableUpDownCounter(
            "router.loop.timers", () => loops.Select(static loop => Measure<long>(loop.ArmedTimers, loop)), "{timer}",
            "Deadlines in a loop's timer wheel.");
        instruments.CreateObservableCounter(
            "router.loops.stalls", stalls, "{time}", "How often a loop did not turn for stall-timeout.");
    }

    /// <summary>From now on turns are timed, and counted however seldom somebody collects; if nobody has asked for them
    /// yet, that does nothing. Any thread; once more does nothing.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            if (_take is null && !_isDisposed && (_turns.Enabled || _queued.Enabled))
            {
                _take = _time.CreateTimer(_ => Take(), null, TakePeriod, TakePeriod);
                Take();
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _take?.Dispose();
        }
    }

    private static Measurement<T> Measure<T>(T value, IoLoop loop)
        where T : struct =>
        new(value, RouterMeter.Tag("loop", loop.Index.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Hands over the turns that were timed, and has them timed from the first time on.</summary>
    private void Take()
    {
        lock (_lock)
        {
            if (_isDisposed || !(_turns.Enabled || _queued.Enabled))
            {
                return;
            }

            foreach (var loop in _loops.Where(loop => !loop.Turns.Take(Record)))
            {
                loop.Enqueue(new ActionRunnable(loop.Turns.Start));
            }
        }
    }

    private IEnumerable<Measurement<double>> ReadBusy()
    {
        Take();
        lock (_lock)
        {
            foreach (var loop in _loops)
            {
                _busy[loop.Index] = Math.Max(_busy[loop.Index], loop.Busy.TotalSeconds);
            }

            return [.. _loops.Select(loop => Measure(_busy[loop.Index], loop))];
        }
    }

    private void Record(TurnSample sample)
    {
        var shard = (Shard)sample.Owner;
        var (listener, route) =
            (RouterMeter.Tag("listener", shard.Listener), RouterMeter.Tag("route", shard.Route.Name));
        _turns.Record(_time.GetElapsedTime(0, sample.Lasted).TotalSeconds, listener, route);
        _queued.Record(_time.GetElapsedTime(0, sample.Queued).TotalSeconds, listener, route);
    }

    private IEnumerable<Measurement<double>> Each(Func<ThreadTimes, TimeSpan> figure) =>
        from loop in _loops
        let figures = ThreadTimes.Read(loop.ThreadId)
        where figures is not null
        select Measure(figure(figures.Value).TotalSeconds, loop);
}
