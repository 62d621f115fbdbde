using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Router.Configuration;
using Router.Diagnostics;

namespace Router.Admin;

/// <summary>One request, as the paths see it.</summary>
internal sealed class AdminRequest(HttpContext http, AdminHost host, CancellationToken end)
{
    private static readonly JsonDocumentOptions BodyOptions = new() { AllowDuplicateProperties = false };

    public HttpContext Http => http;

    public AdminHost Host => host;

    /// <summary>Its client is gone, or it takes too long.</summary>
    public CancellationToken End => end;

    /// <summary>A part of the path.</summary>
    public string Part(string name) => (string)http.Request.RouteValues[name]!;

    /// <summary>A parameter of the query; null for one that is left out.</summary>
    public string? Query(string name) => http.Request.Query.TryGetValue(name, out var values)
        ? values.Count == 1
            ? values[0]
            : throw AdminFault.BadRequest($"parameter '{name}' is given {values.Count} times")
        : null;

    public Task ReplyAsync<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
    {
        http.Response.StatusCode = status;
        return http.Response.WriteAsJsonAsync(value, type, "application/json", end);
    }

    public Task ReplyJsonAsync(string json)
    {
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(json, end);
    }

    /// <summary>Reads the body, which must say that it is JSON: a form of a page cannot. A member that is misspelled
    /// would else be one that is left out.</summary>
    public async Task<T> ReadAsync<T>(JsonTypeInfo<T> type)
    {
        if (!http.Request.HasJsonContentType())
        {
            throw NotJson();
        }

        try
        {
            using var body = await JsonDocument.ParseAsync(http.Request.Body, BodyOptions, end).ConfigureAwait(false);
            if (body.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw AdminFault.BadRequest($"the body is {body.RootElement.ValueKind}; an object is wanted");
            }

            CheckMembers(body.RootElement, [.. type.Properties.Select(static member => member.Name)]);
            return body.RootElement.Deserialize(type)!;
        }
        catch (JsonException wrong)
        {
            throw AdminFault.BadRequest(wrong.Path is { Length: > 1 } path
                ? $"'{path[2..]}' of the body is of another type than /openapi.json says"
                : $"the body cannot be read: {wrong.Message}");
        }
    }

    public static AdminFault NotJson() => new(
        StatusCodes.Status415UnsupportedMediaType, "The body is not JSON",
        "send JSON, and say so: -H 'Content-Type: application/json'");

    private static void CheckMembers(JsonElement body, IReadOnlyList<string> known)
    {
        foreach (var member in body.EnumerateObject())
        {
            if (!known.Contains(member.Name))
            {
                throw AdminFault.BadRequest(
                    $"the body has no '{member.Name}'{Nearest.Hint(member.Name, known)}: it has "
                    + string.Join(", ", known));
            }
        }
    }

    /// <summary>Writes down a change that was asked for.</summary>
    public void LogChange(string action, string? target, string? value, string outcome = "done")
    {
        var peer = AdminPeer.Of(http);
        AdminLog.Changed(host.Log, peer.Text, peer.ProcessId, peer.UserId, action, target, value, outcome);
    }
}
