using Microsoft.Extensions.Logging;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using Router.Configuration;
using Router.Diagnostics;

namespace Router.Reporting;

/// <summary>What exports of logs, metrics and spans to a collector of OpenTelemetry have in common.</summary>
internal static class OtlpExport
{
    /// <param name="target">As configured.</param>
    /// <param name="path">Of the signal, for HTTP to a collector whose URL has none.</param>
    public static OtlpExporterOptions OptionsOf(OtlpTarget target, string path)
    {
        var isHttp = target.Protocol == OtlpProtocol.Http;
        return new OtlpExporterOptions
        {
            Endpoint = isHttp && target.Endpoint.AbsolutePath == "/" ? new Uri(target.Endpoint, path) : target.Endpoint,
            Protocol = isHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc,
            Headers = target.Headers,
            TimeoutMilliseconds = (int)target.Timeout.TotalMilliseconds,
        };
    }

    /// <summary>The process, as a collector knows it.</summary>
    public static ResourceBuilder ResourceOf(string serviceName) => ResourceBuilder.CreateDefault()
        .AddService(serviceName, serviceVersion: RouterVersion.Text)
        .AddAttributes([new("host.name", Environment.MachineName)]);
}

/// <summary>Gives the router's metrics, and those of the runtime, to a collector of OpenTelemetry: by its own exporter,
/// on a thread of that.</summary>
internal sealed class OtlpMetrics : IDisposable
{
    /// <summary>How long the end waits for the last export, at most.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(2);

    private readonly MeterProvider _provider;

    private OtlpMetrics(MeterProvider provider) => _provider = provider;

    /// <param name="target">Where they go.</param>
    /// <param name="interval">The time between two exports.</param>
    /// <param name="meter">The router's.</param>
    /// <param name="time">The clock of what is logged.</param>
    /// <param name="log">The router's.</param>
    public static OtlpMetrics Start(
        OtlpTarget target, TimeSpan interval, RouterMeter meter, TimeProvider time, ILogger log)
    {
        var exporter = new OtlpMetricExporter(OtlpExport.OptionsOf(target, "/v1/metrics"));
        return new OtlpMetrics(MetricStreams.CreateBuilder(meter)
            .SetResourceBuilder(OtlpExport.ResourceOf(target.ServiceName))
            .AddReader(new TellingReader(exporter, interval, target, time, log))
            .Build());
    }

    /// <summary>Exports now. Waits for the collector.</summary>
    /// <returns>Whether it took all.</returns>
    public bool Export() => _provider.ForceFlush();

    /// <summary>Exports what there is for the last time, if the collector takes it soon.</summary>
    public void Dispose()
    {
        _provider.Shutdown((int)EndTimeout.TotalMilliseconds);
        _provider.Dispose();
    }

    /// <summary>Tells of exports that fail. What is not exported is not lost: figures are sums since the start.
    /// </summary>
    private sealed class TellingReader(
        OtlpMetricExporter exporter, TimeSpan interval, OtlpTarget target, TimeProvider time, ILogger log)
        : PeriodicExportingMetricReader(
            exporter, (int)interval.TotalMilliseconds, (int)target.Timeout.TotalMilliseconds)
    {
        private readonly OtlpFailures _failures = new(
            target, "metrics", time,
            error => MetricsLog.ExportFailed(log, $"{target.Endpoint}", error),
            failedMs => MetricsLog.ExportWorks(log, $"{target.Endpoint}", failedMs));

        protected override bool OnCollect(int timeoutMilliseconds)
        {
            var isExported = base.OnCollect(timeoutMilliseconds);
            _failures.Tell(isExported);
            return isExported;
        }
    }
}
