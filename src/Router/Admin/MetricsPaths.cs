using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using Router.Reporting;

namespace Router.Admin;

/// <summary>The page that Prometheus scrapes. Nothing is collected, nor any memory taken, before it is first asked for.
/// </summary>
internal sealed class MetricsPaths : IDisposable
{
    private const string ServiceName = "router";

    private readonly Lock _lock = new();
    private readonly IEndpointRouteBuilder _routes;
    private readonly AdminHost _host;
    private MeterProvider? _provider;
    private RequestDelegate? _page;
    private bool _isDisposed;

    public MetricsPaths(IEndpointRouteBuilder routes, AdminHost host) => (_routes, _host) = (routes, host);

    public IReadOnlyList<AdminPath> All =>
    [
        new(HttpMethods.Get, "/metrics", "metrics",
            "metrics for Prometheus: docs/metrics.md", request => Page(request.Http))
        {
            ContentType = "text/plain",
        },
    ];

    private RequestDelegate Page
    {
        get
        {
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                return _page ??= Make();
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _provider?.Dispose();
        }
    }

    private RequestDelegate Make()
    {
        _provider = MetricStreams.CreateBuilder(_host.Engine.Meter)
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
        branch.UseOpenTelemetryPrometheusScrapingEndpoint(_provider, static _ => true, null, null, null);
        return branch.Build();
    }
}
