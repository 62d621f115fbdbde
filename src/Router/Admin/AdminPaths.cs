using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Router.Configuration;
using Router.Reporting;

namespace Router.Admin;

/// <summary>All paths of the endpoint. docs/admin.md has a row for each.</summary>
internal static class AdminPaths
{
    /// <summary>Has a server answer them all.</summary>
    public static void Map(IEndpointRouteBuilder routes, AdminHost host)
    {
        var (stats, sessions) = (new StatsPaths(host), new SessionPaths(host));
        var metrics = new MetricsPaths(routes, host);
        var lifetime = routes.ServiceProvider.GetRequiredService<IHostApplicationLifetime>();
        lifetime.ApplicationStarted.Register(metrics.Begin);   // behind the start, which it so does not delay
        lifetime.ApplicationStopping.Register(stats.End);
        lifetime.ApplicationStopping.Register(host.Events.End);   // else the end would wait for those who follow
        lifetime.ApplicationStopped.Register(sessions.Dispose);
        lifetime.ApplicationStopped.Register(metrics.Dispose);
        IReadOnlyList<AdminPath> paths =
        [
            .. new HealthPaths(host).All, .. stats.All, .. sessions.All, .. new ListenerPaths(host).All,
            .. new UpstreamPaths(host).All, .. new ControlPaths(host).All, .. new EventPaths(host).All,
            .. metrics.All, .. new ClusterPaths(host).All,
        ];
        var index = new IndexReport(
            RouterVersion.Text,
            [.. paths.Select(static path => new PathReport(path.Method, path.Pattern, path.Summary))]);
        var root = new AdminPath(
            HttpMethods.Get, "/", "index", "all paths; a page for browsers, which ask for text/html",
            request => AdminPage.IsAsked(request.Http.Request)
                ? AdminPage.ReplyAsync(request)
                : request.ReplyAsync(index, AdminJson.Default.IndexReport))
        { Result = typeof(IndexReport) };
        foreach (var path in paths.Prepend(root))
        {
            RequestDelegate answer = http =>
            {
                CheckParameters(path, http.Request.Query.Keys);
                return path.Answer(new AdminRequest(http, host, AdminGuard.EndOf(http)));
            };
            var endpoint = routes.MapMethods(path.Pattern, [path.Method], answer);
            AdminDescription.Describe(endpoint, path, answer);
            Open(endpoint, path);
            if (path.Method == HttpMethods.Get && !path.IsStream)
            {
                // RFC 9110, 9.3.2: the same without the body, which Kestrel leaves out. Balancers check by it.
                Open(routes.MapMethods(path.Pattern, [HttpMethods.Head], answer).ExcludeFromDescription(), path);
            }
        }

        AdminDescription.Map(routes);
    }

    private static void Open(IEndpointConventionBuilder endpoint, AdminPath path)
    {
        if (!path.NeedsToken)
        {
            endpoint.WithMetadata(WithoutToken.Instance);
        }
    }

    /// <summary>A parameter that is misspelled would else be a filter that lets everything through.</summary>
    private static void CheckParameters(AdminPath path, IEnumerable<string> given)
    {
        var known = path.Parameters.Select(static parameter => parameter.Name).ToList();
        if (given.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
        {
            throw AdminFault.BadRequest(known.Count == 0
                ? $"{path.Pattern} has no parameter '{unknown}', nor any other"
                : $"{path.Pattern} has no parameter '{unknown}'{Nearest.Hint(unknown, known)}: it has "
                    + string.Join(", ", known));
        }
    }
}

/// <param name="Version">Of the router.</param>
internal sealed record IndexReport(string Version, IReadOnlyList<PathReport> Paths);

internal sealed record PathReport(string Method, string Path, string Summary);
