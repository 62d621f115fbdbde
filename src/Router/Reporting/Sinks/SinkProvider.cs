using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Reporting.Sinks;

/// <summary>Gives each record to all sinks. Any thread; who logs never waits.</summary>
internal sealed class SinkProvider : ILoggerProvider
{
    private static readonly TimeSpan TellInterval = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time;
    private readonly Func<LogLevel, bool> _passes;
    private readonly TimeSpan _flushTimeout;
    private readonly TextWriter _errors;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private readonly EventFeed? _feed;
    private ILineSink[] _sinks = [];
    private int _isTelling;
    private int _isDisposed;

    /// <param name="time">The clock.</param>
    /// <param name="passes">Whether a level is logged.</param>
    /// <param name="flushTimeout">How long the end waits for all sinks together.</param>
    /// <param name="errors">Told at the end of lines that were not written.</param>
    /// <param name="feed">Gets every record, too; null for none.</param>
    public SinkProvider(
        TimeProvider time, Func<LogLevel, bool> passes, TimeSpan flushTimeout, TextWriter errors,
        EventFeed? feed = null)
    {
        (_time, _passes, _flushTimeout, _errors, _feed) = (time, passes, flushTimeout, errors, feed);
        _log = CreateLogger(RouterLogging.Category);
        _timer = time.CreateTimer(
            static state => ((SinkProvider)state!).TellDropped(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    public IReadOnlyList<SinkFigures> Figures => [.. _sinks.Select(static sink => sink.Figures)];

    /// <summary>Before anything is logged.</summary>
    /// <exception cref="IOException">The sink cannot be opened.</exception>
    public void Open(SinkPlan plan, int queue) =>
        Add((time, log, onDrop) => new LogSink(plan, queue, time, log, onDrop));

    /// <summary>Before anything is logged.</summary>
    /// <param name="make">Is given the clock, a log for the sink's own events, and what is called when it drops
    /// lines.</param>
    public void Add(Func<TimeProvider, ILogger, Action, ILineSink> make) =>
        _sinks = [.. _sinks, make(_time, _log, OnDrop)];

    public ILogger CreateLogger(string categoryName) =>
        new RecordLogger(categoryName, _time, _passes, Send);

    public int ReopenFiles() => _sinks.Count(static sink => sink.Reopen());

    /// <summary>A sink has dropped a line: within a second the others are told how many.</summary>
    private void OnDrop()
    {
        if (Volatile.Read(ref _isTelling) == 0 && Interlocked.Exchange(ref _isTelling, 1) == 0)
        {
            try
            {
                _timer.Change(TellInterval, Timeout.InfiniteTimeSpan);
            }
            catch (ObjectDisposedException)
            {
                // The end, which tells on standard error.
            }
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        _timer.Dispose();
        TellDropped();
        foreach (var sink in _sinks)
        {
            sink.End();
        }

        var began = _time.GetTimestamp();
        foreach (var sink in _sinks)
        {
            var left = _flushTimeout - _time.GetElapsedTime(began);
            if (sink.Join(left > TimeSpan.Zero ? left : TimeSpan.Zero) is > 0 and var lost)
            {
                _errors.WriteLine(string.Create(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"log: {lost} lines were not written to {sink.Name}"));
            }
        }
    }

    private void Send(LogRecord record)
    {
        foreach (var sink in _sinks)
        {
            sink.Add(record);
        }

        _feed?.Add(record);
    }

    private void TellDropped()
    {
        Volatile.Write(ref _isTelling, 0);
        foreach (var dropping in _sinks)
        {
            if (dropping.TakeDropped() is > 0 and var count)
            {
                var others = new RecordLogger(RouterLogging.Category, _time, _passes, record =>
                {
                    foreach (var sink in _sinks.Where(sink => sink != dropping))
                    {
                        sink.Add(record);
                    }

                    _feed?.Add(record);
                });
                SinkLog.LinesDropped(others, dropping.Name, count);
            }
        }
    }
}
