using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using Router.Configuration;
using Router.Diagnostics;
using LogRecord = Router.Diagnostics.LogRecord;

namespace Router.Reporting.Sinks;

/// <summary>Gives records to a collector of OpenTelemetry, by its own exporter. Its thread hands a batch over, waits
/// until it is exported, and tries it again if that has failed: so what waits is in our queue, and counted.</summary>
internal sealed class OtlpSink : ILineSink
{
    private const int BatchMax = 256;

    private static readonly TimeSpan TellInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(500), RetryMax = TimeSpan.FromSeconds(10);

    private readonly OtlpSinkOptions _options;
    private readonly RecordQueue _queue;
    private readonly OtlpFailures _failures;
    private readonly TimeProvider _time;
    private readonly RecordLogger _own;
    private readonly Action _onDrop;
    private readonly List<LogRecord> _batch = new(BatchMax);
    private readonly List<Entry> _entries = new(BatchMax);
    private readonly Dictionary<string, ILogger> _loggers = new(StringComparer.Ordinal);
    private readonly CheckedExporter _exporter;
    private readonly BatchLogRecordExportProcessor _processor;
    private readonly OpenTelemetryLoggerProvider _provider;
    /// <summary>Nobody logs to it: an exporter knows the resource of the provider that it was added to, and ours stands
    /// behind one that tells of failures.</summary>
    private readonly OpenTelemetryLoggerProvider _binding;

    private readonly Stamp _stamp = new();
    private readonly Thread _thread;
    private long _written, _dropped, _toldOthers, _toldSelf, _lastTold;
    private long _telling;      // records that the first one in hand says are missing; 0 where it says no such thing
    private bool _isTaken = true;
    private int _inHand;

    /// <param name="options">As configured.</param>
    /// <param name="queue">Records that may wait.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Of the events about the sink itself.</param>
    /// <param name="onDrop">Called when records were dropped; any thread.</param>
    public OtlpSink(OtlpSinkOptions options, int queue, TimeProvider time, ILogger log, Action onDrop)
    {
        (_options, _onDrop, _time) = (options, onDrop, time);
        _own = new RecordLogger(RouterLogging.Category, time, static _ => true, record => _batch.Insert(0, record));
        _lastTold = time.GetTimestamp() - (long)(TellInterval.TotalSeconds * time.TimestampFrequency);
        _failures = new OtlpFailures(
            options.Target, "records", time,
            error => SinkLog.Failed(
                log, Name, $"{options.Target.Endpoint}: {error}", (long)RetryMin.TotalMilliseconds),
            failedMs => SinkLog.Works(log, Name, failedMs));
        _queue = new RecordQueue(queue);
        var exporter = new OtlpLogExporter(OtlpExport.OptionsOf(options.Target, "/v1/logs"));
        _exporter = new CheckedExporter(exporter);
        _processor = new BatchLogRecordExportProcessor(
            _exporter, maxQueueSize: 2 * BatchMax, scheduledDelayMilliseconds: int.MaxValue,
            exporterTimeoutMilliseconds: (int)options.Target.Timeout.TotalMilliseconds, maxExportBatchSize: BatchMax);
        _provider = ProviderOf(options, _stamp, _processor);
        _binding = ProviderOf(options, new SimpleLogRecordExportProcessor(exporter));
        _thread = new Thread(Run) { IsBackground = true, Name = "log otlp" };
        _thread.Start();
    }

    public string Name => "otlp";

    public SinkFigures Figures =>
        new(Name, _queue.Count, Interlocked.Read(ref _written), Interlocked.Read(ref _dropped));

    public void Add(LogRecord record)
    {
        if (_options.Lines.Has(record) && !_queue.TryAdd(record))
        {
            Drop(1);
        }
    }

    public long TakeDropped()
    {
        var dropped = Interlocked.Read(ref _dropped);
        return dropped - Interlocked.Exchange(ref _toldOthers, dropped);
    }

    public bool Reopen() => false;

    public void End() => _queue.End();

    public long Join(TimeSpan time) => (_thread.Join(time) ? 0 : _queue.Count + Volatile.Read(ref _inHand))
        + Interlocked.Read(ref _dropped) - Interlocked.Read(ref _toldSelf);

    private static OpenTelemetryLoggerProvider ProviderOf(
        OtlpSinkOptions options, params BaseProcessor<OpenTelemetry.Logs.LogRecord>[] processors)
    {
        var settings = new OpenTelemetryLoggerOptions { IncludeFormattedMessage = true };
        settings.SetResourceBuilder(OtlpExport.ResourceOf(options.Target.ServiceName));
        foreach (var processor in processors)
        {
            settings.AddProcessor(processor);
        }

        return new OpenTelemetryLoggerProvider(new FixedOptions(settings));
    }

    private void Run()
    {
        while (_queue.Take(_batch, BatchMax))
        {
            Write();
        }

        if (_isTaken)
        {
            Write();   // what is missing at the end
        }

        _provider.Dispose();
        _binding.Dispose();
    }

    private void Write()
    {
        Volatile.Write(ref _inHand, _batch.Count);
        TellSelf();
        Prepare();
        Volatile.Write(ref _inHand, InHand);
        Export();
        _entries.Clear();
        Volatile.Write(ref _inHand, 0);
        _telling = 0;
    }

    /// <summary>Records of others that are being exported.</summary>
    private int InHand => _entries.Count - (_telling > 0 ? 1 : 0);

    /// <summary>Says among its own records how many are missing there, in the first one of what is exported next. It
    /// counts as said when that is exported.</summary>
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

    private void Prepare()
    {
        foreach (var record in _batch)
        {
            try
            {
                _entries.Add(EntryOf(record));
            }
            catch (Exception)
            {
                Drop(1);   // a text of somebody else's that cannot be had must not end the log
            }
        }

        _batch.Clear();
    }

    private void Export()
    {
        var retry = RetryMin;
        while (_entries.Count > 0 && !TryExport())
        {
            if (_queue.HasEnded)
            {
                Drop(InHand);
                return;
            }

            _queue.Wait(retry);
            retry = retry * 2 < RetryMax ? retry * 2 : RetryMax;
        }

        Interlocked.Add(ref _written, _entries.Count);
        Interlocked.Add(ref _toldSelf, _telling);
    }

    /// <returns>Whether the collector has taken the whole batch.</returns>
    private bool TryExport()
    {
        _exporter.Expect(_entries.Count);
        _entries.ForEach(Emit);
        _processor.ForceFlush(timeoutMilliseconds: 0);   // begins to export, and waits for nothing
        var isExported = _exporter.Wait();
        _failures.Tell(isExported);
        return _isTaken = isExported;
    }

    private static Entry EntryOf(LogRecord record)
    {
        var line = LogLine.From(record);
        var fields = line.Fields
            .Where(static field => field.Value is not null)
            .Select(static field => new KeyValuePair<string, object?>(field.Key, field.Value switch
            {
                bool or int or long or double => field.Value,
                uint number => (long)number,
                _ => LogFields.TextOf(field.Value!),
            }))
            .Prepend(new("event", line.Event))
            .ToList();
        return new Entry(record, fields, line.Text ?? line.Event);
    }

    private void Emit(Entry entry)
    {
        var record = entry.Record;
        if (!_loggers.TryGetValue(record.Category, out var logger))
        {
            _loggers[record.Category] = logger = _provider.CreateLogger(record.Category);
        }

        _stamp.Time = record.Time.UtcDateTime;
        logger.Log(record.Level, record.Id, entry.Fields, null, (_, _) => entry.Text);
    }

    private void Drop(long count)
    {
        if (count > 0)
        {
            Interlocked.Add(ref _dropped, count);
            _onDrop();
        }
    }

    /// <summary>A record whose texts have been had.</summary>
    private sealed record Entry(LogRecord Record, List<KeyValuePair<string, object?>> Fields, string Text);

    /// <summary>The time of the event, not of its export.</summary>
    private sealed class Stamp : BaseProcessor<OpenTelemetry.Logs.LogRecord>
    {
        public DateTime Time { get; set; }

        public override void OnEnd(OpenTelemetry.Logs.LogRecord data) => data.Timestamp = Time;
    }

    /// <summary>Knows when the collector has answered for all records. A flush of the processor does not: it is over
    /// when they are read, and the collector may still refuse them, or never answer.</summary>
    private sealed class CheckedExporter(BaseExporter<OpenTelemetry.Logs.LogRecord> inner)
        : BaseExporter<OpenTelemetry.Logs.LogRecord>
    {
        private readonly ManualResetEventSlim _isOver = new();
        private int _left;
        private volatile bool _hasFailed;

        /// <summary>So many records are about to be exported.</summary>
        public void Expect(int count)
        {
            _isOver.Reset();
            _hasFailed = false;
            Volatile.Write(ref _left, count);
        }

        /// <summary>Waits until all are over, as long as the target's timeout lets it.</summary>
        /// <returns>Whether all were taken.</returns>
        public bool Wait()
        {
            _isOver.Wait();
            return !_hasFailed;
        }

        public override ExportResult Export(in Batch<OpenTelemetry.Logs.LogRecord> batch)
        {
            var result = ExportResult.Failure;
            try
            {
                result = inner.Export(batch);
                return result;
            }
            finally
            {
                _hasFailed |= result == ExportResult.Failure;
                if (Interlocked.Add(ref _left, -(int)batch.Count) <= 0)
                {
                    _isOver.Set();
                }
            }
        }

        protected override void Dispose(bool disposing)
        {
            _isOver.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class FixedOptions(OpenTelemetryLoggerOptions value) : IOptionsMonitor<OpenTelemetryLoggerOptions>
    {
        public OpenTelemetryLoggerOptions CurrentValue => value;

        public OpenTelemetryLoggerOptions Get(string? name) => value;

        public IDisposable? OnChange(Action<OpenTelemetryLoggerOptions, string?> listener) => null;
    }
}
