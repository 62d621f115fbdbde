using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Router.Reporting;

namespace Router.Admin;

/// <summary>All paths of the endpoint. docs/admin.md has a row for each.</summary>
internal static class AdminPaths
{
    public static IReadOnlyList<AdminPath> Of(AdminHost host) =>
    [
        .. new HealthPaths(host).All, .. new StatsPaths(host).All, .. new ControlPaths(host).All,
    ];

    /// <summary>Has a server answer them all.</summary>
    public static void Map(IEndpointRouteBuilder routes, AdminHost host)
    {
        var paths = Of(host);
        var index = new IndexReport(
            RouterVersion.Text,
            [.. paths.Select(static path => new PathReport(path.Method, path.Pattern, path.Summary))]);
        var root = new AdminPath(
            HttpMethods.Get, "/", "index", "all paths",
            request => request.ReplyAsync(index, AdminJson.Default.IndexReport))
        { Result = typeof(IndexReport) };
        foreach (var path in paths.Prepend(root))
        {
            RequestDelegate answer = http => path.Answer(new AdminRequest(http, host, AdminGuard.EndOf(http)));
            var endpoint = routes.MapMethods(path.Pattern, [path.Method], answer);
            AdminDescription.Describe(endpoint, path, answer);
            if (!path.NeedsToken)
            {
                endpoint.WithMetadata(WithoutToken.Instance);
            }
        }

        AdminDescription.Map(routes);
    }
}

/// <param name="Version">Of the router.</param>
internal sealed record IndexReport(string Version, IReadOnlyList<PathReport> Paths);

internal sealed record PathReport(string Method, string Path, string Summary);
