using System.Collections.Concurrent;
using Router.Loop;
using Router.Sessions;

namespace Router.Routes;

/// <summary>Gathers payloads in windows and delivers these to a sink; answers nothing.</summary>
/// <remarks>
/// A payload is copied once, on its loop, into its window's memory. A sink that is late holds windows up to the
/// route's buffer; what comes then is a counted drop, and no loop ever waits for it.
/// </remarks>
internal sealed class CollectRoute(
    string name, CollectSettings settings, Func<CollectEnvironment, IWindowSink>? makeSink = null) : Route(name)
{
    private readonly ConcurrentDictionary<string, ListenerWindows> _listeners = new(StringComparer.Ordinal);

    private int _sessions;

    public CollectSettings Settings => settings;

    /// <summary>No session is left and no window is open or waits for its sink. For good, if no session can begin by
    /// this route any more.</summary>
    public bool IsUnused => Volatile.Read(ref _sessions) == 0 && Budget.Used == 0;

    public MemoryBudget Budget { get; } = new(settings.Buffer);

    /// <summary>Makes what its windows go to; null where the outlet is set by whoever made the route.</summary>
    public Func<CollectEnvironment, IWindowSink>? MakeSink => makeSink;

    /// <summary>Set before the first session.</summary>
    public ICollectOutlet Outlet { get; set; } = NoOutlet.Instance;

    /// <summary>
    /// Once no session of the route is left: delivers the open windows of listeners. Those of sessions went with them.
    /// </summary>
    /// <param name="loops">All loops, running.</param>
    /// <param name="limit">How long to wait for a loop that hangs.</param>
    public async Task FinishAsync(IReadOnlyList<IoLoop> loops, TimeSpan limit)
    {
        try
        {
            foreach (var windows in _listeners.Values)
            {
                await windows.FinishAsync(loops).WaitAsync(limit, loops[0].Time).ConfigureAwait(false);
            }
        }
        catch (TimeoutException)
        {
            // a handler does not return: recorded where the router stops
        }
    }

    internal override SessionHandler CreateHandler(SessionContext session)
    {
        Interlocked.Increment(ref _sessions);
        return settings.Per == CollectScope.Session
            ? new SessionCollectHandler(this, session)
            : WindowsOf(session).HandlerOn(session);
    }

    /// <summary>A session has ended, or has another handler now; its windows are delivered.</summary>
    internal void Leave() => Interlocked.Decrement(ref _sessions);

    private ListenerWindows WindowsOf(SessionContext session) => _listeners.GetOrAdd(
        session.Listener,
        static (_, place) => new ListenerWindows(place.Route, place.Session.Shard),
        (Route: this, Session: session));

    /// <summary>Before the router has started there is no session.</summary>
    private sealed class NoOutlet : ICollectOutlet
    {
        public static readonly NoOutlet Instance = new();

        public void Offer(CollectedWindow window) =>
            throw new InvalidOperationException("the route has no outlet: the router has not been started");
    }
}
