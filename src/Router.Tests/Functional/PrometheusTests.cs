using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Router.Tests.Reporting;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>A real Prometheus scrapes the shipped program, and its own tool checks what is shipped for it.</summary>
[Collection(ProgramTests.Name)]
public sealed class PrometheusTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Prometheus = 29_090, Datagrams = 321, Reads = 12;

    private static string Rules => Path.Combine(Repository.Root, "packaging/prometheus/alerts.yml");

    [RequiresToolFact("promtool")]
    public async Task Promtool_finds_nothing_in_the_rules_and_their_tests_pass()
    {
        Assert.Contains("14 rules found", await ToolAsync("promtool", ["check", "rules", Rules]));
        await ToolAsync("promtool", ["test", "rules", Path.Combine(Path.GetDirectoryName(Rules)!, "alerts_test.yml")]);
    }

    [RequiresToolFact(RequiredTools.Namespace, "prometheus", "promtool")]
    public async Task What_it_scrapes_is_what_was_sent_to_the_unit()
    {
        await RouterAsync("""
            router {
              loops = 1, listeners.back { bind = ["udp://127.0.0.1:5301", "tcp://127.0.0.1:5301"], route = echo }
              routes.echo.type = echo
            }
            """);
        await RouterAsync("""
            router {
              loops = 2, admin.bind = "127.0.0.1:27124"
              listeners.front { bind = ["udp://127.0.0.1:5300", "tcp://127.0.0.1:5300"], route = way }
              routes.way { type = proxy, upstreams = ["127.0.0.1:5301"] }
            }
            """);
        await ServerAsync("tcp", Prometheus, "prometheus", await ConfigureAsync());
        using var http = MakeHttp();
        await ReadyAsync(http);
        await EqualAsync(http, "up", "1");   // what is counted by histograms is so from the first scrape on
        using var udp = await Network.RunAsync(static () => Client.Udp(5300));
        using var tcp = await Network.RunAsync(static () => Client.Tcp(5300));

        for (var i = 0; i < Datagrams; i++)
        {
            Client.Exchange(udp, "seventeen letters"u8);
        }

        for (var i = 0; i < Reads; i++)
        {
            Client.Exchange(tcp, "hello"u8);
        }

        var bytes = Invariant((17 * Datagrams) + (5 * Reads));
        await EqualAsync(http, "sum(router_io_bytes_total{listener=\"front\",route=\"way\",direction=\"in\"})", bytes);
        await EqualAsync(http, "sum(router_io_bytes_total{direction=\"out\"})", bytes);
        await EqualAsync(http, "sum(router_payloads_total{direction=\"in\"})", Invariant(Datagrams + Reads));
        await EqualAsync(
            http, "sum(router_upstream_io_bytes_total{upstream=\"127.0.0.1:5301\",direction=\"in\"})", bytes);
        await EqualAsync(http, "sum(router_sessions)", "2");
        await EqualAsync(http, "sum(router_sessions_opened_total)", "2");
        await EqualAsync(http, "sum(router_upstream_connect_duration_seconds_count)", "1");
        Assert.NotNull(await ValueAsync(
            http, "histogram_quantile(0.99, sum by (le) (router_turn_duration_seconds_bucket))"));
        await Task.WhenAll(ShippedMetricsTests.Queries().Select(query => ValueAsync(http, query)));
        var page = await http.GetStringAsync(new Uri("http://127.0.0.1:27124/metrics"));
        await ToolAsync("promtool", ["check", "metrics"], page);
    }

    private static string Invariant(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <returns>The options of Prometheus.</returns>
    private async Task<string[]> ConfigureAsync()
    {
        var file = Path.Combine(Folder, "prometheus.yml");
        await File.WriteAllTextAsync(file, $"""
            global: {"{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }"}
            rule_files: ["{Rules}"]
            scrape_configs:
              - job_name: router
                static_configs:
                  - targets: ["127.0.0.1:27124"]
            """);
        return
        [
            $"--config.file={file}", $"--storage.tsdb.path={Path.Combine(Folder, "data")}",
            $"--web.listen-address=127.0.0.1:{Prometheus}", "--log.level=warn",
        ];
    }

    private HttpClient MakeHttp() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (context, _) => new NetworkStream(
            await Network.RunAsync(() => Client.Tcp(context.DnsEndPoint.Port)), ownsSocket: true),
    })
    {
        BaseAddress = new Uri($"http://127.0.0.1:{Prometheus}"),
    };

    /// <summary>It listens before it has read what it keeps, and answers 503 until then.</summary>
    private static async Task ReadyAsync(HttpClient http)
    {
        for (var tries = 0; tries < 100; tries++)
        {
            using var answer = await http.GetAsync(new Uri("/-/ready", UriKind.Relative));
            if (answer.IsSuccessStatusCode)
            {
                return;
            }

            await Until.PassedAsync(TimeSpan.FromMilliseconds(100));
        }

        Assert.Fail("Prometheus is not ready within 10 s");
    }

    private static async Task EqualAsync(HttpClient http, string query, string expected)
    {
        string? seen = null;
        for (var tries = 0; tries < 100 && seen != expected; tries++)
        {
            seen = await ValueAsync(http, query);
            if (seen != expected)
            {
                await Until.PassedAsync(TimeSpan.FromMilliseconds(100));
            }
        }

        Assert.Equal((query, expected), (query, seen));
    }

    /// <returns>The first value that the query gives; null for none.</returns>
    private static async Task<string?> ValueAsync(HttpClient http, string query)
    {
        var text = await http.GetStringAsync(
            new Uri("/api/v1/query?query=" + Uri.EscapeDataString(query), UriKind.Relative));
        var answer = JsonSerializer.Deserialize<JsonElement>(text);
        Assert.Equal("success", answer.GetProperty("status").GetString());
        var result = answer.GetProperty("data").GetProperty("result");
        return result.GetArrayLength() == 0 ? null : result[0].GetProperty("value")[1].GetString();
    }
}
