using System.Globalization;
using Microsoft.AspNetCore.Http;
using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Sessions;

namespace Router.Admin;

/// <summary>Traces: what one session does, or those of some peers, told to the log while all others pay nothing.
/// </summary>
internal sealed class TracePaths(AdminHost host, SessionSweeps sweeps)
{
    private const int LinesByDefault = 1_000, HeadByDefault = 64;

    private static readonly TimeSpan TimeByDefault = TimeSpan.FromMinutes(1);

    private SessionTraces Traces => host.Engine.Traces;

    private TraceOptions Bounds => host.Engine.Setup.Options.Admin.Trace;

    public IReadOnlyList<AdminPath> All =>
    [
        new(HttpMethods.Get, "/traces", "traces", "the traces that are under way", ListAsync)
        {
            Result = typeof(TracesReport),
        },
        new(HttpMethods.Post, "/traces", "trace-peers", "tells the log what some peers' sessions do", TracePeersAsync)
        {
            Result = typeof(TraceReport),
            Body = typeof(TraceAsked),
            Status = StatusCodes.Status201Created,
        },
        new(HttpMethods.Delete, "/traces/{number}", "trace-end", "ends a trace", EndAsync)
        {
            Result = typeof(TraceReport),
        },
        new(HttpMethods.Post, "/sessions/{id}/trace", "session-trace", "tells the log what the session does",
            TraceSessionAsync)
        {
            Result = typeof(TraceReport),
            Body = typeof(TraceAsked),
            Status = StatusCodes.Status201Created,
        },
    ];

    private Task ListAsync(AdminRequest request) => request.ReplyAsync(
        new TracesReport([.. Traces.All.Select(ReportOf)]), AdminJson.Default.TracesReport);

    private async Task TraceSessionAsync(AdminRequest request)
    {
        var id = SessionPaths.IdOf(request);
        var asked = await request.ReadAsync(AdminJson.Default.TraceAsked).ConfigureAwait(false);
        if (asked.Peer is not null)
        {
            throw AdminFault.BadRequest("a session has one peer: leave 'peer' out, or ask /traces for all of its peer");
        }

        var trace = Begin(new TraceTarget(id, null, null), asked);
        var attaching = sweeps.WithAsync(
            id, session => (object)SessionTraces.Attach(session, trace), request.End);
        await AttachAsync(trace, attaching).ConfigureAwait(false);
        var attached = await attaching.ConfigureAwait(false);
        var isDone = attached is true;
        if (!isDone)
        {
            trace.EndBy(TraceEnd.Asked);
        }

        request.LogChange(
            "session-trace", id.ToString(), NumberOf(trace),
            isDone ? "done" : attached is null ? "not-found" : "refused");
        await ReplyAsync(request, attached switch
        {
            null => throw SessionPaths.NoSession(id),
            false => throw new AdminFault(
                StatusCodes.Status409Conflict, "The session has a trace",
                "/traces has the number of one that it is under; end that first"),
            _ => trace,
        }).ConfigureAwait(false);
    }

    private async Task TracePeersAsync(AdminRequest request)
    {
        var asked = await request.ReadAsync(AdminJson.Default.TraceAsked).ConfigureAwait(false);
        if (asked.Peer is not { } text || PeerFilter.Parse(text) is not { } peers)
        {
            throw AdminFault.BadRequest(
                $"peer '{asked.Peer}' is no address, endpoint or network: 192.0.2.7, [2001:db8::1]:5000, 192.0.2.0/24");
        }

        var trace = Begin(new TraceTarget(null, text, peers.Matches), asked);
        request.LogChange("trace", text, NumberOf(trace));
        await AttachAsync(trace, sweeps.VisitAsync(
            session =>
            {
                if (peers.Matches(session.PeerAddr))
                {
                    SessionTraces.Attach(session, trace);   // one under another trace stays under that
                }
            },
            request.End)).ConfigureAwait(false);
        await ReplyAsync(request, trace).ConfigureAwait(false);
    }

    private async Task EndAsync(AdminRequest request)
    {
        var text = request.Part("number");
        var trace = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? Traces.End(number)
            : throw AdminFault.BadRequest($"'{text}' is no number of a trace");
        request.LogChange("trace-end", text, null, trace is null ? "not-found" : "done");
        await request.ReplyAsync(
            ReportOf(trace ?? throw new AdminFault(
                StatusCodes.Status404NotFound, "There is no such trace",
                $"{number} has ended, or never began; /traces lists those that go on")),
            AdminJson.Default.TraceReport).ConfigureAwait(false);
    }

    /// <summary>A trace whose number nobody gets to know, for the sessions could not be visited or the client has gone,
    /// ends.</summary>
    private static async Task AttachAsync(SessionTrace trace, Task attaching)
    {
        try
        {
            await attaching.ConfigureAwait(false);
        }
        catch
        {
            trace.EndBy(TraceEnd.Asked);
            throw;
        }
    }

    private static string NumberOf(SessionTrace trace) => trace.Number.ToString(CultureInfo.InvariantCulture);

    private static Task ReplyAsync(AdminRequest request, SessionTrace trace) => request.ReplyAsync(
        ReportOf(trace), AdminJson.Default.TraceReport, StatusCodes.Status201Created);

    private static TraceReport ReportOf(SessionTrace trace) => new(
        trace.Number, trace.Target.Session?.ToString(), trace.Target.Peers, trace.Lines, trace.Limits.Lines,
        (long)trace.Age.TotalMilliseconds, (long)trace.Limits.Time.TotalMilliseconds, trace.Limits.HeadBytes);

    private SessionTrace Begin(TraceTarget target, TraceAsked asked)
    {
        if (!host.Log.IsEnabled(Microsoft.Extensions.Logging.LogLevel.Information))
        {
            throw new AdminFault(
                StatusCodes.Status409Conflict, "The log would leave the trace out",
                "its lines are of level info, and the log's level is above that; set it: router log-level info");
        }

        return Traces.Begin(target, LimitsOf(asked), Bounds.Traces) ?? throw new AdminFault(
            StatusCodes.Status503ServiceUnavailable, "There are too many traces",
            $"router.admin.trace.traces allows {Bounds.Traces} at once; end one of /traces, or raise it");
    }

    private TraceLimits LimitsOf(TraceAsked asked)
    {
        var lines = asked.Lines ?? Math.Min(LinesByDefault, Bounds.Lines);
        var head = asked.Head ?? Math.Min(HeadByDefault, Bounds.HeadBytes);
        var reason = "";
        var time = asked.Time is { } text
            ? HoconUnits.ParseDuration(text, out reason)
                ?? throw AdminFault.BadRequest($"time '{text}' is no duration, as 30s or 5m: {reason}")
            : TimeByDefault < Bounds.Time ? TimeByDefault : Bounds.Time;
        Check("lines", lines, 1, Bounds.Lines);
        Check("head", head, 0, Bounds.HeadBytes);
        Check("time", (long)time.TotalMilliseconds, 1, (long)Bounds.Time.TotalMilliseconds);
        return new TraceLimits(lines, time, head);
    }

    private static void Check(string name, long value, long min, long max)
    {
        if (value < min || value > max)
        {
            throw AdminFault.BadRequest(
                $"{name} {value} is not within {min} to {max}, which router.admin.trace.{name} says");
        }
    }
}

/// <summary>What is left out is as by default.</summary>
/// <param name="Peer">An address, an endpoint or a network; for /traces alone.</param>
/// <param name="Lines">The trace ends behind so many; 1,000 by default.</param>
/// <param name="Time">And after so long, as 30s or 5m; one minute by default.</param>
/// <param name="Head">Bytes of each payload that are shown; 64 by default.</param>
internal sealed record TraceAsked(string? Peer = null, int? Lines = null, string? Time = null, int? Head = null);

/// <param name="Traces">Those that go on.</param>
internal sealed record TracesReport(IReadOnlyList<TraceReport> Traces);

/// <param name="Trace">Its number, which its lines have too.</param>
/// <param name="Session">Whose; null for peers.</param>
/// <param name="Peers">Whose; null for a session.</param>
/// <param name="Lines">Told so far.</param>
/// <param name="MaxLines">It ends behind so many.</param>
/// <param name="MaxMs">It ends at that age.</param>
/// <param name="Head">Bytes of a payload that are shown.</param>
internal sealed record TraceReport(
    int Trace, string? Session, string? Peers, int Lines, int MaxLines, long AgeMs, long MaxMs, int Head);
