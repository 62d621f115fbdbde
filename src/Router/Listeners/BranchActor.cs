namespace Router.Listeners;

/// <summary>A child that a branch starts, and its name.</summary>
internal sealed record BranchChild(string Name, Props Props);

/// <summary>
/// A node of the tree: starts named children, restarts the one that fails, and passes what it is told on to all of
/// them.
/// /user/router is one, /user/router/listeners, and every listener over its shards.
/// </summary>
/// <remarks>A child that fails is restarted alone; shards keep their sockets and sessions through it. If the branch
/// itself fails, its
/// children live on.</remarks>
internal sealed class BranchActor : UntypedActor
{
    private readonly IReadOnlyList<BranchChild> _children;

    public BranchActor(IReadOnlyList<BranchChild> children) => _children = children;

    public static Props PropsOf(IReadOnlyList<BranchChild> children) => Props.CreateBy(new Producer(children));

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(static _ => Directive.Restart);

    protected override void PreStart()
    {
        foreach (var child in _children)
        {
            Context.ActorOf(child.Props, child.Name);
        }
    }

    protected override void PreRestart(Exception reason, object? message)
    {
    }

    protected override void PostRestart(Exception reason)
    {
    }

    protected override void OnReceive(object message)
    {
        foreach (var child in Context.GetChildren())
        {
            child.Tell(message, Sender);
        }
    }

    private sealed class Producer(IReadOnlyList<BranchChild> children) : IIndirectActorProducer
    {
        public Type ActorType => typeof(BranchActor);

        public ActorBase Produce() => new BranchActor(children);

        public void Release(ActorBase actor)
        {
        }
    }
}
