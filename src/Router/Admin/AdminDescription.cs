using System.Net.Mime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Router.Reporting;

namespace Router.Admin;

/// <summary>The OpenAPI document of the endpoint, made of its paths when it is first asked for.</summary>
internal static class AdminDescription
{
    private const string Problem = "application/problem+json";

    public static void Add(IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(static json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = AdminJson.Default.Options.PropertyNamingPolicy;
            json.SerializerOptions.TypeInfoResolver = AdminJson.Default;
        });
        services.AddOpenApi(static options =>
        {
            options.AddDocumentTransformer(static (document, _, _) =>
            {
                document.Info = new OpenApiInfo
                {
                    Title = "Router, admin endpoint",
                    Version = RouterVersion.Text,
                    Description = "What runs, and changes to it: docs/admin.md.",
                };
                document.Servers?.Clear();
                return Task.CompletedTask;
            });
            options.AddOperationTransformer(Complete);
        });
    }

    /// <summary>HEAD, too: the framework maps GET alone, and the last methods that are given hold.</summary>
    public static void Map(IEndpointRouteBuilder routes) => routes.MapOpenApi("/openapi.json")
        .WithMetadata(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));

    /// <param name="endpoint">The mapped path.</param>
    /// <param name="path">What is said of it.</param>
    /// <param name="answer">Its delegate: without a method there is no description.</param>
    public static void Describe(IEndpointConventionBuilder endpoint, AdminPath path, RequestDelegate answer)
    {
        endpoint.WithMetadata(answer.Method, path);
        endpoint.WithName(path.Name).WithSummary(path.Summary);
        if (path.Body is { } body)
        {
            endpoint.WithMetadata(new AcceptsMetadata([MediaTypeNames.Application.Json], body));
        }

        int?[] statuses = [path.Status, path.OtherStatus];
        foreach (var status in statuses.OfType<int>())
        {
            endpoint.WithMetadata(new ProducesResponseTypeMetadata(
                status, path.Result ?? typeof(System.Text.Json.JsonElement),
                [path.IsStream ? "text/event-stream" : path.ContentType]));
        }

        int[] problems = path.NeedsToken
            ? [StatusCodes.Status400BadRequest, StatusCodes.Status401Unauthorized]
            : [StatusCodes.Status421MisdirectedRequest];
        foreach (var status in problems)
        {
            endpoint.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(ProblemReport), [Problem]));
        }
    }

    private static Task Complete(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken end)
    {
        var path = context.Description.ActionDescriptor.EndpointMetadata.OfType<AdminPath>().FirstOrDefault();
        foreach (var parameter in path?.Parameters ?? [])
        {
            (operation.Parameters ??= []).Add(new OpenApiParameter
            {
                Name = parameter.Name,
                In = ParameterLocation.Query,
                Description = parameter.Meaning,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
        }

        foreach (var part in PartsOf(path?.Pattern ?? ""))
        {
            (operation.Parameters ??= []).Add(new OpenApiParameter
            {
                Name = part,
                In = ParameterLocation.Path,
                Required = true,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
        }

        return Task.CompletedTask;
    }

    private static IEnumerable<string> PartsOf(string pattern) =>
        pattern.Split('/').Where(static part => part.StartsWith('{')).Select(static part => part.Trim('{', '}'));
}
