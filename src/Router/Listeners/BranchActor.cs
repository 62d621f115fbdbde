namespace Router.Listeners;

/// <summary>A child that a branch starts.</summary>
/// <param name="Name">The last part of its path.</param>
/// <param name="Props">Its recipe.</param>
/// <param name="IsNeeded">Whether it is to be started again when it has stopped; called by any thread. Null for never,
/// as with shards, whose socket is closed then.</param>
internal sealed record BranchChild(string Name, Props Props, Func<bool>? IsNeeded = null);

/// <summary>Has a branch start another child, of a name that it has not had before.</summary>
internal sealed record AddChild(string Branch, BranchChild Child);

/// <summary>Told to a branch's parent: a child that is needed was stopped, and has been started again.</summary>
internal sealed record StartedAgain(ActorPath Path) : IDeadLetterSuppression;

/// <summary>A node of the tree, as /user/router/listeners and the actor of each listener: it starts named children,
/// restarts the one that fails, and passes all other messages on to them.</summary>
/// <remarks>Shards keep their sockets and sessions when they are restarted. If the branch itself fails, its children
/// live on.</remarks>
internal sealed class BranchActor : UntypedActor
{
    private readonly IReadOnlyList<BranchChild> _children;
    private readonly bool _endsEmpty;
    private readonly Dictionary<IActorRef, BranchChild> _started = [];

    public BranchActor(IReadOnlyList<BranchChild> children, bool endsEmpty) =>
        (_children, _endsEmpty) = (children, endsEmpty);

    /// <param name="children">What it starts with.</param>
    /// <param name="endsEmpty">Whether it stops with the last of them; then it takes no more.</param>
    public static Props PropsOf(IReadOnlyList<BranchChild> children, bool endsEmpty = false) =>
        Props.Create<BranchActor>(children, endsEmpty);

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(static _ => Directive.Restart);

    protected override void PreStart()
    {
        foreach (var child in _children)
        {
            Start(child);
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
        switch (message)
        {
            case AddChild added when added.Branch == Self.Path.Name:
                Start(added.Child);
                return;
            case Terminated gone:
                OnGone(gone.ActorRef);
                return;
            default:
                PassOn(message);
                return;
        }
    }

    private void Start(BranchChild child) =>
        _started[Context.Watch(Context.ActorOf(child.Props, child.Name))] = child;

    private void OnGone(IActorRef gone)
    {
        if (_started.Remove(gone, out var child) && child.IsNeeded?.Invoke() == true)
        {
            Start(child);
            Context.Parent.Tell(new StartedAgain(gone.Path), ActorRefs.NoSender);
        }
        else if (_endsEmpty && _started.Count == 0)
        {
            Context.Stop(Self);
        }
    }

    private void PassOn(object message)
    {
        foreach (var child in Context.GetChildren())
        {
            child.Tell(message, Sender);
        }
    }
}
