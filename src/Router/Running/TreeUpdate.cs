using Router.Listeners;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Running;

/// <summary>What the tree of actors has to do for a configuration to come into force. It is filled while that is
/// decided, then told to /user/router, and not changed any more.</summary>
/// <param name="revision">Of the configuration.</param>
/// <param name="tree">/user/router: what is started tells it of its end.</param>
internal sealed class TreeUpdate(long revision, IActorRef tree)
{
    public long Revision => revision;

    public IActorRef Tree => tree;

    /// <summary>Actors of upstream groups to start.</summary>
    public List<BranchChild> Groups { get; } = [];

    /// <summary>Branches of shards to start.</summary>
    public List<BranchChild> Listeners { get; } = [];

    /// <summary>What each group goes by, those to start too.</summary>
    public Dictionary<UpstreamGroup, UpstreamGroupSettings> Settings { get; } = [];

    /// <summary>What each shard goes by that runs already.</summary>
    public Dictionary<Shard, ShardTerms> Terms { get; } = [];

    /// <summary>Routes whose live sessions have to look at what has changed.</summary>
    public List<Route> Routes { get; } = [];

    /// <summary>How many actors answer that they go by it: those that run already.</summary>
    public int Answers => Terms.Count + Settings.Count - Groups.Count;

    /// <summary>The actor's name for a thing of the configuration: unique among what runs and what still drains.
    /// </summary>
    public string NameOf(string name) => revision == 1 ? name : $"{name}.r{revision}";
}

/// <summary>An actor's answer: it goes by the configuration of this revision.</summary>
internal sealed record Applied(long Revision) : IDeadLetterSuppression;

/// <summary>Told to /user/router: the actor of this shard has stopped. While the whole tree stops there is nobody to
/// tell.</summary>
internal sealed record ShardStopped(Shard Shard) : IDeadLetterSuppression;
