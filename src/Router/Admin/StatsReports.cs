using Router.Diagnostics;
using Router.Reporting;

namespace Router.Admin;

/// <summary>Figures as of now, those of a count since the start.</summary>
/// <param name="Time">As log lines have it.</param>
/// <param name="Revision">Grows by one with every reload that is applied.</param>
/// <param name="State"><c>starting</c>, <c>running</c> or <c>draining</c>.</param>
/// <param name="Spare">Spare sessions.</param>
/// <param name="Total">Over all listeners.</param>
/// <param name="Routes">Sums over the listeners that name the route now.</param>
/// <param name="Cluster">Null without one.</param>
internal sealed record StatsReport(
    string Version,
    string Time,
    long UptimeMs,
    long Revision,
    string State,
    int Spare,
    TrafficReport Total,
    IReadOnlyList<TrafficReport> Listeners,
    IReadOnlyList<TrafficReport> Routes,
    IReadOnlyList<UpstreamStatsReport> Upstreams,
    IReadOnlyList<LoopReport> Loops,
    ProcessReport Process,
    ClusterStatsReport? Cluster);

/// <summary>As the stats line has them.</summary>
/// <param name="Name">Of the listener or the route; null for the sum.</param>
/// <param name="DropReasons">Only those that there were.</param>
/// <param name="DropsAtLeast">The drops of <c>receive-buffer-full</c> are a lower bound.</param>
internal sealed record TrafficReport(
    string? Name,
    int Sessions,
    long Opened,
    long Closed,
    long Restarts,
    long PayloadsIn,
    long BytesIn,
    long PayloadsOut,
    long BytesOut,
    long Drops,
    IReadOnlyDictionary<string, long> DropReasons,
    bool DropsAtLeast,
    long SocketFallbacks,
    int AcceptQueue,
    int AcceptBacklog,
    long AcceptOverflows)
{
    public static TrafficReport Of(string? name, ListenerFigures sum) => new(
        name, sum.Sessions, sum.Opened, sum.Closed, sum.Restarts, sum.PayloadsIn, sum.BytesIn, sum.PayloadsOut,
        sum.BytesOut, sum.Drops.Values.Sum(),
        sum.Drops.Where(static drop => drop.Value > 0).OrderBy(static drop => drop.Key)
            .ToDictionary(static drop => DropCounters.NameOf(drop.Key), static drop => drop.Value),
        sum.CountsTrainsAsOne, sum.SocketFallbacks, sum.AcceptQueue, sum.AcceptBacklog, sum.AcceptOverflows);
}

/// <param name="Route">That it serves.</param>
/// <param name="Upstream">Its endpoint.</param>
/// <param name="Sessions">That it has now.</param>
/// <param name="Failed">It has lately refused or not been reached: others are preferred.</param>
internal sealed record UpstreamStatsReport(string Route, string Upstream, int Sessions, bool Failed);

/// <param name="Sockets">That it watches.</param>
/// <param name="Timers">Places in its timer wheel.</param>
/// <param name="LagUs">How long it took to get round to this question; null for more than a second.</param>
internal sealed record LoopReport(int Loop, int Sessions, int Sockets, int Timers, long? LagUs);

/// <param name="DescriptorLimit">Null where the system does not say.</param>
/// <param name="Collections">By generation.</param>
/// <param name="GcPauseMs">All pauses since the start.</param>
internal sealed record ProcessReport(
    int Pid,
    long CpuMs,
    long MemoryBytes,
    long ManagedBytes,
    IReadOnlyList<int> Collections,
    double GcPauseMs,
    int PoolThreads,
    int? Descriptors,
    long? DescriptorLimit);

/// <param name="Address">Of this member.</param>
/// <param name="Status">A word: <c>up</c>, <c>leaving</c>.</param>
/// <param name="Fenced">It may not send for sessions with an identity.</param>
/// <param name="Attached">Sessions of this member that speak for an identity.</param>
/// <param name="Waiting">Sessions that wait to be attached.</param>
internal sealed record ClusterStatsReport(
    string Address, string Status, int Members, int Unreachable, bool Fenced, int Attached, int Waiting);
