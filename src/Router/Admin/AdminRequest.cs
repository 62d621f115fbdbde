using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Router.Diagnostics;

namespace Router.Admin;

/// <summary>One request, as the paths see it.</summary>
internal sealed class AdminRequest(HttpContext http, AdminHost host, CancellationToken end)
{
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

    /// <summary>Reads the body, which must say that it is JSON: a form of a page cannot.</summary>
    public async Task<T> ReadAsync<T>(JsonTypeInfo<T> type)
    {
        if (!http.Request.HasJsonContentType())
        {
            throw new AdminFault(
                StatusCodes.Status415UnsupportedMediaType, "The body is not JSON",
                "send JSON, and say so: -H 'Content-Type: application/json'");
        }

        try
        {
            return await http.Request.ReadFromJsonAsync(type, end).ConfigureAwait(false)
                ?? throw AdminFault.BadRequest("the body is null; an object is wanted");
        }
        catch (JsonException wrong)
        {
            throw AdminFault.BadRequest($"the body cannot be read: {wrong.Message}");
        }
    }

    /// <summary>Writes down a change that was asked for.</summary>
    public void LogChange(string action, string? target, string? value, string outcome = "done")
    {
        var peer = AdminPeer.Of(http);
        AdminLog.Changed(host.Log, peer.Text, peer.ProcessId, peer.UserId, action, target, value, outcome);
    }
}
