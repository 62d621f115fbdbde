using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Tests.Functional;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Tests.Admin;

/// <summary>The log by server-sent events.</summary>
public sealed class EventPathsTests
{
    private const string Bound = "admin.bind = \"127.0.0.1:0\"";

    [Fact]
    public async Task The_latest_events_come_first_and_then_those_that_happen()
    {
        await using var rig = AdminRig.Start(Bound);
        await rig.Log.Seen("admin-listening");
        using var answer = await OpenAsync(rig, "/events?last=1&event=admin-listening,admin-changed");
        await using var events = EventsOf(answer);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("admin-listening", (await NextAsync(events)).GetProperty("event").GetString());

        await rig.SendAsync(HttpMethod.Put, "/log-level", "{\"level\":\"debug\"}");

        var changed = await NextAsync(events);
        Assert.Equal("admin-changed", changed.GetProperty("event").GetString());
        Assert.Equal("log-level", changed.GetProperty("action").GetString());
        Assert.Equal("info", changed.GetProperty("level").GetString());
    }

    [Fact]
    public async Task A_record_with_a_line_of_its_own_is_JSON_with_all_fields()
    {
        await using var rig = AdminRig.Start($"{Bound}\n log.access.format = \"gone: {{peer}}\"");
        await rig.Engine.Begun;
        using var answer = await OpenAsync(rig, "/events?event=session-closed");
        await using var events = EventsOf(answer);
        using var peer = new System.Net.Sockets.UdpClient();
        await peer.SendAsync("x"u8.ToArray(), rig.Engine.Bound[0].Address.ToIPEndPoint());
        await peer.ReceiveAsync();
        var (_, page) = await rig.GetAsync("/sessions");
        var id = page.GetProperty("sessions")[0].GetProperty("session").GetString();

        await rig.SendAsync(HttpMethod.Post, $"/sessions/{id}/close");

        var closed = await NextAsync(events);
        Assert.Equal(id, closed.GetProperty("session").GetString());
        Assert.Equal("admin", closed.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task A_text_that_cannot_be_had_costs_its_record_alone_and_is_told()
    {
        await using var rig = AdminRig.Start(Bound);
        using var answer = await OpenAsync(rig, "/events?event=fault,admin-changed");
        await using var events = EventsOf(answer);

        await Until.TrueAsync(() => rig.Feed.Readers == 1, () => "no reader");
        HostLog.Fault(
            new RecordLogger("Router", TimeProvider.System, static _ => true, rig.Feed.Add),
            new Reporting.Sinks.UnspeakableException(), "a");
        var told = await NextAsync(events);
        await rig.SendAsync(HttpMethod.Put, "/log-level", "{\"level\":\"debug\"}");

        Assert.Equal(
            ("log-lines-dropped", "events", 1),
            (told.GetProperty("event").GetString(), told.GetProperty("sink").GetString(),
                told.GetProperty("count").GetInt32()));
        Assert.Equal("admin-changed", (await NextAsync(events)).GetProperty("event").GetString());
    }

    [Fact]
    public async Task Without_follow_it_ends_behind_the_latest()
    {
        await using var rig = AdminRig.Start(Bound);
        await rig.Log.Seen("admin-listening");

        var text = await rig.Http.GetStringAsync("/events?last=256&follow=false&event=admin-listening");

        Assert.StartsWith("data: {\"time\":", text, StringComparison.Ordinal);
        Assert.EndsWith("}\n\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_is_told_of_what_it_did_not_get()
    {
        await using var rig = AdminRig.Start($"{Bound}\n admin.streams.queue = 16");
        using var answer = await OpenAsync(rig, "/events?event=log-lines-dropped,x");
        await using var events = EventsOf(answer);
        await Until.TrueAsync(() => rig.Feed.Readers == 1, () => "no reader");
        var log = new RecordLogger("Router", TimeProvider.System, static _ => true, rig.Feed.Add);
        const int Said = 100_000;   // much faster than they can be sent

        for (var i = 0; i < Said; i++)
        {
            log.Log(LogLevel.Information, new EventId(1, "x"), 0, null, static (_, _) => "");
        }

        var (got, dropped) = (0L, 0L);
        while (got + dropped < Said)
        {
            var line = await NextAsync(events);
            if (line.TryGetProperty("count", out var count))
            {
                Assert.Equal("events", line.GetProperty("sink").GetString());
                dropped += count.GetInt64();
            }
            else
            {
                got++;
            }
        }

        Assert.Equal(Said, got + dropped);
        Assert.NotEqual(0, dropped);
    }

    [Fact]
    public async Task One_reader_too_many_is_refused_until_another_has_gone()
    {
        await using var rig = AdminRig.Start($"{Bound}\n admin.streams.readers = 1");
        using (await OpenAsync(rig, "/events?last=1"))
        {
            var (status, problem) = await rig.GetAsync("/events");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
            Assert.Contains("router.admin.streams.readers lets 1", problem.GetProperty("detail").GetString());
        }

        await Until.TrueAsync(() => rig.Feed.Readers == 0, () => "the reader that has gone is still there");
        using var again = await OpenAsync(rig, "/events?last=1");
    }

    [Theory]
    [InlineData("level=wanring", "did you mean 'warning'?")]
    [InlineData("last=-1", "256 are kept")]
    [InlineData("follow=maybe", "neither true nor false")]
    [InlineData("levl=info", "did you mean 'level'?")]
    public async Task What_cannot_be_wanted_is_refused(string query, string hint)
    {
        await using var rig = AdminRig.Start(Bound);

        var (status, problem) = await rig.GetAsync($"/events?{query}");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(hint, problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task The_end_of_the_router_is_the_last_that_readers_get()
    {
        await using var rig = AdminRig.Start(Bound);
        using var answer = await OpenAsync(rig, "/events?event=stopped&last=1");
        await using var events = EventsOf(answer);

        await rig.SendAsync(HttpMethod.Post, "/drain");

        Assert.Equal("stopped", (await NextAsync(events)).GetProperty("event").GetString());
        Assert.False(await events.MoveNextAsync());
    }

    private static async Task<HttpResponseMessage> OpenAsync(AdminRig rig, string path)
    {
        var answer = await rig.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return answer;
    }

    private static IAsyncEnumerator<SseItem<string>> EventsOf(HttpResponseMessage answer) =>
        SseParser.Create(answer.Content.ReadAsStream()).EnumerateAsync().GetAsyncEnumerator();

    private static async Task<JsonElement> NextAsync(IAsyncEnumerator<SseItem<string>> events)
    {
        Assert.True(await events.MoveNextAsync());
        using var document = JsonDocument.Parse(events.Current.Data);
        return document.RootElement.Clone();
    }
}
