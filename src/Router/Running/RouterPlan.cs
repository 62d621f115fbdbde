using Router.Admission;
using Router.Listeners;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Running;

/// <summary>One listener as it is to run.</summary>
/// <param name="Name">As configured.</param>
/// <param name="Binds">At least one.</param>
/// <param name="Route">What its sessions do; shared with other listeners of the same route.</param>
/// <param name="Settings">Its sessions' limits.</param>
internal sealed record ListenerPlan(
    string Name, IReadOnlyList<BindRequest> Binds, Route Route, SessionSettings Settings);

/// <summary>The objects that a configuration is turned into, all of them, before anything starts. Immutable.</summary>
/// <param name="Guard">Who must not be answered.</param>
/// <param name="Listeners">At least one.</param>
/// <param name="Groups">Upstreams of routes that are no proxies, by the route's name.</param>
/// <param name="Routes">By name; also those that no listener uses.</param>
internal sealed record RouterPlan(
    PeerGuard Guard,
    IReadOnlyList<ListenerPlan> Listeners,
    IReadOnlyDictionary<string, UpstreamGroup> Groups,
    IReadOnlyDictionary<string, Route> Routes);
