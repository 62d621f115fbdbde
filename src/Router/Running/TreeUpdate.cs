using Router.Listeners;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Running;

/// <summary>What the tree of actors has to do for a configuration to come into force. It is filled first, then told to
/// /user/router, which alone changes it from then on.</summary>
/// <param name="revision">The configuration's.</param>
/// <param name="tree">/user/router, which shards tell of their end.</param>
internal sealed class TreeUpdate(long revision, IActorRef tree)
{
    public long Revision => revision;

    public IActorRef Tree => tree;

    /// <summary>Actors of upstream groups to start.</summary>
    public List<BranchChild> Groups { get; } = [];

    /// <summary>New groups that sessions will pick from, each until it has an upstream or its names have been asked.
    /// /user/router takes them out, and goes on when none is left.</summary>
    public HashSet<UpstreamGroup> Resolving { get; } = [];

    /// <summary>Everything that it asks for has been told.</summary>
    public bool IsTold { get; set; }

    /// <summary>Branches of shards to start.</summary>
    public List<BranchChild> Listeners { get; } = [];

    /// <summary>The settings of each group, of those to start too.</summary>
    public Dictionary<UpstreamGroup, UpstreamGroupSettings> Settings { get; } = [];

    /// <summary>The configuration of each shard that runs already.</summary>
    public Dictionary<Shard, ShardConfiguration> Shards { get; } = [];

    /// <summary>Routes whose live sessions have to look at the new settings.</summary>
    public List<Route> Routes { get; } = [];

    /// <summary>How many actors answer: those of listeners run already, those of groups do by then.</summary>
    public int Answers => Shards.Count + Settings.Count;

    /// <summary>The name of an actor for an entry of the configuration: unique, also among those that still drain.
    /// </summary>
    public string NameOf(string name) => revision == 1 ? name : $"{name}.r{revision}";
}

/// <summary>Told to /user/router: a group that the update starts has resolved its names, as far as they can be.
/// </summary>
internal sealed record UpstreamsReady(TreeUpdate Update, UpstreamGroup Group) : IDeadLetterSuppression;

/// <summary>An actor's answer: it goes by the configuration of this revision.</summary>
internal sealed record Applied(long Revision) : IDeadLetterSuppression;

/// <summary>Told to /user/router: the actor of this shard has stopped.</summary>
/// <remarks>No dead letter while the whole tree stops.</remarks>
internal sealed record ShardStopped(Shard Shard) : IDeadLetterSuppression;
