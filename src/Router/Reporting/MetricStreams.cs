using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Router.Reporting;

/// <summary>What is exported of the instruments in the process, whoever takes it.</summary>
internal static class MetricStreams
{
    /// <summary>The runtime's own meter.</summary>
    private const string Runtime = "System.Runtime";

    /// <summary>Of the runtime's instruments: memory, collections and pauses, and what tells of a process in trouble.
    /// Its counts of processors, assemblies, methods and timers tell an operator nothing.</summary>
    private static readonly HashSet<string> OfRuntime = new(StringComparer.Ordinal)
    {
        "dotnet.process.cpu.time", "dotnet.process.memory.working_set", "dotnet.exceptions",
        "dotnet.monitor.lock_contentions",
    };

    /// <summary>For a provider of its own, to which an exporter is added. An instrument has 2,000 series at most, which
    /// is the library's limit; what is beyond is summed up as one with <c>otel.metric.overflow</c>.</summary>
    public static MeterProviderBuilder CreateBuilder(RouterMeter meter) =>
        Sdk.CreateMeterProviderBuilder()
            .AddMeter(RouterMeter.Name, Runtime)
            .AddView(instrument => IsExported(instrument, meter) ? null : MetricStreamConfiguration.Drop);

    private static bool IsExported(System.Diagnostics.Metrics.Instrument instrument, RouterMeter meter) =>
        ReferenceEquals(instrument.Meter, meter.Meter)
        || (instrument.Meter.Name == Runtime
            && (instrument.Name.StartsWith("dotnet.gc.", StringComparison.Ordinal)
                || OfRuntime.Contains(instrument.Name)));
}
