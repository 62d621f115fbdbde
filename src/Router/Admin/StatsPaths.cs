using Microsoft.AspNetCore.Http;
using Router.Configuration;
using Router.Diagnostics;
using Router.Reporting;

namespace Router.Admin;

/// <summary>The figures of the router.</summary>
internal sealed class StatsPaths
{
    private static readonly TimeSpan LoopLimit = TimeSpan.FromSeconds(1);

    private readonly AdminHost _host;
    private readonly LoopProbes _probes;
    private readonly StatsFeed _feed;

    public StatsPaths(AdminHost host)
    {
        _host = host;
        _probes = new LoopProbes(host.Engine.Loops, host.Time);
        _feed = new StatsFeed(
            ReadAsync, host.Engine.Setup.Options.Admin.Streams.Readers, host.Time,
            failure => HostLog.Fault(host.Log, failure, "admin GET /stats/stream"));
    }

    public IReadOnlyList<AdminPath> All =>
    [
        new(HttpMethods.Get, "/stats", "stats",
            "figures of the router, its listeners, routes, upstreams, loops and process", StatsAsync)
        {
            Result = typeof(StatsReport),
        },
        new(HttpMethods.Get, "/stats/stream", "stats-stream", "the same once a second, by server-sent events",
            FollowAsync)
        {
            Result = typeof(StatsReport),
            IsStream = true,
        },
    ];

    /// <summary>Ends those who follow.</summary>
    public void End() => _feed.End();

    /// <summary>The figures now; those that the kernel keeps are as of the call before.</summary>
    public static StatsReport Read(AdminHost host, IReadOnlyList<TimeSpan?> lags)
    {
        var engine = host.Engine;
        var figures = engine.Stats.Read();
        engine.RefreshFigures();
        var state = engine.IsStopping ? "draining" : engine.Begun.IsCompleted ? "running" : "starting";
        return new StatsReport(
            RouterVersion.Text,
            LogFields.TimeOf(host.Time.GetUtcNow()),
            (long)engine.Uptime.TotalMilliseconds,
            engine.Revision,
            state,
            engine.Spare,
            SumOf(null, figures),
            [.. figures.Select(static each => TrafficReport.Of(each.Listener, each))],
            [.. RoutesOf(engine, figures)],
            [.. UpstreamsOf(engine, host.Time)],
            [.. LoopsOf(engine, lags)],
            ReadProcess(),
            ClusterOf(engine));
    }

    private static TrafficReport SumOf(string? name, IEnumerable<ListenerFigures> figures) => TrafficReport.Of(
        name,
        figures.Aggregate(
            new ListenerFigures("", 0, 0, 0, 0, 0, 0, 0, 0, false, 0, 0, 0, new Dictionary<DropReason, long>()),
            static (sum, each) => sum.With(each)));

    private static IEnumerable<TrafficReport> RoutesOf(
        Running.RouterEngine engine, IReadOnlyList<ListenerFigures> figures) =>
        from listener in engine.Setup.Options.Listeners
        join each in figures on listener.Name equals each.Listener
        group each by listener.Route into route
        select SumOf(route.Key, route);

    private static IEnumerable<UpstreamStatsReport> UpstreamsOf(Running.RouterEngine engine, TimeProvider time)
    {
        foreach (var group in engine.Groups)
        {
            foreach (var upstream in group.Group.Known)
            {
                yield return new UpstreamStatsReport(
                    group.Route, upstream.Text, upstream.Sessions, upstream.HasFailed(time));
            }
        }
    }

    private static IEnumerable<LoopReport> LoopsOf(Running.RouterEngine engine, IReadOnlyList<TimeSpan?> lags)
    {
        var sessions = engine.Stats.ReadShards().ToLookup(
            static each => each.Shard.Loop.Index, static each => Volatile.Read(ref each.Shard.SessionsOpen));
        return engine.Loops.Select(loop => new LoopReport(
            loop.Index, sessions[loop.Index].Sum(), loop.Sockets, loop.ArmedTimers,
            lags[loop.Index] is { } lag ? (long)lag.TotalMicroseconds : null));
    }

    private static ProcessReport ReadProcess() => new(
        Environment.ProcessId,
        (long)Environment.CpuUsage.TotalTime.TotalMilliseconds,
        Environment.WorkingSet,
        GC.GetTotalMemory(forceFullCollection: false),
        [.. Enumerable.Range(0, GC.MaxGeneration + 1).Select(GC.CollectionCount)],
        GC.GetTotalPauseDuration().TotalMilliseconds,
        ThreadPool.ThreadCount,
        Descriptors.CountOpen(),
        SystemLimits.Read().Descriptors);

    private static ClusterStatsReport? ClusterOf(Running.RouterEngine engine) => engine.Member is not { } member
        ? null
        : new ClusterStatsReport(
            member.Table.Self,
            Kebab.From($"{Akka.Cluster.Cluster.Get(engine.System).SelfMember.Status}"),
            member.Table.Count,
            member.Table.UnreachableCount,
            engine.Fence is { IsOpen: false },
            member.Figures.Attached,
            member.Figures.Waiting);

    private async Task<StatsReport> ReadAsync(CancellationToken end) =>
        Read(_host, await _probes.AskAsync(LoopLimit, end).ConfigureAwait(false));

    private async Task StatsAsync(AdminRequest request) => await request.ReplyAsync(
        await ReadAsync(request.End).ConfigureAwait(false), AdminJson.Default.StatsReport).ConfigureAwait(false);

    private async Task FollowAsync(AdminRequest request)
    {
        var reader = _feed.TryOpen() ?? throw EventStream.TooMany(_host);
        try
        {
            var stream = EventStream.Begin(request);
            await foreach (var sample in reader.Reader.ReadAllAsync(request.End).ConfigureAwait(false))
            {
                await stream.SendAsync(sample).ConfigureAwait(false);
            }
        }
        finally
        {
            _feed.Close(reader);
        }
    }
}
