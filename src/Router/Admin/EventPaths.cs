using System.Buffers;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Router.Diagnostics;
using Router.Reporting;

namespace Router.Admin;

/// <summary>The log as it is written, by server-sent events: <c>data:</c> and a JSON object each.</summary>
internal sealed class EventPaths(AdminHost host)
{
    private const int BatchMax = 256;

    private static readonly AdminParameter[] Parameters =
    [
        new("last", "so many of the latest events that are kept come first; 0"),
        new("follow", "false ends behind those, true waits for those to come; true"),
        new("level", "the least severe level: trace, debug, info, warning, error; trace"),
        new("event", "names of events, separated by commas; all"),
        new("listener", "those of this listener"),
        new("session", "those of the session with this id"),
        new("peer", "those that name this peer: 192.0.2.7, 192.0.2.7:5000"),
    ];

    public IReadOnlyList<AdminPath> All =>
    [
        new(HttpMethods.Get, "/events", "events", "the log as it is written, by server-sent events", FollowAsync)
        {
            IsStream = true,
            Parameters = Parameters,
        },
    ];

    private static EventFilter FilterOf(AdminRequest request)
    {
        var events = (request.Query("event") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries);
        return new EventFilter(
            events.ToHashSet(StringComparer.Ordinal), LevelWords.Parse(request.Query("level") ?? "trace"),
            request.Query("listener"), request.Query("session"), request.Query("peer"));
    }

    private static bool FollowOf(AdminRequest request) => request.Query("follow") switch
    {
        null or "true" => true,
        "false" => false,
        var other => throw AdminFault.BadRequest($"follow '{other}' is neither true nor false"),
    };

    private int LastOf(AdminRequest request)
    {
        var max = host.Engine.Setup.Options.Admin.Streams.Backlog;
        return request.Query("last") is not { } text ? 0
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var last) ? Math.Min(last, max)
            : throw AdminFault.BadRequest(
                $"last '{text}' is no number of events; {max} are kept, as router.admin.streams.backlog says");
    }

    private async Task FollowAsync(AdminRequest request)
    {
        using var reader = host.Events.TryOpen(FilterOf(request), LastOf(request), FollowOf(request))
            ?? throw EventStream.TooMany(host);
        var stream = EventStream.Begin(request);
        using var beat = host.Time.CreateTimer(
            static reader => ((EventReader)reader!).Beat(), reader, EventStream.BeatInterval, EventStream.BeatInterval);
        var records = new List<LogRecord>();
        var (lines, line) = (new ArrayBufferWriter<byte>(4096), new ArrayBufferWriter<byte>(1024));
        var format = new JsonLineFormatter(isAlwaysJson: true);
        var own = new RecordLogger(
            RouterLogging.Category, host.Time, static _ => true,
            record => EventStream.TryAdd(lines, line, record, format));
        while (await reader.ReadAsync(records, BatchMax, request.End).ConfigureAwait(false))
        {
            var dropped = reader.TakeDropped();
            foreach (var record in records)
            {
                dropped += EventStream.TryAdd(lines, line, record, format) ? 0 : 1;
            }

            if (dropped > 0)
            {
                SinkLog.LinesDropped(own, "events", dropped);
            }

            await stream.SendAsync(lines.WrittenMemory).ConfigureAwait(false);
            records.Clear();
            lines.ResetWrittenCount();
        }
    }
}
