using Router.Loop;

namespace Router.Routes;

/// <summary>Whose payloads one window gathers.</summary>
internal enum CollectScope
{
    Session,
    Listener,
}

/// <summary>When a window is delivered, and what may be held. Immutable.</summary>
/// <param name="Per">Whose payloads one window gathers.</param>
/// <param name="WindowMs">
/// Tumbling: a window is delivered so long after its first payload. Sliding: what is older has left it. 0 for no end
/// by time.
/// </param>
/// <param name="EveryMs">Sliding: between two deliveries; 0 for tumbling windows.</param>
/// <param name="Count">Tumbling: payloads that end a window; sliding: the most it keeps. 0 for no limit.</param>
/// <param name="Bytes">The same in bytes of payload. A single longer payload is a window of its own.</param>
/// <param name="Buffer">Bytes the route holds at once, its own per payload included.</param>
internal sealed record CollectSettings(
    CollectScope Per, int WindowMs, int EveryMs, int Count, int Bytes, long Buffer)
{
    public bool IsSliding => EveryMs > 0;
}

/// <summary>Where full windows go. Any thread; must not block.</summary>
internal interface ICollectOutlet
{
    /// <summary>The window is the outlet's, which releases it.</summary>
    void Offer(CollectedWindow window);
}

/// <summary>What the sinks of collect routes are made with.</summary>
/// <param name="Events">Where failures, and windows for the log, are written down.</param>
/// <param name="Time">The clock.</param>
/// <param name="Loop">Where sockets to upstreams live.</param>
/// <param name="Files">The files of all sinks.</param>
internal sealed record CollectEnvironment(ICollectEvents Events, TimeProvider Time, IoLoop Loop, CollectFiles Files);
