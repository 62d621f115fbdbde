using Router.Configuration.Hocon;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Configuration;

/// <summary>The section <c>router</c>, typed. What each key means, its unit and limits: hocon/reference.conf.</summary>
internal sealed record RouterOptions
{
    /// <summary>I/O loops asked for; null is "auto".</summary>
    public required int? Loops { get; init; }

    public required NetworkChoice Network { get; init; }

    public required SpliceOptions Splice { get; init; }

    public required HeapOptions Heap { get; init; }

    public required TimeSpan DrainTimeout { get; init; }

    public required LogOptions Log { get; init; }

    public required GuardOptions Guards { get; init; }

    public required ReloadOptions Reload { get; init; }

    /// <summary>In the order of the file.</summary>
    public required IReadOnlyList<ListenerOptions> Listeners { get; init; }

    /// <summary>In the order of the file; names are unique.</summary>
    public required IReadOnlyList<RouteOptions> Routes { get; init; }

    /// <summary>The section <c>akka</c> beside it, as read: Akka's own keys, whatever they are. Null for
    /// none.</summary>
    public HoconObject? Akka { get; init; }

    /// <summary>The section as read, for the places of its keys.</summary>
    public required HoconObject Source { get; init; }

    /// <summary>I/O loops to run: as asked, or the machine's processors, 8 at most.</summary>
    public int LoopCount => Loops ?? Math.Min(Environment.ProcessorCount, 8);

    public RouteOptions? FindRoute(string name) => Routes.FirstOrDefault(r => r.Name == name);
}

internal enum NetworkChoice
{
    /// <summary>The Linux calls where they are, else the portable sockets.</summary>
    Auto,
    Linux,
    Portable,
}

/// <param name="Pipes">Of each loop; 0 copies everything.</param>
/// <param name="PipeSize">Bytes a pipe holds.</param>
internal sealed record SpliceOptions(int Pipes, int PipeSize);

/// <param name="HoldCollectionsFrom">By how many a second the open sessions must grow for collections of the whole heap
/// to be held off; 0 for never.</param>
/// <param name="PreparedSessions">Sessions made before their peers come, over all loops.</param>
/// <param name="SpareSessions">Actors of ended sessions that are kept for the next peers, over all loops.</param>
internal sealed record HeapOptions(int HoldCollectionsFrom, int PreparedSessions, int SpareSessions);

/// <param name="Format">How lines look.</param>
/// <param name="Level">The least severe level written.</param>
/// <param name="StatsInterval">Between stats lines; <see cref="Timeout.InfiniteTimeSpan"/> for none.</param>
/// <param name="Queue">Lines that may wait for the writer.</param>
/// <param name="SessionRecords">Access records a second.</param>
internal sealed record LogOptions(
    LogFormat Format, LogLevel Level, TimeSpan StatsInterval, int Queue, int SessionRecords);

internal enum LogFormat
{
    /// <summary>Text on a terminal, JSON elsewhere.</summary>
    Auto,
    Json,
    Text,
}

/// <param name="AnswerPrivilegedPorts">Whether echo and reply answer source ports below 1024.</param>
/// <param name="ResponderPorts">Source ports that echo and reply never answer.</param>
internal sealed record GuardOptions(bool AnswerPrivilegedPorts, IReadOnlySet<int> ResponderPorts);

/// <param name="OnChange">Whether a changed file is read again without being told to.</param>
/// <param name="Debounce">How long files must stay as they are before they are read, and how often they are looked
/// at.</param>
internal sealed record ReloadOptions(bool OnChange, TimeSpan Debounce);
