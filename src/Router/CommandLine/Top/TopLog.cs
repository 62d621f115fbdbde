using System.Text.Json.Nodes;

namespace Router.CommandLine.Top;

/// <summary>Makes a model of the lines of a log.</summary>
/// <remarks>The log has sums once an interval (<c>stats</c>, <c>drops</c>), and a session's figures when it ends or, as
/// <c>log.access.long-session-interval</c> asks for it, now and then. So the figures of a listener, a route and a
/// session are as of those lines.</remarks>
internal sealed class TopLog(TopModel model)
{
    /// <summary>Sessions that are kept, the latest ones, open and ended.</summary>
    private const int SessionsMax = 1000;

    private readonly Dictionary<string, Sums> _listeners = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Sums> _routes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TopSession> _sessions = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private readonly Dictionary<(string Route, string Upstream), TopUpstream> _upstreams = [];
    private readonly Dictionary<string, TopDrop> _drops = new(StringComparer.Ordinal);
    private readonly HashSet<string> _dropped = new(StringComparer.Ordinal);

    /// <summary>Of all that is kept, in no order.</summary>
    public IReadOnlyCollection<TopSession> Sessions => _sessions.Values;

    /// <param name="line">In the order of the log.</param>
    public void Apply(JsonObject line)
    {
        model.Time = line.Text("time");
        switch (line.Text("event"))
        {
            case "started":
                Begin(line);
                break;
            case "draining" or "stopped":
                model.State = line.Text("event");
                break;
            case "listening":
                SumsOf(_listeners, line.Text("listener"));
                SumsOf(_routes, line.Text("route"));
                break;
            case "drops":
                Drop(line);
                return;
            case "stats":
                End(line);
                return;
            case "session-opened" or "session-open":
                Keep(SessionOf(line, closed: null));
                break;
            case "session-closed":
                Close(line);
                break;
            case "sessions-summarised":
                SumsOf(_listeners, line.Text("listener")).Add(line.Number("payloads-in"), line.Number("payloads-out"));
                break;
            case "upstream-failed":
                SetUpstream(line, "failed");
                break;
            case "session-connected":
                SetUpstream(line, "up");
                break;
        }

        model.Add(TopEvent.Of(line));
    }

    private static TopSession SessionOf(JsonObject line, string? closed) => new(
        line.Text("session"), line.Text("peer"), line.Text("listener"), line.Text("route"),
        line.TextOrNull("upstream"), line.Number("duration-ms"), line.NumberOrNull("silent-ms"),
        line.Number("payloads-in"), line.Number("payloads-out"), line.Number("bytes-in"), line.Number("bytes-out"),
        line.Number("drops"),
        line.Number("duration-ms") is > 0 and var ms
            ? (line.Number("bytes-in") + line.Number("bytes-out")) * 1000.0 / ms
            : null,
        closed);

    private static Sums SumsOf(Dictionary<string, Sums> all, string name) =>
        all.TryGetValue(name, out var sums) ? sums : all[name] = new Sums();

    private static IEnumerable<TopTraffic> Rows(Dictionary<string, Sums> all, double seconds) =>
        all.OrderBy(static pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => pair.Value.Take(pair.Key, seconds))
            .ToList();

    private void Begin(JsonObject line)
    {
        (model.Version, model.State, model.UptimeMs) = (line.Text("version"), "running", null);
        _sessions.Clear();   // of a router that was there before
        _order.Clear();
        foreach (var sums in _listeners.Values.Concat(_routes.Values))
        {
            sums.Open = 0;
        }
    }

    private void Close(JsonObject line)
    {
        SumsOf(_routes, line.Text("route")).Drops += line.Number("drops");
        if (line.TextOrNull("upstream") is not null && line.NumberOrNull("connect-ms") is not null)
        {
            SetUpstream(line, "up");
        }

        Keep(SessionOf(line, line.Text("reason")));
    }

    private void Keep(TopSession session)
    {
        var before = _sessions.GetValueOrDefault(session.Session);
        if (before is null)
        {
            _order.Enqueue(session.Session);
            while (_order.Count > SessionsMax)
            {
                _sessions.Remove(_order.Dequeue());
            }
        }

        var opened = (session.Closed is null ? 1 : 0) - (before is { Closed: null } ? 1 : 0);
        foreach (var sums in (Sums[])[SumsOf(_listeners, session.Listener), SumsOf(_routes, session.Route)])
        {
            // A record has all since the session began: some of it may have been told already.
            sums.Open += opened;
            sums.Add(
                session.PayloadsIn - (before?.PayloadsIn ?? 0), session.PayloadsOut - (before?.PayloadsOut ?? 0));
        }

        _sessions[session.Session] = session;
    }

    private void SetUpstream(JsonObject line, string state)
    {
        if (line.TextOrNull("upstream") is not { } upstream)
        {
            return;
        }

        var key = (line.Text("route"), upstream);
        _upstreams[key] = new TopUpstream(key.Item1, upstream, state, 0);
        model.Upstreams = [.. _upstreams.Values.OrderBy(static one => (one.Route, one.Upstream))];
    }

    private void Drop(JsonObject line)
    {
        var (reason, count) = (line.Text("reason"), line.Number("count"));
        var perSecond = line.Number("interval-ms") is > 0 and var ms ? count * 1000.0 / ms : 0;
        var sum = _drops.GetValueOrDefault(reason) ?? new TopDrop(reason, 0, 0);
        var isFirst = _dropped.Add(reason);
        _drops[reason] = new TopDrop(reason, sum.Count + count, (isFirst ? 0 : sum.PerSecond) + perSecond);
        SumsOf(_listeners, line.Text("listener")).Drops += count;
        model.Add(TopEvent.Of(line));
    }

    /// <summary>The end of an interval: its drops were told just before.</summary>
    private void End(JsonObject line)
    {
        var seconds = Math.Max(0.001, line.Number("interval-ms") / 1000.0);
        model.State = model.State == "" ? "running" : model.State;
        model.Sessions.Add(line.Number("sessions"));
        model.Opened.Add(line.Number("opened") / seconds);
        model.Closed.Add(line.Number("closed") / seconds);
        model.PayloadsIn.Add(line.Number("payloads-in") / seconds);
        model.PayloadsOut.Add(line.Number("payloads-out") / seconds);
        model.BytesIn.Add(line.Number("bytes-in") / seconds);
        model.BytesOut.Add(line.Number("bytes-out") / seconds);
        model.Drops.Add(line.Number("drops") / seconds);
        model.Listeners = [.. Rows(_listeners, seconds)];
        model.Routes = [.. Rows(_routes, seconds)];
        model.DropReasons =
        [
            .. _drops.Values
                .Select(drop => _dropped.Contains(drop.Reason) ? drop : drop with { PerSecond = 0 })
                .OrderByDescending(static drop => drop.Count),
        ];
        _dropped.Clear();
    }

    /// <summary>What records have said of a listener, or a route, since the last interval.</summary>
    private sealed class Sums
    {
        private long _in, _out;

        public long Open { get; set; }

        public long Drops { get; set; }

        public void Add(long payloadsIn, long payloadsOut)
        {
            _in += payloadsIn;
            _out += payloadsOut;
        }

        public TopTraffic Take(string name, double seconds)
        {
            var row = new TopTraffic(name, Open, _in / seconds, _out / seconds, Drops);
            (_in, _out) = (0, 0);
            return row;
        }
    }
}
