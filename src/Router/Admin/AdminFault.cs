using System.Text.Json.Serialization;

namespace Router.Admin;

/// <summary>A request that cannot be answered as asked: what is wrong, where, and what to do. It becomes a problem of
/// RFC 9457.</summary>
/// <param name="status">Of HTTP.</param>
/// <param name="title">What kind of problem, the same for all of its kind.</param>
/// <param name="detail">What is wrong with this request, and what to do.</param>
/// <param name="faults">All of them, where there may be several.</param>
internal sealed class AdminFault(int status, string title, string detail, IReadOnlyList<string>? faults = null)
    : Exception(detail)
{
    public int Status => status;

    public string Title => title;

    public IReadOnlyList<string>? Faults => faults;

    public static AdminFault BadRequest(string detail) => new(400, "The request is not understood", detail);
}

/// <summary>As RFC 9457 has it.</summary>
/// <param name="Title">What kind of problem.</param>
/// <param name="Status">Of HTTP.</param>
/// <param name="Detail">What is wrong, and what to do.</param>
/// <param name="Instance">The path of the request.</param>
/// <param name="Faults">All of them, where there may be several.</param>
internal sealed record ProblemReport(
    string Title, int Status, string Detail, string Instance,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Faults);
