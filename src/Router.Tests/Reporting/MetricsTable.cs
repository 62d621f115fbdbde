using System.Text.RegularExpressions;
using Router.Tests.Tidy;

namespace Router.Tests.Reporting;

/// <summary>The tables of docs/metrics.md.</summary>
internal static partial class MetricsTable
{
    public static IReadOnlyList<MetricsRow> Rows { get; } =
    [
        .. Row().Matches(Repository.Read("docs/metrics.md")).Select(static row => new MetricsRow(
            row.Groups[1].Value, row.Groups[2].Value, row.Groups[3].Value, row.Groups[4].Value,
            [.. Tag().Matches(row.Groups[5].Value).Select(static tag => tag.Groups[1].Value)])),
    ];

    /// <summary>The row that a sample on the page is of; null if there is none.</summary>
    public static MetricsRow? Of(string sample) => Rows.FirstOrDefault(row =>
        row.Page == sample || (row.Kind == "histogram" && Part().Replace(sample, "") == row.Page));

    [GeneratedRegex(
        @"^\| `([a-z._]+)` \| `([a-z_]+)` \| ([a-z-]+) \| `([^`]+)` \| ([^|]+) \|", RegexOptions.Multiline, 1000)]
    private static partial Regex Row();

    [GeneratedRegex("`([a-z.]+)`", RegexOptions.None, 1000)]
    private static partial Regex Tag();

    [GeneratedRegex("_(bucket|sum|count)$", RegexOptions.None, 1000)]
    private static partial Regex Part();
}

/// <param name="Page">Its name on the page.</param>
internal sealed record MetricsRow(
    string Instrument, string Page, string Kind, string Unit, IReadOnlyList<string> Tags)
{
    /// <summary>Not the runtime's.</summary>
    public bool IsOurs => Instrument.StartsWith("router.", StringComparison.Ordinal);
}
