using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Router.Tests.Functional;
using Router.Tests.Reporting;

namespace Router.Tests.Admin;

/// <summary>The page for Prometheus: what is on it, by which names.</summary>
public sealed partial class MetricsPageTests
{
    private const string Keys = """
        admin.bind = "127.0.0.1:0"
        listeners { echo { bind = ["udp://127.0.0.1:0", "tcp://127.0.0.1:0"], route = echo } }
        routes { echo.type = echo }
        """;

    [Fact]
    public async Task Every_sample_is_in_the_tables_with_its_tags()
    {
        await using var rig = AdminRig.Start(Keys);
        await rig.Log.Seen("admin-listening");
        await ExchangeAsync(rig, 40);

        var page = await PageAsync(rig);

        var samples = Sample().Matches(page)
            .Select(static sample => (
                Name: sample.Groups[1].Value,
                Tags: Label().Matches(sample.Groups[2].Value).Select(static label => label.Groups[1].Value)))
            .Where(static sample => sample.Name != "target_info")
            .ToList();
        Assert.All(samples, static sample =>
        {
            var row = MetricsTable.Of(sample.Name);
            Assert.True(row is not null, $"{sample.Name} is not listed");
            Assert.Equal(
                row.Tags.Select(static tag => tag.Replace('.', '_')).Order(),
                sample.Tags.Where(static tag => tag != "le").Order());
        });
        Assert.Contains(samples, static sample => sample.Name == "router_turn_duration_seconds_count");
        Assert.Contains(samples, static sample => sample.Name == "dotnet_gc_collections_total");
        Assert.Contains("# HELP router_sessions Sessions that are open now.", page);
        Assert.Contains("# TYPE router_sessions_opened_total counter", page);
    }

    [Fact]
    public async Task Figures_of_an_upstream_are_those_of_its_sessions()
    {
        await using var upstream = AdminRig.Start(Keys);
        await upstream.Engine.Begun;
        var (udp, tcp) = (upstream.Engine.Bound[0].Address, upstream.Engine.Bound[1].Address);
        await using var rig = AdminRig.Start($$"""
            admin.bind = "127.0.0.1:0"
            listeners {
              udp { bind = "udp://127.0.0.1:0", route = udp }
              tcp { bind = "tcp://127.0.0.1:0", route = tcp }
            }
            routes {
              udp { type = proxy, upstreams = ["{{udp}}"] }
              tcp { type = proxy, upstreams = ["127.0.0.1:1", "{{tcp}}"] }
            }
            """);
        await rig.Log.Seen("admin-listening");
        await ExchangeAsync(rig, 4);

        var page = await PageAsync(rig);   // the first: nobody has asked before, and nothing is missing

        Assert.All(
            new[]
            {
                $"router_upstream_io_bytes_total{{direction=\"in\",route=\"udp\",upstream=\"{udp}\"}} 20",
                $"router_upstream_io_bytes_total{{direction=\"out\",route=\"udp\",upstream=\"{udp}\"}} 20",
                $"router_upstream_payloads_total{{direction=\"in\",route=\"udp\",upstream=\"{udp}\"}} 4",
                $"router_upstream_io_bytes_total{{direction=\"out\",route=\"tcp\",upstream=\"{tcp}\"}} 20",
                $"router_upstream_sessions{{route=\"udp\",upstream=\"{udp}\"}} 1",
                $"router_upstream_sessions_opened_total{{route=\"udp\",upstream=\"{udp}\"}} 1",
                $"router_upstream_connect_duration_seconds_count{{route=\"tcp\",upstream=\"{tcp}\"}} 1",
                "router_upstream_failures_total{route=\"tcp\",upstream=\"127.0.0.1:1\"} 1",
                "router_upstreams{route=\"tcp\",state=\"up\"} 1",
                "router_upstreams{route=\"tcp\",state=\"failed\"} 1",
                "router_io_bytes_total{direction=\"in\",listener=\"udp\",route=\"udp\"} 20",
            },
            sample => Assert.Contains(sample, page));
        Assert.Matches("router_turn_duration_seconds_count{listener=\"(udp|tcp)\",route=\"(udp|tcp)\"} [1-9]", page);
    }

    [Fact]
    public async Task Series_end_with_the_listener_and_the_upstream_that_had_them()
    {
        const string gone = """
            listeners.gone { bind = "udp://127.0.0.1:0", route = gone }
            routes.gone { type = proxy, upstreams = ["127.0.0.1:9"] }
            """;
        var kept = "drain-timeout = 0s\n" + Keys.Replace("echo {", "a-kept {", StringComparison.Ordinal);
        await using var rig = AdminRig.Start($"{kept}\n{gone}");
        await ExchangeAsync(rig, 3);
        using var peer = new Socket(SocketType.Dgram, ProtocolType.Udp);
        var listeners = rig.Engine.Stats.ReadShards();
        await peer.ConnectAsync(
            listeners.Single(static each => each.Listener == "gone").Shard.Address.ToIPEndPoint());
        var page = "";
        for (var tries = 0; !page.Contains("router_turn_duration_seconds_count{listener=\"gone\""); tries++)
        {
            Assert.True(tries < 5_000);
            await peer.SendAsync("hello"u8.ToArray());   // one of its turns is timed some time
            page = await PageAsync(rig);
        }

        Assert.Contains("router_sessions{listener=\"gone\",route=\"gone\"}", page);
        Assert.Contains("router_upstream_sessions{route=\"gone\",upstream=\"127.0.0.1:9\"}", page);

        rig.Write(AdminRig.TextOf(kept));
        Assert.Equal(HttpStatusCode.OK, (await rig.SendAsync(HttpMethod.Post, "/reload")).Status);
        for (var tries = 0; rig.Engine.Stats.ReadShards().Any(static each => each.Listener == "gone"); tries++)
        {
            Assert.True(tries < 100_000);
            await rig.GetAsync("/listeners");
        }

        rig.Engine.Stats.Forget();   // as behind the stats line that has the last of it
        await PageAsync(rig);
        page = await PageAsync(rig);

        Assert.DoesNotContain("\"gone\"", page);
        Assert.Contains("router_sessions_opened_total{listener=\"a-kept\",route=\"echo\"} 2", page);
        Assert.Contains("router_payloads_total{direction=\"in\",listener=\"a-kept\",route=\"echo\"} 6", page);
    }

    [Fact]
    public async Task Who_asks_for_OpenMetrics_gets_that_and_nobody_collects_another_routers_figures()
    {
        await using var rig = AdminRig.Start(Keys);
        await using var other = AdminRig.Start(Keys);
        await ExchangeAsync(other, 1);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Accept.ParseAdd("application/openmetrics-text; version=1.0.0");

        using var reply = await rig.Http.SendAsync(request);

        Assert.Equal("application/openmetrics-text", reply.Content.Headers.ContentType?.MediaType);
        var page = await reply.Content.ReadAsStringAsync();
        Assert.EndsWith("# EOF\n", page);
        Assert.Contains("router_sessions{listener=\"echo\",route=\"echo\"} 0", page);
    }

    [Fact]
    public async Task It_is_read_only()
    {
        await using var rig = AdminRig.Start(Keys);

        using var reply = await rig.Http.PostAsync("/metrics", null);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, reply.StatusCode);
    }

    private static async Task<string> PageAsync(AdminRig rig)
    {
        using var reply = await rig.Http.GetAsync("/metrics");
        Assert.Equal("text/plain", reply.Content.Headers.ContentType?.MediaType);
        Assert.Contains("version=0.0.4", reply.Content.Headers.ContentType!.ToString());
        return await reply.Content.ReadAsStringAsync();
    }

    /// <summary>Five bytes there and back, so many times, over UDP and over TCP.</summary>
    private static async Task ExchangeAsync(AdminRig rig, int times)
    {
        await rig.Engine.Begun;
        using var udp = new Socket(SocketType.Dgram, ProtocolType.Udp);
        using var tcp = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await udp.ConnectAsync(rig.Engine.Bound[0].Address.ToIPEndPoint());
        await tcp.ConnectAsync(rig.Engine.Bound[1].Address.ToIPEndPoint());
        for (var i = 0; i < times; i++)
        {
            Assert.All([udp, tcp], static client => Client.Exchange(client, "hello"u8));
        }
    }

    [GeneratedRegex(@"^([a-z_0-9]+)(\{.*\})? [^ ]+$", RegexOptions.Multiline, 1000)]
    private static partial Regex Sample();

    [GeneratedRegex("([a-z_]+)=\"", RegexOptions.None, 1000)]
    private static partial Regex Label();
}
