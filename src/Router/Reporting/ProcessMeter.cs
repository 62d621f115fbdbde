using System.Diagnostics.Metrics;
using Router.Configuration;

namespace Router.Reporting;

/// <summary>Instruments of the process that the runtime's own meter, <c>System.Runtime</c>, lacks.</summary>
internal static class ProcessMeter
{
    /// <param name="meter">The router's.</param>
    /// <param name="uptime">Since the router's start.</param>
    /// <param name="deadLetters">Of the router's actor system.</param>
    public static void Observe(Meter meter, Func<TimeSpan> uptime, Func<long> deadLetters)
    {
        meter.CreateObservableGauge(
            "router.uptime", () => uptime().TotalSeconds, "s", "Time since the router's start.");
        meter.CreateObservableCounter(
            "router.actor.dead_letters", deadLetters, "{message}", "Messages to actors that were not there.");
        meter.CreateObservableUpDownCounter(
            "router.process.descriptors", static () => Of(Descriptors.CountOpen()), "{descriptor}",
            "File descriptors that are open.");
        meter.CreateObservableUpDownCounter(
            "router.process.descriptors.limit", static () => Of(SystemLimits.Read().Descriptors), "{descriptor}",
            "File descriptors that may be open.");
    }

    private static Measurement<long>[] Of(long? figure) => figure is { } known ? [new(known)] : [];
}
