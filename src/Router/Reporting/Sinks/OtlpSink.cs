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

    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(500), RetryMax = TimeSpan.FromSeconds(10);

    private readonly OtlpSinkOptions _options;
    private readonly RecordQueue _queue;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Action _onDrop;
    private readonly List<LogRecord> _batch = new(BatchMax);
    private readonly Dictionary<string, ILogger> _loggers = new(StringComparer.Ordinal);
    private readonly CheckedExporter _exporter;
    private readonly BatchLogRecordExportProcessor _processor;
    private readonly OpenTelemetryLoggerProvider _provider;
    /// <summary>Nobody logs to it: an exporter knows the resource of the provider that it was added to, and ours stands
    /// behind one that tells of failures.</summary>
    private readonly OpenTelemetryLoggerProvider _binding;

    private readonly Stamp _stamp = new();
    private readonly Thread _thread;
    private long _written, _dropped, _toldOthers;
    private int _inHand;
    private long _failedAt = -1;

    /// <param name="options">As configured.</param>
    /// <param name="queue">Records that may wait.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Of the events about the sink itself.</param>
    /// <param name="onDrop">Called when records were dropped; any thread.</param>
    public OtlpSink(OtlpSinkOptions options, int queue, TimeProvider time, ILogger log, Action onDrop)
    {
        (_options, _time, _log, _onDrop) = (options, time, log, onDrop);
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

    public long Join(TimeSpan time) => _thread.Join(time)
        ? Interlocked.Read(ref _dropped)
        : _queue.Count + Volatile.Read(ref _inHand) + Interlocked.Read(ref _dropped);

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
            Volatile.Write(ref _inHand, _batch.Count);
            Export();
            _batch.Clear();
            Volatile.Write(ref _inHand, 0);
        }

        _provider.Dispose();
        _binding.Dispose();
    }

    private void Export()
    {
        var retry = RetryMin;
        while (_batch.Count > 0)
        {
            _exporter.HasFailed = false;
            _batch.ForEach(Emit);
            _processor.ForceFlush((int)_options.Target.Timeout.TotalMilliseconds);
            if (!_exporter.HasFailed)
            {
                OnExported();
                return;
            }

            if (_failedAt < 0)
            {
                _failedAt = _time.GetTimestamp();
                SinkLog.Failed(
                    _log, Name, $"{_options.Target.Endpoint} takes no records: is a collector there, and does it speak "
                    + $"{Kebab.From(_options.Target.Protocol.ToString())}?", (long)retry.TotalMilliseconds);
            }

            if (_queue.HasEnded)
            {
                Drop(_batch.Count);
                return;
            }

            _queue.Wait(retry);
            retry = retry * 2 < RetryMax ? retry * 2 : RetryMax;
        }
    }

    private void OnExported()
    {
        Interlocked.Add(ref _written, _batch.Count);
        if (_failedAt >= 0)
        {
            SinkLog.Works(_log, Name, (long)_time.GetElapsedTime(_failedAt).TotalMilliseconds);
            _failedAt = -1;
        }
    }

    private void Emit(LogRecord record)
    {
        if (!_loggers.TryGetValue(record.Category, out var logger))
        {
            _loggers[record.Category] = logger = _provider.CreateLogger(record.Category);
        }

        var line = LogLine.From(record);
        var text = line.Text ?? line.Event;
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
        _stamp.Time = record.Time.UtcDateTime;
        logger.Log(record.Level, record.Id, fields, null, (_, _) => text);
    }

    private void Drop(long count)
    {
        Interlocked.Add(ref _dropped, count);
        _onDrop();
    }

    /// <summary>The time of the event, not of its export.</summary>
    private sealed class Stamp : BaseProcessor<OpenTelemetry.Logs.LogRecord>
    {
        public DateTime Time { get; set; }

        public override void OnEnd(OpenTelemetry.Logs.LogRecord data) => data.Timestamp = Time;
    }

    private sealed class CheckedExporter(BaseExporter<OpenTelemetry.Logs.LogRecord> inner)
        : BaseExporter<OpenTelemetry.Logs.LogRecord>
    {
        private volatile bool _hasFailed;

        public bool HasFailed
        {
            get => _hasFailed;
            set => _hasFailed = value;
        }

        public override ExportResult Export(in Batch<OpenTelemetry.Logs.LogRecord> batch)
        {
            var result = inner.Export(batch);
            _hasFailed |= result == ExportResult.Failure;
            return result;
        }

    }

    private sealed class FixedOptions(OpenTelemetryLoggerOptions value) : IOptionsMonitor<OpenTelemetryLoggerOptions>
    {
        public OpenTelemetryLoggerOptions CurrentValue => value;

        public OpenTelemetryLoggerOptions Get(string? name) => value;

        public IDisposable? OnChange(Action<OpenTelemetryLoggerOptions, string?> listener) => null;
    }
}
