namespace Router.Upstreams;

/// <summary>How one of several upstreams is picked for a new session.</summary>
internal enum PickPolicy
{
    /// <summary>One after the other.</summary>
    RoundRobin,

    /// <summary>The one that serves the fewest sessions now; among equals one after the other.</summary>
    LeastSessions,

    /// <summary>By the peer's address: the same one as long as it is there.</summary>
    Hash,
}
