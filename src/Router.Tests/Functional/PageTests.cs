using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using Router.Diagnostics;
using Router.Tests.Admin;
using static Microsoft.Playwright.Assertions;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Tests.Functional;

/// <summary>The page of the admin endpoint, in the system's Chromium.</summary>
[Collection(ProgramTests.Name)]
public sealed class PageTests(Browser browser) : IClassFixture<Browser>
{
    private const string Token = "0123456789abcdef";
    private const string Hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>";

    /// <summary>A folder that gets the pictures of docs/; see DEVELOPERS.md.</summary>
    private static readonly string? Pictures = Environment.GetEnvironmentVariable("ROUTER_PICTURES");

    [RequiresToolFact("chromium")]
    public async Task It_shows_what_happens_and_text_of_others_stays_text()
    {
        await using var rig = await StartAsync();
        var (page, faults) = await browser.OpenAsync();
        var asked = new List<string>();
        page.Request += (_, request) => asked.Add(request.Url);
        await page.GotoAsync(rig.Http.BaseAddress!.ToString());
        await Expect(page.Locator("#link")).ToHaveTextAsync("live");
        await Expect(page.Locator("#state")).ToHaveTextAsync("running");
        await Expect(page.Locator(".tile")).ToHaveCountAsync(6);
        await Expect(page.Locator("#upstream-table")).ToContainTextAsync("● up");
        await Expect(page.Locator("#cluster")).ToBeHiddenAsync();
        await Expect(page.Locator("#event-list li").First).ToBeVisibleAsync();

        using var peers = await PeersAsync(rig, 25);
        Say(rig, LogLevel.Error, "odd", Hostile);

        await Expect(page.Locator("#session-count")).ToHaveTextAsync("20 of 25 sessions");
        await Expect(page.Locator("#listener-table")).ToContainTextAsync("25");
        var line = page.Locator("#event-list li").First;
        await Expect(line).ToContainTextAsync($"odd field={Hostile}");
        await Expect(line).ToContainTextAsync("✖ error");
        Assert.Equal(0, await page.Locator("main script, main img").CountAsync());
        await page.FillAsync("#event-text", "nothing has this");
        await Expect(page.Locator("#event-list li")).ToHaveCountAsync(0);
        Assert.Empty(faults);
        Assert.All(asked, url => Assert.StartsWith(rig.Http.BaseAddress.ToString(), url, StringComparison.Ordinal));
    }

    [RequiresToolFact("chromium")]
    public async Task Sessions_are_searched_paged_opened_and_closed_by_keys()
    {
        await using var rig = await StartAsync();
        using var peers = await PeersAsync(rig, 25);
        var (page, faults) = await browser.OpenAsync();
        await page.GotoAsync(rig.Http.BaseAddress!.ToString());
        var rows = page.Locator("#session-table tbody tr");
        await Expect(rows).ToHaveCountAsync(20);

        await page.Keyboard.PressAsync("n");
        await Expect(rows).ToHaveCountAsync(5);
        await page.Keyboard.PressAsync("/");
        await Expect(page.Locator("#query")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("listener:nobody");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#session-count")).ToHaveTextAsync("0 sessions");
        var peer = ((IPEndPoint)peers.First.LocalEndPoint!).ToString();
        await page.FillAsync("#query", peer);
        await page.Keyboard.PressAsync("Enter");
        await Expect(rows).ToHaveCountAsync(1);
        await page.FillAsync("#query", "not-an-address");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#session-count")).ToContainTextAsync("not-an-address");
        await page.FillAsync("#query", "listener:echo");
        await page.Keyboard.PressAsync("Enter");
        await Expect(rows).ToHaveCountAsync(20);
        await page.Keyboard.PressAsync("Escape");

        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("k");
        await Expect(rows.First).ToHaveAttributeAsync("aria-selected", "true");
        var id = await rows.First.GetAttributeAsync("data-id");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#session-facts")).ToContainTextAsync(id!);
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator("#session-dialog")).ToBeHiddenAsync();

        await page.Keyboard.PressAsync("c");
        await Expect(page.Locator("#session-close")).ToHaveTextAsync("Yes, close it");
        Assert.Equal(0, rig.Log.Count("admin-changed"));   // so far nothing is closed
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#session-note")).ToHaveTextAsync("The session is closed.");
        await Expect(page.Locator("#event-list")).ToContainTextAsync($"admin-changed");
        Assert.Contains(id!, Assert.Single(rig.Log.Texts("admin-changed")), StringComparison.Ordinal);
        Assert.DoesNotContain(faults, static fault => !fault.Contains("400 (Bad Request)", StringComparison.Ordinal));
    }

    [RequiresToolFact("chromium")]
    public async Task A_token_is_asked_for_and_kept_in_the_tab_alone()
    {
        await using var rig = await StartAsync($"token = \"{Token}\"");
        var (page, _) = await browser.OpenAsync();
        var answer = await page.GotoAsync(rig.Http.BaseAddress!.ToString());
        Assert.Equal(200, answer!.Status);
        await Expect(page.Locator("#token-dialog")).ToBeVisibleAsync();

        await page.FillAsync("#token", "fedcba9876543210");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#token-note")).ToContainTextAsync("is not the one");
        await page.FillAsync("#token", Token);
        await page.Keyboard.PressAsync("Enter");

        await Expect(page.Locator("#link")).ToHaveTextAsync("live");
        Assert.Equal("0", await page.EvaluateAsync<string>("String(localStorage.length + document.cookie.length)"));
        Assert.DoesNotContain(Token, page.Url, StringComparison.Ordinal);
        var (status, _) = await rig.GetAsync("/");   // for programs
        Assert.Equal(HttpStatusCode.Unauthorized, status);
    }

    [RequiresToolTheory("chromium")]
    [InlineData(1280, false, "light")]
    [InlineData(1280, true, "dark")]
    [InlineData(400, false, "narrow")]
    public async Task It_fits_and_everything_has_a_name(int width, bool isDark, string name)
    {
        await using var rig = await StartAsync();
        using var peers = await PeersAsync(rig, Pictures is null ? 3 : 64);
        var (page, faults) = await browser.OpenAsync(width, isDark);
        await page.GotoAsync(rig.Http.BaseAddress!.ToString());
        await Expect(page.Locator("#link")).ToHaveTextAsync("live");
        await Expect(page.Locator("#session-table tbody tr").First).ToBeVisibleAsync();

        Assert.Equal(width, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.Equal("", await page.EvaluateAsync<string>("""
            [...document.querySelectorAll('input, select, button')]
              .filter(one => !(one.labels && one.labels.length) && !one.textContent.trim() && !one.ariaLabel)
              .map(one => one.outerHTML).join('\n')
            """));
        Assert.Equal("", await page.EvaluateAsync<string>("""
            [...document.querySelectorAll('[role=region], ol[tabindex], section')]
              .filter(one => !one.getAttribute('aria-label'))
              .filter(one => !document.getElementById(one.getAttribute('aria-labelledby')))
              .map(one => one.outerHTML).join('\n')
            """));
        Assert.Empty(faults);
        await PictureAsync(page, rig, peers, name);
    }

    [RequiresToolFact("chromium")]
    public async Task Members_of_a_cluster_are_shown_where_there_is_one()
    {
        await using var rig = await StartAsync();
        var stats = JsonNode.Parse(await rig.Http.GetStringAsync("/stats"))!;
        stats["cluster"] = JsonNode.Parse("""
            { "address": "a:1", "status": "up", "members": 2, "unreachable": 1, "fenced": false, "attached": 3 }
            """);
        var (page, _) = await browser.OpenAsync();
        await AnswerAsync(page, "**/stats/stream", $"data: {stats.ToJsonString()}\n\n");
        await AnswerAsync(page, "**/cluster", """
            { "member": "a:1", "unanswered": [], "members": [
              { "address": "a:1", "roles": [], "status": "up", "reachable": true, "leader": true, "oldest": false,
                "facts": { "ready": true, "reasons": [], "revision": 4, "sessions": 1200, "identities": 5 } },
              { "address": "b:1", "roles": [], "status": "up", "reachable": false, "leader": false, "oldest": false,
                "facts": null } ] }
            """);

        await page.GotoAsync(rig.Http.BaseAddress!.ToString());

        await Expect(page.Locator("#cluster-facts")).ToContainTextAsync("2 members, 1 unreachable");
        var members = page.Locator("#member-table tbody tr");
        await Expect(members).ToHaveCountAsync(2);
        await Expect(members.First).ToHaveTextAsync("a:1● up, leader1.2k54");
        await Expect(members.Last).ToHaveTextAsync("b:1✖ up, unreachable---");
    }

    [RequiresToolFact("chromium")]
    public async Task Its_policy_lets_nothing_else_run()
    {
        await using var rig = await StartAsync();
        var (page, faults) = await browser.OpenAsync();
        var answer = await page.GotoAsync(rig.Http.BaseAddress!.ToString());
        var policy = (await answer!.AllHeadersAsync())["content-security-policy"];
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.StartsWith("default-src 'none'; connect-src 'self';", policy, StringComparison.Ordinal);

        await page.EvaluateAsync($"document.body.insertAdjacentHTML('beforeend', {Quoted(Hostile)})");

        await Until.TrueAsync(() => faults.Count > 0, () => "nothing is refused");
        Assert.All(faults, static fault => Assert.Contains("Content Security Policy", fault, StringComparison.Ordinal));
    }

    private static Task AnswerAsync(IPage page, string path, string body) => page.RouteAsync(
        path, route => route.FulfillAsync(new RouteFulfillOptions { Body = body, ContentType = "application/json" }));

    private static string Quoted(string text) => $"`{text}`";

    private static async Task<AdminRig> StartAsync(string more = "")
    {
        // A port that nobody has any more stands for a service that is down.
        using var free = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var rig = AdminRig.Start($$"""
            admin { bind = "127.0.0.1:0", {{more}} }
            listeners {
              echo { bind = "udp://127.0.0.1:0", route = echo }
              dns { bind = "udp://127.0.0.1:0", route = dns, max-sessions = 4 }
            }
            routes {
              echo.type = echo
              dns { type = proxy, upstreams = ["127.0.0.1:{{((IPEndPoint)free.Client.LocalEndPoint!).Port}}"] }
            }
            """);
        await rig.Engine.Begun;
        return rig;
    }

    private static void Say(AdminRig rig, LogLevel level, string name, string value) =>
        new RecordLogger("Router", TimeProvider.System, static _ => true, rig.Feed.Add).Log(
            level, new EventId(1, name), new KeyValuePair<string, object?>[] { new("Field", value) }, null,
            static (_, _) => "");

    private static async Task<Peers> PeersAsync(AdminRig rig, int count)
    {
        var peers = new Peers(rig.Engine.Bound[0].Address.ToIPEndPoint(), count);
        await peers.SpeakAsync();
        return peers;
    }

    private static async Task PictureAsync(IPage page, AdminRig rig, Peers peers, string name)
    {
        if (Pictures is null)
        {
            return;
        }

        using var unheard = new Peers(rig.Engine.Bound[1].Address.ToIPEndPoint(), 6);
        for (var round = 0; round < 40; round++)
        {
            await unheard.SendAsync();
            await peers.SpeakAsync();
            await page.WaitForTimeoutAsync(500);
        }

        await page.ScreenshotAsync(new PageScreenshotOptions
        {
            Path = Path.Combine(Pictures, $"page-{name}.png"),
            FullPage = true,
        });
    }

    /// <summary>Peers of an echo, each with a session.</summary>
    private sealed class Peers : IDisposable
    {
        private readonly List<UdpClient> _clients = [];
        private int _round;

        public Peers(IPEndPoint router, int count)
        {
            for (var i = 0; i < count; i++)
            {
                var client = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
                client.Connect(router);
                _clients.Add(client);
            }
        }

        public Socket First => _clients[0].Client;

        public Task SendAsync() =>
            Task.WhenAll(_clients.Select(static client => client.SendAsync("lost"u8.ToArray(), 4)));

        public async Task SpeakAsync()
        {
            _round++;
            foreach (var (at, client) in _clients.Index())
            {
                for (var i = 0; i <= (at * _round * 7) % 5; i++)
                {
                    await client.SendAsync(Encoding.UTF8.GetBytes(new string('x', 10 + at)));
                    await client.ReceiveAsync();
                }
            }
        }

        public void Dispose() => _clients.ForEach(static client => client.Dispose());
    }
}
