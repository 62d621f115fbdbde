using System.Globalization;
using System.Text.Json.Nodes;
using Router.CommandLine.Top;

namespace Router.Tests.CommandLine.Top;

/// <summary>What a router answers, and what its log has.</summary>
internal static class TopSamples
{
    /// <summary>After so many seconds, with 10 payloads in a second, two drops, and so on.</summary>
    public static JsonObject Stats(int second, int sessions = 3) => Parse($$"""
        {
          "version": "1.2.3", "time": "2030-01-02T03:04:05.678Z", "uptime-ms": {{second * 1000}}, "state": "running",
          "total": {
            "sessions": {{sessions}}, "opened": {{second * 4}}, "closed": {{second * 3}},
            "payloads-in": {{second * 10}},
            "bytes-in": {{second * 2048}}, "payloads-out": {{second * 9}}, "bytes-out": {{second * 1024}},
            "drops": {{second * 2}}, "drop-reasons": { "max-sessions": {{second * 2}}, "closing": 1 }
          },
          "listeners": [
            { "name": "echo", "sessions": {{sessions}}, "payloads-in": {{second * 10}}, "payloads-out": {{second * 9}},
              "drops": {{second * 2}} }
          ],
          "routes": [{ "name": "back", "sessions": 1, "payloads-in": 0, "payloads-out": 0, "drops": 0 }]
        }
        """);

    public static JsonObject Upstreams { get; } = Parse("""
        { "groups": [{ "route": "back", "upstreams": [
          { "upstream": "10.0.0.1:53", "state": "up", "weight": 100, "sessions": 7 },
          { "upstream": "10.0.0.2:53", "state": "failed", "weight": 100, "sessions": 0 } ] }] }
        """);

    /// <summary>A page of so many, <c>192.0.2.1</c> and on, of more.</summary>
    public static JsonObject Sessions(int count, string more = "") => new()
    {
        ["matched"] = count * 10,
        ["sessions"] = new JsonArray([.. Enumerable.Range(1, count).Select(number => (JsonNode)Parse(string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            { "session": "{{number:x32}}", "listener": "echo", "transport": "udp",
              "peer": "192.0.2.{{number}}:5000{{more}}",
              "route": "back", "upstream": "10.0.0.1:53", "age-ms": 61000, "idle-ms": 5, "payloads-in": 2,
              "payloads-out": 2, "bytes-in": 2048, "bytes-out": 1024, "drops": 0, "bytes-per-second": 300 }
            """)))]),
    };

    public static JsonObject Event(string text) => Parse(text);

    /// <summary>A model as of a router that runs, with so many sessions shown.</summary>
    public static TopModel Model(int sessions)
    {
        var model = new TopModel { Source = "http://127.0.0.1:27124" };
        var live = new TopLive(model);
        live.ApplyStats(Stats(1));
        live.ApplyStats(Stats(2));
        live.ApplyUpstreams(Upstreams);
        live.ApplySessions(Sessions(sessions));
        model.Add(TopEvent.Of(Event("""
            { "time": "2030-01-02T03:04:05.678Z", "level": "warning", "event": "drops", "listener": "echo" }
            """)));
        return model;
    }

    private static JsonObject Parse(string text) => JsonNode.Parse(text)!.AsObject();
}
