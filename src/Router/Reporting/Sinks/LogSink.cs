using System.Buffers;
using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;

namespace Router.Reporting.Sinks;

/// <summary>How lines are told from one another in a sink.</summary>
internal enum SinkFraming
{
    /// <summary>A line feed ends each.</summary>
    Lines = 0,

    /// <summary>Each is a message of its own.</summary>
    Messages,

    /// <summary>RFC 6587: its length and a space precede each.</summary>
    Counted,
}

/// <summary>What a sink is made of.</summary>
/// <param name="Name">As <c>log.sinks</c> names it.</param>
/// <param name="Lines">Which lines it gets.</param>
/// <param name="Open">Makes the output; may refuse by an <see cref="IOException"/>.</param>
internal sealed record SinkPlan(
    string Name, LogLines Lines, ILineFormat Format, SinkFraming Framing, Func<ISinkOutput> Open);

/// <summary>One place that lines go to: a bounded queue, and a thread that makes lines of records and writes them.
/// Whoever logs only puts a record into the queue, or counts it as dropped when that is full.</summary>
internal sealed class LogSink : ILineSink
{
    private const int BatchMax = 256;
    private const int BatchBytes = 64 * 1024;

    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(100), RetryMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan NotJustNow = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(5), TellInterval = TimeSpan.FromSeconds(1);

    private readonly SinkPlan _plan;
    private readonly ISinkOutput _output;
    private readonly RecordQueue _queue;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly RecordLogger _own;
    private readonly Action _onDrop;
    private readonly List<LogRecord> _batch = new(BatchMax);
    private readonly List<int> _ends = new(BatchMax);
    private readonly ArrayBufferWriter<byte> _bytes = new(BatchBytes);
    private readonly ArrayBufferWriter<byte> _line = new(1024);
    private readonly Thread _thread;
    private long _written, _dropped, _toldOthers, _toldSelf, _lastTold;
    private long _telling;      // lines that the first line in hand says are missing; 0 where it says no such thing
    private int _inHand;
    private volatile bool _mustReopen;
    private long _failedAt = -1, _lastFailure, _notRotatedTold;
    private TimeSpan _retry = RetryMin;

    /// <param name="plan">What it is.</param>
    /// <param name="queue">Lines that may wait.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Of the events about the sink itself.</param>
    /// <param name="onDrop">Called when lines were dropped; any thread.</param>
    /// <exception cref="IOException">The output cannot be opened.</exception>
    public LogSink(SinkPlan plan, int queue, TimeProvider time, ILogger log, Action onDrop)
    {
        (_plan, _time, _log, _onDrop) = (plan, time, log, onDrop);
        _output = plan.Open();
        _queue = new RecordQueue(queue);
        _own = new RecordLogger(RouterLogging.Category, time, static _ => true, record => _batch.Insert(0, record));
        _lastTold = time.GetTimestamp() - (long)(TellInterval.TotalSeconds * time.TimestampFrequency);
        _notRotatedTold = time.GetTimestamp() - (long)(Steady.TotalSeconds * time.TimestampFrequency);
        _thread = new Thread(Run) { IsBackground = true, Name = $"log {plan.Name}" };
        _thread.Start();
    }

    public string Name => _plan.Name;

    public SinkFigures Figures =>
        new(Name, _queue.Count, Interlocked.Read(ref _written), Interlocked.Read(ref _dropped));

    public void Add(LogRecord record)
    {
        if (_plan.Lines.Has(record) && !_queue.TryAdd(record))
        {
            Drop(1);
        }
    }

    public long TakeDropped()
    {
        var dropped = Interlocked.Read(ref _dropped);
        return dropped - Interlocked.Exchange(ref _toldOthers, dropped);
    }

    public bool Reopen()
    {
        if (_output is not FileOutput)
        {
            return false;
        }

        _mustReopen = true;
        _queue.Wake();
        return true;
    }

    public void End() => _queue.End();

    public long Join(TimeSpan time) => (_thread.Join(time) ? 0 : _queue.Count + Volatile.Read(ref _inHand))
        + Interlocked.Read(ref _dropped) - Interlocked.Read(ref _toldSelf);

    private void Drop(long count)
    {
        if (count > 0)
        {
            Interlocked.Add(ref _dropped, count);
            _onDrop();
        }
    }

    private void Run()
    {
        while (_queue.Take(_batch, BatchMax))
        {
            Write();
        }

        Write();   // what is missing at the end
        _output.Dispose();
    }

    private void Write()
    {
        TellSelf();
        Encode();
        var (at, line) = (0, 0);
        ReopenIfAsked(ref at, line);
        while (line < _ends.Count)
        {
            try
            {
                var end = _output.KeepsMessages ? _ends[line] : _bytes.WrittenCount;
                at += WriteSome(_bytes.WrittenSpan[at..end]);
                for (; line < _ends.Count && _ends[line] <= at; line++)
                {
                    Taken(line);
                }
            }
            catch (LineRefusedException)
            {
                Drop(IsTold(line) ? 0 : 1);
                at = _ends[line++];
                Volatile.Write(ref _inHand, _ends.Count - line);
            }
            catch (NotRotatedException e)
            {
                TellNotRotated(e.Message);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (!TryAgain(e.Message, ref at, line))
                {
                    break;
                }
            }
        }

        Volatile.Write(ref _inHand, 0);
        _telling = 0;
    }

    /// <summary>Whether the line says how many are missing: nobody else's, and none that is missed.</summary>
    private bool IsTold(int line) => line == 0 && _telling > 0;

    private int WriteSome(ReadOnlySpan<byte> bytes)
    {
        var taken = _output.Write(bytes);
        if (taken == 0)
        {
            _queue.Wait(NotJustNow);
        }
        else if (_failedAt >= 0 && _time.GetElapsedTime(_lastFailure) >= Steady)
        {
            SinkLog.Works(_log, Name, (long)_time.GetElapsedTime(_failedAt).TotalMilliseconds);
            (_failedAt, _retry) = (-1, RetryMin);
        }

        return taken;
    }

    private void Taken(int line)
    {
        Interlocked.Increment(ref _written);
        Volatile.Write(ref _inHand, _ends.Count - line - 1);
        if (IsTold(line))
        {
            Interlocked.Add(ref _toldSelf, _telling);
        }
    }

    private void TellNotRotated(string error)
    {
        if (_time.GetElapsedTime(_notRotatedTold) >= Steady)
        {
            _notRotatedTold = _time.GetTimestamp();
            SinkLog.NotRotated(_log, Name, error);
        }
    }

    /// <returns>False at the end of the router: what is left has been counted as dropped.</returns>
    private bool TryAgain(string error, ref int at, int line)
    {
        _lastFailure = _time.GetTimestamp();
        if (_failedAt < 0)
        {
            _failedAt = _lastFailure;
            SinkLog.Failed(_log, Name, error, (long)_retry.TotalMilliseconds);
        }

        if (_queue.HasEnded)
        {
            Drop(_ends.Count - line - (IsTold(line) ? 1 : 0));
            return false;
        }

        if (_output.Recover())
        {
            at = line == 0 ? 0 : _ends[line - 1];
        }

        _queue.Wait(_retry);
        _retry = _retry * 2 < RetryMax ? _retry * 2 : RetryMax;
        ReopenIfAsked(ref at, line);
        return true;
    }

    private void ReopenIfAsked(ref int at, int line)
    {
        if (_mustReopen)
        {
            _mustReopen = false;
            _output.Reopen();
            at = line == 0 ? 0 : _ends[line - 1];
        }
    }

    /// <summary>Says in its own lines how many are missing there: in the first one of what is written next. It counts
    /// as said when that line is written.</summary>
    private void TellSelf()
    {
        var dropped = Interlocked.Read(ref _dropped) - _toldSelf;
        if (dropped > 0 && (_queue.HasEnded || _time.GetElapsedTime(_lastTold) >= TellInterval))
        {
            _lastTold = _time.GetTimestamp();
            _telling = dropped;
            SinkLog.LinesDropped(_own, Name, dropped);
        }
    }

    private void Encode()
    {
        _bytes.ResetWrittenCount();
        _ends.Clear();
        foreach (var record in _batch)
        {
            try
            {
                _line.ResetWrittenCount();
                _plan.Format.Write(LogLine.From(record), _line);
                Frame(_line.WrittenSpan);
                _ends.Add(_bytes.WrittenCount);
            }
            catch (Exception)
            {
                Drop(1);   // a text of somebody else's that cannot be had must not end the log
            }
        }

        _batch.Clear();
        Volatile.Write(ref _inHand, _ends.Count - (IsTold(0) ? 1 : 0));
    }

    private void Frame(ReadOnlySpan<byte> line)
    {
        if (_plan.Framing == SinkFraming.Counted)
        {
            var space = _bytes.GetSpan(12);
            line.Length.TryFormat(space, out var digits, default, System.Globalization.CultureInfo.InvariantCulture);
            space[digits] = (byte)' ';
            _bytes.Advance(digits + 1);
        }

        _bytes.Write(line);
        if (_plan.Framing == SinkFraming.Lines)
        {
            _bytes.Write("\n"u8);
        }
    }
}
