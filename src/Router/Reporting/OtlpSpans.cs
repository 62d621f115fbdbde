using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Trace;
using Router.Configuration;
using Router.Diagnostics;

namespace Router.Reporting;

/// <summary>Gives spans to a collector of OpenTelemetry, by its own exporter, on a thread of that. What finds the queue
/// full is dropped and counted; the end tells how many.</summary>
internal sealed class OtlpSpans : IDisposable
{
    private const int BatchMax = 512;

    /// <summary>How long the end waits for the last export, at most.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(2);

    private readonly TracerProvider _provider;

    /// <param name="target">Where they go.</param>
    /// <param name="queue">Spans that may wait.</param>
    /// <param name="time">The clock of what is logged.</param>
    /// <param name="log">The router's.</param>
    public OtlpSpans(OtlpTarget target, int queue, TimeProvider time, ILogger log)
    {
        var exporter = new OtlpTraceExporter(OtlpExport.OptionsOf(target, "/v1/traces"));
        var telling = new TellingExporter(exporter, target, time, log);
        _provider = Sdk.CreateTracerProviderBuilder()
            .AddSource(SessionSpans.SourceName)
            .SetSampler(new AlwaysOnSampler())   // which sessions have one is decided before
            .SetResourceBuilder(OtlpExport.ResourceOf(target.ServiceName))
            .AddProcessor(new CountingProcessor(telling))
            .AddProcessor(new BatchActivityExportProcessor(
                telling, queue, scheduledDelayMilliseconds: 1_000, (int)target.Timeout.TotalMilliseconds,
                Math.Min(queue, BatchMax)))
            .AddProcessor(new Binding(exporter))
            .Build();
    }

    /// <summary>Exports what waits, if the collector takes it soon.</summary>
    public void Dispose()
    {
        _provider.Shutdown((int)EndTimeout.TotalMilliseconds);
        _provider.Dispose();
    }

    /// <summary>Knows how many spans there were.</summary>
    private sealed class CountingProcessor(TellingExporter exporter) : BaseProcessor<Activity>
    {
        public override void OnEnd(Activity data) => exporter.OnEnded();
    }

    /// <summary>Gives the exporter, which stands behind ours, the provider whose resource it exports. No span comes
    /// by it.</summary>
    private sealed class Binding(BaseExporter<Activity> exporter) : BaseExportProcessor<Activity>(exporter)
    {
        protected override void OnExport(Activity data)
        {
        }
    }

    /// <summary>Tells of exports that fail, and how many spans were lost.</summary>
    private sealed class TellingExporter : BaseExporter<Activity>
    {
        private readonly OtlpTraceExporter _exporter;
        private readonly ILogger _log;
        private readonly OtlpFailures _failures;
        private long _ended;
        private long _seen;
        private long _lost;

        public TellingExporter(OtlpTraceExporter exporter, OtlpTarget target, TimeProvider time, ILogger log)
        {
            (_exporter, _log) = (exporter, log);
            _failures = new OtlpFailures(
                target, "spans", time,
                error => SpanLog.ExportFailed(log, $"{target.Endpoint}", error),
                failedMs => SpanLog.ExportWorks(log, $"{target.Endpoint}", failedMs, _lost));
        }

        public void OnEnded() => Interlocked.Increment(ref _ended);

        public override ExportResult Export(in Batch<Activity> batch)
        {
            _seen += batch.Count;
            var result = _exporter.Export(batch);
            var isExported = result == ExportResult.Success;
            _lost += isExported ? 0 : batch.Count;
            _failures.Tell(isExported);
            _lost = isExported ? 0 : _lost;
            return result;
        }

        protected override bool OnShutdown(int timeoutMilliseconds)
        {
            var dropped = Interlocked.Read(ref _ended) - _seen;   // the queue was full
            if (dropped > 0)
            {
                SpanLog.Dropped(_log, dropped);
            }

            return _exporter.Shutdown(timeoutMilliseconds);
        }

        protected override void Dispose(bool disposing)
        {
            _exporter.Dispose();
            base.Dispose(disposing);
        }
    }
}
