using System.Net;
using System.Text.RegularExpressions;
using Router.Tests.Tidy;

namespace Router.Tests.Admin;

/// <summary>What the paths answer, and that the page and the OpenAPI document have them all.</summary>
public sealed partial class AdminPathsTests
{
    [Fact]
    public async Task Figures_are_of_the_router_its_parts_and_the_process()
    {
        await using var rig = AdminRig.Start("admin.bind = \"127.0.0.1:0\"");
        await rig.Engine.Begun;

        var (_, stats) = await rig.GetAsync("/stats");

        Assert.Equal("running", stats.GetProperty("state").GetString());
        Assert.Equal(1, stats.GetProperty("revision").GetInt64());
        Assert.Equal("e", stats.GetProperty("listeners")[0].GetProperty("name").GetString());
        Assert.Equal("e", stats.GetProperty("routes")[0].GetProperty("name").GetString());
        Assert.Equal(0, stats.GetProperty("total").GetProperty("sessions").GetInt32());
        var loop = Assert.Single(stats.GetProperty("loops").EnumerateArray());
        Assert.Equal(1, loop.GetProperty("sockets").GetInt32());
        Assert.InRange(loop.GetProperty("lag-us").GetInt64(), 0, 1_000_000);
        Assert.Equal(Environment.ProcessId, stats.GetProperty("process").GetProperty("pid").GetInt32());
    }

    [Fact]
    public async Task It_is_not_live_while_a_loop_stands_still()
    {
        await using var rig = AdminRig.Start("admin.bind = \"127.0.0.1:0\"");
        Assert.Equal(HttpStatusCode.OK, (await rig.GetAsync("/live")).Status);
        using var release = new ManualResetEventSlim();
        rig.Engine.Loops[0].Enqueue(new ActionRunnable(release.Wait));

        var (status, report) = await rig.GetAsync("/live");
        release.Set();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal("loop-0-stalled", report.GetProperty("reasons")[0].GetString());
        Assert.Equal(HttpStatusCode.OK, (await rig.GetAsync("/live")).Status);
    }

    [Fact]
    public async Task It_is_not_ready_from_a_drain_on_and_answers_until_the_end()
    {
        await using var rig = AdminRig.Start("admin.bind = \"127.0.0.1:0\"\n drain-timeout = 30s");
        await rig.Engine.Begun;
        using var peer = new System.Net.Sockets.UdpClient();
        var router = rig.Engine.Bound[0].Address.ToIPEndPoint();
        await peer.SendAsync("stay"u8.ToArray(), router);
        await peer.ReceiveAsync();
        using var held = new ManualResetEventSlim();
        Assert.Equal(HttpStatusCode.OK, (await rig.GetAsync("/ready")).Status);
        rig.Engine.Loops[0].Enqueue(new ActionRunnable(held.Wait));   // so that its session stays

        var (drained, report) = await rig.SendAsync(HttpMethod.Post, "/drain");
        var (status, ready) = await rig.GetAsync("/ready");
        held.Set();

        Assert.Equal(HttpStatusCode.Accepted, drained);
        Assert.Equal(1, report.GetProperty("sessions").GetInt32());
        Assert.Equal(30_000, report.GetProperty("timeout-ms").GetInt32());
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal("draining", ready.GetProperty("reasons")[0].GetString());
        await rig.Engine.Ended;
        Assert.Contains("asked for drain", Assert.Single(rig.Log.Texts("admin-changed")));
    }

    /// <summary>RFC 9110, 9.3.2.</summary>
    [Theory]
    [InlineData("/live", HttpStatusCode.OK)]
    [InlineData("/ready", HttpStatusCode.OK)]
    [InlineData("/sessions", HttpStatusCode.OK)]
    [InlineData("/metrics", HttpStatusCode.OK)]
    [InlineData("/openapi.json", HttpStatusCode.OK)]
    [InlineData("/", HttpStatusCode.OK)]
    [InlineData("/sessions/17", HttpStatusCode.BadRequest)]
    [InlineData("/events", HttpStatusCode.MethodNotAllowed)]
    [InlineData("/drain", HttpStatusCode.MethodNotAllowed)]
    public async Task HEAD_has_the_status_of_GET_and_no_body(string path, HttpStatusCode status)
    {
        await using var rig = AdminRig.Start("admin.bind = \"127.0.0.1:0\"");

        using var request = new HttpRequestMessage(HttpMethod.Head, path);
        using var response = await rig.Http.SendAsync(request);

        Assert.Equal(status, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
        Assert.False(rig.Engine.IsStopping);
    }

    [Theory]
    [InlineData("/", "text/html", "text/html")]
    [InlineData("/", "application/json", "application/json")]
    [InlineData("/openapi.json", "*/*", "application/json")]
    public async Task HEAD_has_the_type_and_the_policy_of_GET(string path, string accept, string type)
    {
        await using var rig = AdminRig.Start("admin.bind = \"127.0.0.1:0\"");

        var (get, head) = (await AskAsync(HttpMethod.Get), await AskAsync(HttpMethod.Head));

        Assert.Equal(type, get.Type);
        Assert.Equal(get, head);

        async Task<(string? Type, string Policy)> AskAsync(HttpMethod method)
        {
            using var request = new HttpRequestMessage(method, path);
            request.Headers.Add("Accept", accept);
            using var response = await rig.Http.SendAsync(request);
            return (
                response.Content.Headers.ContentType?.MediaType,
                response.Headers.TryGetValues("Content-Security-Policy", out var policy) ? policy.Single() : "");
        }
    }

    [Fact]
    public async Task The_log_level_holds_until_the_next_reload()
    {
        await using var rig = AdminRig.Start("admin.bind = \"127.0.0.1:0\"");
        rig.Engine.OnReloaded = options => rig.Level.Set(options.Log.Level);

        var (_, changed) = await rig.SendAsync(HttpMethod.Put, "/log-level", "{\"level\":\"debug\"}");
        Assert.Equal("debug", changed.GetProperty("level").GetString());
        Assert.Equal("debug", (await rig.GetAsync("/log-level")).Body.GetProperty("level").GetString());
        Assert.Contains("log-level of", Assert.Single(rig.Log.Texts("admin-changed")));

        await rig.SendAsync(HttpMethod.Post, "/reload");
        Assert.Equal("info", (await rig.GetAsync("/log-level")).Body.GetProperty("level").GetString());
    }

    [Fact]
    public async Task A_reload_answers_what_has_changed_or_all_faults()
    {
        await using var rig = AdminRig.Start("admin.bind = \"127.0.0.1:0\"");

        rig.Write(AdminRig.TextOf("admin.bind = \"127.0.0.1:1\"\n drain-timeout = 3s"));
        var (status, report) = await rig.SendAsync(HttpMethod.Post, "/reload");
        Assert.Equal((HttpStatusCode.OK, 2), (status, report.GetProperty("revision").GetInt32()));
        Assert.Equal(
            ["router.drain-timeout", "router.admin.bind"],
            report.GetProperty("changed").EnumerateArray().Select(static key => key.GetString()));
        Assert.Equal("router.admin.bind", Assert.Single(
            report.GetProperty("need-restart").EnumerateArray().Select(static key => key.GetString())));

        rig.Write(AdminRig.TextOf("lops = 1\n drain-timeout = never"));
        (status, report) = await rig.SendAsync(HttpMethod.Post, "/reload");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Equal(2, report.GetProperty("faults").GetArrayLength());
        Assert.Contains("nothing has changed", report.GetProperty("detail").GetString());
        Assert.Equal(2, rig.Engine.Revision);
    }

    [Fact]
    public async Task A_router_without_a_cluster_says_so()
    {
        await using var rig = AdminRig.Start("admin.bind = \"127.0.0.1:0\"");
        foreach (var (method, path) in new[]
        {
            (HttpMethod.Get, "/cluster"), (HttpMethod.Get, "/cluster/identities"),
            (HttpMethod.Get, "/cluster/identity?name=a"), (HttpMethod.Post, "/cluster/reload"),
            (HttpMethod.Get, "/sessions?cluster=true"),
        })
        {
            var (status, problem) = await rig.SendAsync(method, path);
            Assert.Equal(HttpStatusCode.NotFound, status);
            Assert.StartsWith("this router is a member of no cluster", problem.GetProperty("detail").GetString());
        }

        Assert.Equal(HttpStatusCode.OK, (await rig.GetAsync("/sessions?cluster=false")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await rig.GetAsync("/sessions?cluster=yes")).Status);
    }

    [Fact]
    public async Task The_page_and_the_OpenAPI_document_have_every_path()
    {
        await using var rig = AdminRig.Start("admin.bind = \"127.0.0.1:0\"");
        var (_, index) = await rig.GetAsync("/");
        var paths = index.GetProperty("paths").EnumerateArray()
            .Select(static path => $"{path.GetProperty("method")} {path.GetProperty("path")}")
            .Append("GET /openapi.json")
            .Append("GET /")
            .Order(StringComparer.Ordinal)
            .ToList();

        var rows = Row().Matches(Repository.Read("docs/admin.md")).Select(static row => row.Groups[1].Value);
        Assert.Equal(paths, rows.Order(StringComparer.Ordinal));

        var (_, document) = await rig.GetAsync("/openapi.json");
        var described =
            from path in document.GetProperty("paths").EnumerateObject()
            from method in path.Value.EnumerateObject()
            select $"{method.Name.ToUpperInvariant()} {path.Name}";
        Assert.Equal(paths.Where(static path => path != "GET /openapi.json"), described.Order(StringComparer.Ordinal));
        Assert.True(document.GetProperty("components").GetProperty("schemas").GetProperty("StatsReport")
            .GetProperty("properties").TryGetProperty("uptime-ms", out _));
    }

    [GeneratedRegex(@"^\| `((?:GET|PUT|POST|DELETE) [^` ]+)` \|", RegexOptions.Multiline, 1000)]
    private static partial Regex Row();
}
