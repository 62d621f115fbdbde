using System.Buffers.Binary;
using System.Text;
using Microsoft.AspNetCore.Http;
using Router.Configuration;
using Router.Reporting;
using Router.Tests.Admin;
using Router.Tests.Hosting;

namespace Router.Tests.Reporting;

/// <summary>A collector stand-in takes what the exporter of OpenTelemetry sends by HTTP.</summary>
public sealed class OtlpMetricsTests : IAsyncLifetime
{
    private OtlpCollector _collector = null!;

    private string Keys =>
        $"metrics.otlp {{ endpoint = \"{_collector.Url}\", protocol = http, interval = 1h, service-name = edge }}";

    public async Task InitializeAsync() => _collector = await OtlpCollector.StartAsync("/v1/metrics");

    public async Task DisposeAsync() => await _collector.DisposeAsync();

    /// <summary>The last export is at the end, whatever the interval.</summary>
    [Fact]
    public async Task A_collector_gets_the_routers_figures_and_the_runtimes()
    {
        const long Figure = 0x1234_5678_9ABC;
        var rig = AdminRig.Start("admin.bind = \"127.0.0.1:0\"\n " + Keys);
        rig.Engine.Meter.Meter.CreateObservableCounter("router.figure", static () => Figure);
        await rig.Engine.Begun;

        await rig.DisposeAsync();

        var text = _collector.Text;
        string[] parts =
            ["service.name", "edge", "router.sessions", "listener", "dotnet.gc.pause.time"];
        Assert.All(parts, part => Assert.Contains(part, text, StringComparison.Ordinal));
        Assert.Contains(AsInteger(Figure), text, StringComparison.Ordinal);
        Assert.Empty(rig.Log.Texts("metrics-export-failed"));
    }

    [Fact]
    public void A_collector_that_takes_nothing_is_told_of_once_until_it_does()
    {
        using var meter = new RouterMeter();
        var log = new EventLog();
        var target = new OtlpTarget(
            _collector.Url, OtlpProtocol.Http, Headers: null, TimeSpan.FromSeconds(5), "edge");
        using var export = OtlpMetrics.Start(target, TimeSpan.FromHours(1), meter, TimeProvider.System, log);
        meter.Meter.CreateObservableCounter("router.figure", static () => 1L);

        _collector.Status = StatusCodes.Status503ServiceUnavailable;
        Assert.False(export.Export());
        Assert.False(export.Export());
        var failed = Assert.Single(log.Texts("metrics-export-failed"));
        Assert.Contains($"not exported to {_collector.Url}: it takes no metrics", failed, StringComparison.Ordinal);

        _collector.Status = StatusCodes.Status200OK;
        Assert.True(export.Export());
        Assert.True(export.Export());
        Assert.Single(log.Texts("metrics-export-works"));
        Assert.Contains("router.figure", _collector.Text, StringComparison.Ordinal);
    }

    /// <summary>An as_int of a NumberDataPoint, field 6 of eight bytes.</summary>
    private static string AsInteger(long value)
    {
        var bytes = new byte[9];
        bytes[0] = (6 << 3) | 1;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(1), value);
        return Encoding.Latin1.GetString(bytes);
    }
}
