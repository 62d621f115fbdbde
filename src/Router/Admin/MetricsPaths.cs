using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using Router.Reporting;

namespace Router.Admin;

/// <summary>The page that Prometheus scrapes.</summary>
/// <remarks>A collector repeats the series of a histogram for as long as it lives. So when a listener or an upstream
/// has gone, a fresh one takes the place of the one before, behind the scrape that had the last figures, and the series
/// end. Counters are read where they are kept, and lose nothing by it; histograms begin anew, as when a router is
/// started.</remarks>
internal sealed class MetricsPaths : IDisposable
{
    private const string ServiceName = "router";

    private readonly Lock _lock = new();
    private readonly IEndpointRouteBuilder _routes;
    private readonly AdminHost _host;
    private HashSet<(string Listener, string Upstream, string Route)> _seen = [];
    private Collector? _collector;
    private int _scrapes;
    private bool _isDisposed;

    public MetricsPaths(IEndpointRouteBuilder routes, AdminHost host) => (_routes, _host) = (routes, host);

    public IReadOnlyList<AdminPath> All =>
    [
        new(HttpMethods.Get, "/metrics", "metrics",
            "metrics for Prometheus: docs/metrics.md", request => ScrapeAsync(request.Http))
        {
            ContentType = "text/plain",
        },
    ];

    /// <summary>Histograms count from now on, whenever the page is first asked for.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            if (!_isDisposed)
            {
                _collector ??= Make();
            }
        }

        _host.Engine.CountTurns();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _collector?.Provider.Dispose();
        }
    }

    private async Task ScrapeAsync(HttpContext http)
    {
        RequestDelegate page;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            page = (_collector ??= Make()).Page;
            _scrapes++;
        }

        try
        {
            await page(http).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
            {
                if (--_scrapes == 0 && !_isDisposed && HasGone())
                {
                    var before = _collector!;
                    _collector = Make();   // first, so that what is counted meanwhile is counted
                    before.Provider.Dispose();
                }
            }
        }
    }

    /// <summary>Whether there are series of what is not there any more.</summary>
    private bool HasGone()
    {
        var now = _host.Engine.ReadSeries();
        _seen.UnionWith(now);
        if (_seen.Count == now.Count)
        {
            return false;
        }

        _seen = now;
        return true;
    }

    private Collector Make()
    {
        var provider = MetricStreams.CreateBuilder(_host.Engine.Meter)
            .SetResourceBuilder(ResourceBuilder.CreateEmpty()
                .AddService(ServiceName, serviceVersion: RouterVersion.Text, autoGenerateServiceInstanceId: false)
                .AddAttributes([new("host.name", Environment.MachineName)]))
            .AddPrometheusExporter(static page =>
            {
                page.ScopeInfoEnabled = false;
                page.ScrapeResponseCacheDurationMilliseconds = 0;   // who asks again wants to see what is new
            })
            .Build();
        var branch = _routes.CreateApplicationBuilder();
        branch.UseOpenTelemetryPrometheusScrapingEndpoint(provider, static _ => true, null, null, null);
        return new Collector(provider, branch.Build());
    }

    private sealed record Collector(MeterProvider Provider, RequestDelegate Page);
}
