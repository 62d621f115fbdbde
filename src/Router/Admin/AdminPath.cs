using System.Net.Mime;
using Microsoft.AspNetCore.Http;

namespace Router.Admin;

/// <summary>A path with a method: what it answers, and what the OpenAPI document says of it.</summary>
/// <param name="Method">Of HTTP.</param>
/// <param name="Pattern">As <c>/sessions/{id}</c>.</param>
/// <param name="Name">Unique: the operation's id.</param>
/// <param name="Summary">A line for people.</param>
/// <param name="Answer">Replies, or throws an <see cref="AdminFault"/>.</param>
internal sealed record AdminPath(
    string Method, string Pattern, string Name, string Summary, Func<AdminRequest, Task> Answer)
{
    /// <summary>What the body of the answer is; null for what no type of ours describes.</summary>
    public Type? Result { get; init; }

    /// <summary>What the body of that is.</summary>
    public string ContentType { get; init; } = MediaTypeNames.Application.Json;

    /// <summary>Of an answer that is no problem.</summary>
    public int Status { get; init; } = StatusCodes.Status200OK;

    /// <summary>Other answers of the same type.</summary>
    public int? OtherStatus { get; init; }

    /// <summary>What the body of the request is; null for none.</summary>
    public Type? Body { get; init; }

    /// <summary>Parameters of the query.</summary>
    public IReadOnlyList<AdminParameter> Parameters { get; init; } = [];

    /// <summary>The answer goes on until its client, or the router, ends.</summary>
    public bool IsStream { get; init; }

    public bool NeedsToken { get; init; } = true;
}

/// <summary>A parameter of a path's query.</summary>
/// <param name="Name">As in the query.</param>
/// <param name="Meaning">With its form, default and limits.</param>
internal sealed record AdminParameter(string Name, string Meaning);
