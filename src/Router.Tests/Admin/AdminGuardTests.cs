using System.Net;
using Microsoft.AspNetCore.Http;
using Router.Admin;

namespace Router.Tests.Admin;

/// <summary>Who may ask.</summary>
public sealed class AdminGuardTests
{
    private const string Token = "0123456789abcdef";

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST:27124", true)]
    [InlineData("127.0.0.1:27124", true)]
    [InlineData("127.9.9.9", true)]
    [InlineData("[::1]:1", true)]
    [InlineData("[::ffff:127.0.0.1]:1", true)]
    [InlineData("", false)]
    [InlineData("evil.example", false)]
    [InlineData("127.0.0.1.evil.example:27124", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("192.0.2.1:27124", false)]
    [InlineData("0.0.0.0:27124", false)]
    [InlineData("[::]:27124", false)]
    public void Hosts_of_this_machine_alone_are_loopback(string host, bool isLoopback) =>
        Assert.Equal(isLoopback, AdminGuard.IsLoopback(new HostString(host)));

    [Fact]
    public async Task Without_a_token_the_host_is_this_machine_and_a_change_comes_from_no_strange_page()
    {
        await using var rig = AdminRig.Start("admin.bind = \"127.0.0.1:0\"");
        var own = rig.Http.BaseAddress!.GetLeftPart(UriPartial.Authority);

        Assert.Equal(HttpStatusCode.OK, (await rig.GetAsync("/stats")).Status);
        Assert.Equal(HttpStatusCode.OK, (await rig.GetAsync("/stats", ("Host", "localhost:1"))).Status);
        var (status, problem) = await rig.GetAsync("/stats", ("Host", "evil.example:27124"));
        Assert.Equal(HttpStatusCode.MisdirectedRequest, status);
        Assert.Contains("not 'evil.example:27124'", problem.GetProperty("detail").GetString());
        Assert.Equal(421, (int)(await rig.GetAsync("/live", ("Host", "evil.example"))).Status);

        Assert.Equal(HttpStatusCode.Forbidden, await ChangeAsync(("Origin", "http://evil.example")));
        Assert.Equal(HttpStatusCode.Forbidden, await ChangeAsync(("Origin", "null")));
        Assert.Equal(HttpStatusCode.Forbidden, await ChangeAsync(("Sec-Fetch-Site", "cross-site"), ("Origin", own)));
        Assert.Equal(HttpStatusCode.Forbidden, await ChangeAsync(("Sec-Fetch-Site", "same-site")));
        Assert.Equal(HttpStatusCode.Forbidden, await ChangeAsync(("Origin", own), ("Origin", "http://evil.example")));
        Assert.Equal(HttpStatusCode.Forbidden, await ChangeAsync(
            ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")));
        Assert.Equal(HttpStatusCode.OK, await ChangeAsync(("Origin", own)));
        Assert.Equal(HttpStatusCode.OK, await ChangeAsync(("Sec-Fetch-Site", "same-origin")));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, await ChangeAsync(("Content-Type", "text/plain")));
        Assert.Equal(1, rig.Log.Count("admin-refused"));   // at most one a second, and all this took less

        async Task<HttpStatusCode> ChangeAsync(params (string Name, string Value)[] headers) =>
            (await rig.SendAsync(HttpMethod.Put, "/log-level", "{\"level\":\"info\"}", headers)).Status;
    }

    [Fact]
    public async Task Without_a_token_a_strange_page_leads_here_and_asks_nothing()
    {
        await using var rig = AdminRig.Start("admin.bind = \"127.0.0.1:0\"");

        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync("/events", "cross-site", "no-cors"));
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync("/sessions?sort=rate", "same-site", "cors"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync("/stats", "cross-site", "navigate", "document"));
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync("/events", "cross-site", "navigate", "iframe"));
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync("/events", "cross-site", "navigate", "object"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync("/stats", "same-origin", "cors"));
        Assert.Equal(
            HttpStatusCode.Forbidden, (await rig.GetAsync("/stats", ("Origin", "http://evil.example"))).Status);

        async Task<HttpStatusCode> AskAsync(string path, string site, string mode, string dest = "empty") =>
            (await rig.GetAsync(
                path, ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", dest))).Status;
    }

    [Fact]
    public async Task With_a_token_every_request_needs_it_but_for_life_and_readiness()
    {
        await using var rig = AdminRig.Start($"admin {{ bind = \"127.0.0.1:0\", token = {Token} }}");

        Assert.Equal(HttpStatusCode.OK, (await rig.GetAsync("/live")).Status);
        Assert.Equal(HttpStatusCode.OK, (await rig.GetAsync("/ready", ("Host", "router.example"))).Status);
        var (status, problem) = await rig.GetAsync("/stats");
        Assert.Equal(HttpStatusCode.Unauthorized, status);
        Assert.Contains("Authorization: Bearer", problem.GetProperty("detail").GetString());
        Assert.Equal(401, (int)(await rig.GetAsync("/stats", ("Authorization", $"Bearer {Token}x"))).Status);
        Assert.Equal(401, (int)(await rig.GetAsync("/nothing", ("Authorization", Token))).Status);
        Assert.Equal(200, (int)(await rig.GetAsync(
            "/stats", ("Authorization", $"Bearer {Token}"), ("Host", "router.example"))).Status);

        var (_, config) = await rig.GetAsync("/config", ("Authorization", $"Bearer {Token}"));
        Assert.Equal("***", config.GetProperty("router").GetProperty("admin").GetProperty("token").GetString());
        Assert.DoesNotContain(rig.Log.Texts("admin-refused"), text => text.Contains(Token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_cannot_be_answered_is_a_problem_that_says_what_to_do()
    {
        await using var rig = AdminRig.Start("admin.bind = \"127.0.0.1:0\"");

        var (missing, what) = await rig.GetAsync("/nothing");
        Assert.Equal(HttpStatusCode.NotFound, missing);
        Assert.Equal("/nothing", what.GetProperty("instance").GetString());
        Assert.Contains("/ lists all paths", what.GetProperty("detail").GetString());

        var (method, allowed) = await rig.SendAsync(HttpMethod.Post, "/stats");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, method);
        Assert.Contains("takes GET, HEAD, not POST", allowed.GetProperty("detail").GetString());

        Assert.Equal(400, (int)(await PutAsync("{\"level\":\"loud\"}")).Status);
        Assert.Contains("none of trace", (await PutAsync("{\"level\":\"loud\"}")).Detail);
        Assert.Equal(400, (int)(await PutAsync("{\"level\":")).Status);
        Assert.Equal(400, (int)(await PutAsync("null")).Status);
        Assert.Equal(
            "'level' of the body is of another type than /openapi.json says", (await PutAsync("{\"level\":1}")).Detail);
        Assert.Contains("no 'levle'; did you mean 'level'", (await PutAsync("{\"levle\":\"info\"}")).Detail);
        Assert.Contains("Duplicate", (await PutAsync("{\"level\":\"info\",\"level\":\"debug\"}")).Detail);
        var (form, hint) = await rig.SendAsync(
            HttpMethod.Put, "/log-level", "level=info", ("Content-Type", "application/x-www-form-urlencoded"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, form);
        Assert.Contains("-H 'Content-Type: application/json'", hint.GetProperty("detail").GetString());
        Assert.Equal(HttpStatusCode.OK, (await rig.SendAsync(
            HttpMethod.Put, "/log-level", "{\"level\":\"info\"}",
            ("Content-Type", "application/json; charset=utf-7"))).Status);
        Assert.Equal(0, rig.Log.Count("fault"));
        Assert.Equal(413, (int)(await PutAsync($"{{\"level\":\"{new string('x', 70_000)}\"}}")).Status);

        async Task<(HttpStatusCode Status, string Detail)> PutAsync(string body)
        {
            var (status, problem) = await rig.SendAsync(HttpMethod.Put, "/log-level", body);
            return (status, problem.GetProperty("detail").GetString()!);
        }
    }
}
