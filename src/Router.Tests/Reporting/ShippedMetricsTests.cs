using System.Text.Json;
using System.Text.RegularExpressions;
using Router.Tests.Tidy;

namespace Router.Tests.Reporting;

/// <summary>The dashboard and the alert rules that are shipped ask for metrics that there are.</summary>
public sealed partial class ShippedMetricsTests
{
    private static readonly JsonElement Dashboard =
        JsonDocument.Parse(Repository.Read("packaging/grafana/router.json")).RootElement;

    [Theory]
    [InlineData("packaging/grafana/router.json")]
    [InlineData("packaging/prometheus/alerts.yml")]
    [InlineData("packaging/prometheus/alerts_test.yml")]
    public void Every_metric_that_is_asked_for_is_on_the_page_with_the_labels(string file)
    {
        var text = Repository.Read(file).Replace("\\\"", "\"", StringComparison.Ordinal);

        var asked = Metric().Matches(text).ToList();

        Assert.NotEmpty(asked);
        Assert.All(asked, static metric =>
        {
            var row = MetricsTable.Of(metric.Groups[1].Value);
            Assert.True(row is not null, $"{metric.Groups[1].Value} is not on the page");
            Assert.Subset(
                row.Tags.Select(static tag => tag.Replace('.', '_')).Append("instance").ToHashSet(),
                Label().Matches(metric.Groups[2].Value).Select(static label => label.Groups[1].Value).ToHashSet());
        });
    }

    /// <summary>All of the router's but those of a cluster.</summary>
    [Fact]
    public void The_dashboard_has_every_metric()
    {
        var asked = Queries().SelectMany(static query => Metric().Matches(query)).Select(static metric =>
            MetricsTable.Of(metric.Groups[1].Value)?.Page);
        string[] ofClusters =
        [
            "router_rooms_", "router_relay_", "router_fence_", "router_cluster_", "router_identities",
            "router_checkpoints_",
        ];
        string[] others =
        [
            "router_accept_overflows_namespace_total", "router_sessions_spare", "router_log_waiting",
        ];

        Assert.Empty(MetricsTable.Rows
            .Where(static row => row.IsOurs)
            .Select(static row => row.Page)
            .Where(page => !ofClusters.Any(page.StartsWith))
            .Except(others)
            .Except(asked));
    }

    [Fact]
    public void No_two_panels_of_the_dashboard_have_one_id_or_one_place()
    {
        var panels = Dashboard.GetProperty("panels").EnumerateArray().ToList();
        var cells = panels.SelectMany(static panel =>
        {
            var place = panel.GetProperty("gridPos");
            int Of(string name) => place.GetProperty(name).GetInt32();
            return from x in Enumerable.Range(Of("x"), Of("w"))
                   from y in Enumerable.Range(Of("y"), Of("h"))
                   select (x, y);
        }).ToList();

        Assert.Distinct(panels.Select(static panel => panel.GetProperty("id").GetInt32()));
        Assert.Distinct(cells);
        Assert.All(cells, static cell => Assert.InRange(cell.x, 0, 23));
    }

    /// <summary>The expressions of all panels, with the variables of the dashboard as they are for all.</summary>
    internal static IEnumerable<string> Queries() =>
        from panel in Dashboard.GetProperty("panels").EnumerateArray()
        where panel.TryGetProperty("targets", out _)
        from target in panel.GetProperty("targets").EnumerateArray()
        select Variable().Replace(target.GetProperty("expr").GetString()!, ".*")
            .Replace("$__rate_interval", "1m", StringComparison.Ordinal);

    [GeneratedRegex(@"\b((?:router|dotnet)_[a-z_]+)(?:\{([^}]*)\})?", RegexOptions.None, 1000)]
    private static partial Regex Metric();

    [GeneratedRegex("([a-z_]+)=", RegexOptions.None, 1000)]
    private static partial Regex Label();

    [GeneratedRegex(@"\$(instance|listener|route)\b", RegexOptions.None, 1000)]
    private static partial Regex Variable();
}
