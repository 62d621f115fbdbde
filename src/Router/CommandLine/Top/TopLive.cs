using System.Text.Json.Nodes;

namespace Router.CommandLine.Top;

/// <summary>Makes a model of what a running router answers.</summary>
internal sealed class TopLive(TopModel model)
{
    private JsonObject? _before;

    /// <summary>Takes an answer of <c>/stats</c>; rates are those since the one before.</summary>
    public void ApplyStats(JsonObject now)
    {
        var before = _before is { } old && old.Number("uptime-ms") < now.Number("uptime-ms") ? old : null;
        var seconds = before is null ? 0 : (now.Number("uptime-ms") - before.Number("uptime-ms")) / 1000.0;
        _before = now;
        (model.Version, model.State) = (now.Text("version"), now.Text("state"));
        model.Time = now.Text("time");
        model.UptimeMs = now.Number("uptime-ms");
        model.Note = null;
        var (total, last) = (now["total"] as JsonObject ?? [], before?["total"] as JsonObject);
        model.Sessions.Add(total.Number("sessions"));
        if (before is not null)
        {
            model.Opened.Add(Rate(total, last, "opened", seconds));
            model.Closed.Add(Rate(total, last, "closed", seconds));
            model.PayloadsIn.Add(Rate(total, last, "payloads-in", seconds));
            model.PayloadsOut.Add(Rate(total, last, "payloads-out", seconds));
            model.BytesIn.Add(Rate(total, last, "bytes-in", seconds));
            model.BytesOut.Add(Rate(total, last, "bytes-out", seconds));
            model.Drops.Add(Rate(total, last, "drops", seconds));
        }

        model.Listeners = [.. TrafficOf(now, before, "listeners", seconds)];
        model.Routes = [.. TrafficOf(now, before, "routes", seconds)];
        model.DropReasons = [.. DropsOf(total, last, seconds)];
    }

    /// <summary>Takes an answer of <c>/upstreams</c>.</summary>
    public void ApplyUpstreams(JsonObject answer) => model.Upstreams =
    [
        .. from @group in answer.Objects("groups")
           from upstream in @group.Objects("upstreams")
           select new TopUpstream(
               @group.Text("route"), upstream.Text("upstream"), upstream.Text("state"), upstream.Number("sessions")),
    ];

    /// <summary>Takes a page of <c>/sessions</c>.</summary>
    public void ApplySessions(JsonObject page)
    {
        model.Matched = page.Number("matched");
        model.TopSessions =
        [
            .. page.Objects("sessions").Select(static one => new TopSession(
                one.Text("session"), one.Text("peer"), one.Text("listener"), one.Text("route"),
                one.TextOrNull("upstream"), one.Number("age-ms"), one.Number("idle-ms"),
                one.Number("payloads-in"), one.Number("payloads-out"), one.Number("bytes-in"),
                one.Number("bytes-out"), one.Number("drops"), one.NumberOrNull("bytes-per-second"), Closed: null)),
        ];
    }

    private static double Rate(JsonObject now, JsonObject? before, string key, double seconds) =>
        before is null || seconds <= 0 ? 0 : Math.Max(0, now.Number(key) - before.Number(key)) / seconds;

    private static IEnumerable<TopTraffic> TrafficOf(JsonObject now, JsonObject? before, string key, double seconds) =>
        now.Objects(key).Select(part =>
        {
            var was = before?.Objects(key).FirstOrDefault(other => other.Text("name") == part.Text("name"));
            return new TopTraffic(
                part.Text("name"), part.Number("sessions"), Rate(part, was, "payloads-in", seconds),
                Rate(part, was, "payloads-out", seconds), part.Number("drops"));
        });

    private static IEnumerable<TopDrop> DropsOf(JsonObject total, JsonObject? before, double seconds)
    {
        var (now, was) = (total["drop-reasons"] as JsonObject ?? [], before?["drop-reasons"] as JsonObject);
        return now
            .Select(pair => new TopDrop(
                Diagnostics.LineText.Escape(pair.Key), now.Number(pair.Key),
                Rate(now, was ?? (before is null ? null : []), pair.Key, seconds)))
            .OrderByDescending(static drop => drop.Count);
    }
}
