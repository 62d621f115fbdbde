using Microsoft.AspNetCore.Http;
using Router.Configuration;
using Router.Diagnostics;
using Router.Reporting.Sinks;
using Router.Tests.Functional;

namespace Router.Tests.Reporting.Sinks;

/// <summary>A collector stand-in takes what the exporter of OpenTelemetry sends by HTTP.</summary>
public sealed class OtlpSinkTests : IAsyncLifetime
{
    private OtlpCollector _collector = null!;

    public async Task InitializeAsync() => _collector = await OtlpCollector.StartAsync("/v1/logs");

    public async Task DisposeAsync() => await _collector.DisposeAsync();

    [Fact]
    public async Task Records_come_with_their_fields_and_none_is_lost_by_a_collector_that_is_away()
    {
        const int Said = 600;
        using var errors = new StringWriter();
        using var provider = new SinkProvider(
            TimeProvider.System, static _ => true, TimeSpan.FromSeconds(20), errors);
        provider.Add((time, log, onDrop) => new OtlpSink(Options(), 10_000, time, log, onDrop));
        var logger = provider.CreateLogger("Router");
        _collector.Status = StatusCodes.Status503ServiceUnavailable;

        for (var i = 0; i < Said; i++)
        {
            UpstreamLog.Resolved(logger, "web", $"name-{i:0000}", "10.0.0.1");
        }

        await Until.TrueAsync(() => _collector.Refused > 0, () => "it does not try");
        _collector.Status = StatusCodes.Status200OK;
        await Until.TrueAsync(
            () => provider.Figures[0] is { Waiting: 0, Written: > Said }, () => $"not exported: {provider.Figures[0]}");
        provider.Dispose();

        var text = _collector.Text;
        Assert.All(Enumerable.Range(0, Said), i => Assert.Contains($"name-{i:0000}", text, StringComparison.Ordinal));
        string[] parts =
            ["service.name", "edge", "upstream-resolved", "event", "route", "web", "log-sink-failed", "Router"];
        Assert.All(parts, part => Assert.Contains(part, text, StringComparison.Ordinal));
        Assert.Equal("", errors.ToString());
        Assert.Equal(0, provider.Figures[0].Dropped);
    }

    [Fact]
    public async Task What_a_collector_does_not_answer_is_not_written()
    {
        using var errors = new StringWriter();
        using var provider = new SinkProvider(
            TimeProvider.System, static _ => true, TimeSpan.FromSeconds(20), errors);
        provider.Add((time, log, onDrop) => new OtlpSink(Options(1_500), 100, time, log, onDrop));
        _collector.IsSilent = true;

        UpstreamLog.Resolved(provider.CreateLogger("Router"), "web", "name", "10.0.0.1");
        await Until.TrueAsync(() => _collector.Asked >= 2, () => "it does not try again");
        Assert.Equal(0, provider.Figures[0].Written);
        _collector.IsSilent = false;
        await Until.TrueAsync(() => provider.Figures[0].Written >= 1, () => $"not exported: {provider.Figures[0]}");
        provider.Dispose();

        Assert.Contains("upstream-resolved", _collector.Text, StringComparison.Ordinal);
        Assert.Equal((0, ""), (provider.Figures[0].Dropped, errors.ToString()));
    }

    /// <summary>The sink's thread is nobody's: what it throws would end the process.</summary>
    [Fact]
    public async Task A_text_that_cannot_be_had_costs_its_record_alone()
    {
        using var errors = new StringWriter();
        using var provider = new SinkProvider(
            TimeProvider.System, static _ => true, TimeSpan.FromSeconds(20), errors);
        provider.Add((time, log, onDrop) => new OtlpSink(Options(), 100, time, log, onDrop));

        HostLog.Fault(provider.CreateLogger("Router"), new UnspeakableException(), "a");
        await Until.TrueAsync(() => provider.Figures[0].Dropped == 1, () => $"it is kept: {provider.Figures[0]}");
        UpstreamLog.Resolved(provider.CreateLogger("Router"), "web", "name", "10.0.0.1");
        await Until.TrueAsync(() => provider.Figures[0].Written == 2, () => $"not exported: {provider.Figures[0]}");
        provider.Dispose();

        Assert.Contains("log-lines-dropped", _collector.Text, StringComparison.Ordinal);   // no other sink could tell
        Assert.Equal("", errors.ToString());
    }

    [Fact]
    public async Task What_is_missing_is_told_among_the_records_by_the_end_at_the_latest()
    {
        using var errors = new StringWriter();
        using var provider = new SinkProvider(
            TimeProvider.System, static _ => true, TimeSpan.FromSeconds(20), errors);
        provider.Add((time, log, onDrop) => new OtlpSink(Options(), 100, time, log, onDrop));
        var log = provider.CreateLogger("Router");

        for (var i = 0; i < 3; i++)
        {
            HostLog.Fault(log, new UnspeakableException(), "a");   // two of them within a second, maybe
        }

        await Until.TrueAsync(() => provider.Figures[0].Dropped == 3, () => $"it is kept: {provider.Figures[0]}");
        provider.Dispose();

        Assert.Contains("log-lines-dropped", _collector.Text, StringComparison.Ordinal);
        Assert.Equal("", errors.ToString());
    }

    [Fact]
    public async Task A_full_queue_drops_and_counts()
    {
        using var errors = new StringWriter();
        using var provider = new SinkProvider(
            TimeProvider.System, static _ => true, TimeSpan.FromSeconds(1), errors);
        provider.Add((time, log, onDrop) => new OtlpSink(Options(), 16, time, log, onDrop));
        _collector.Status = StatusCodes.Status503ServiceUnavailable;

        for (var i = 0; i < 5_000; i++)
        {
            UpstreamLog.Resolved(provider.CreateLogger("Router"), "web", "name", "10.0.0.1");
        }

        await Until.TrueAsync(() => provider.Figures[0].Dropped > 0, () => "nothing is dropped");
        provider.Dispose();

        Assert.Contains("lines were not written to otlp", errors.ToString(), StringComparison.Ordinal);
    }

    private OtlpSinkOptions Options(int timeoutMs = 5_000) => new(
        new OtlpTarget(
            _collector.Url, OtlpProtocol.Http, "authorization=secret", TimeSpan.FromMilliseconds(timeoutMs), "edge"),
        LogLines.All);
}
