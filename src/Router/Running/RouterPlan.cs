using Router.Admission;
using Router.Listeners;
using Router.Loop;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Running;

/// <summary>One listener as it is to run: every name resolved, every default applied.</summary>
/// <param name="Name">As configured.</param>
/// <param name="Binds">At least one.</param>
/// <param name="Route">What its sessions do; shared with other listeners of the same route.</param>
/// <param name="Settings">Its sessions' limits.</param>
internal sealed record ListenerPlan(
    string Name, IReadOnlyList<BindRequest> Binds, Route Route, SessionSettings Settings);

/// <summary>
/// What is to run, whole: the snapshot that configuration is turned into before anything starts. Immutable.
/// </summary>
/// <param name="Source">Where it was read from, for the log.</param>
/// <param name="Loops">I/O threads, at least 1.</param>
/// <param name="LoopOptions">What each of them may do and hold.</param>
/// <param name="PreparedSessions">Over all loops.</param>
/// <param name="SpareSessions">Over all loops.</param>
/// <param name="DrainTimeout">What sessions are given to finish when the router stops.</param>
/// <param name="StatsInterval">Between two stats lines.</param>
/// <param name="SessionRecords">Access records a second; beyond, sessions are summed up.</param>
/// <param name="Guard">Who must not be answered.</param>
/// <param name="Listeners">At least one.</param>
/// <param name="Groups">Upstreams of routes that are no proxies, by the route's name.</param>
/// <param name="Routes">By name; also those that no listener uses.</param>
internal sealed record RouterPlan(
    string Source,
    int Loops,
    IoLoopOptions LoopOptions,
    int PreparedSessions,
    int SpareSessions,
    TimeSpan DrainTimeout,
    TimeSpan StatsInterval,
    int SessionRecords,
    PeerGuard Guard,
    IReadOnlyList<ListenerPlan> Listeners,
    IReadOnlyDictionary<string, UpstreamGroup> Groups,
    IReadOnlyDictionary<string, Route> Routes);
