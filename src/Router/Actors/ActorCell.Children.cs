namespace Router.Actors;

/// <summary>Children: making, finding and stopping them.</summary>
internal sealed partial class ActorCell
{
    /// <summary>Children told to stop in one turn of a terminating parent.</summary>
    private const int ChildrenStoppedPerTurn = 1024;

    /// <summary>Where the parent keeps this cell; the complement once the parent has told it to stop.
    /// Belongs to the parent's <see cref="ChildrenContainer"/>.</summary>
    internal int ChildIndex { get; set; }

    internal int AutomaticNumber => _automaticNumber;

    internal bool HasAutomaticName => _extras?.Path is null;

    internal ChildrenContainer Children => Extras.Children ??= new ChildrenContainer();

    public IActorRef Child(string name) => (IActorRef?)_extras?.Children?.Find(name) ?? ActorRefs.Nobody;

    public IEnumerable<IActorRef> GetChildren() => ChildCells();

    public void Stop(IActorRef actor)
    {
        var target = Of(actor);
        if (target is ActorCell child && ReferenceEquals(child._parent, this)
            && _extras?.Children is { } children && children.Contains(child))
        {
            children.MarkStopping(child);
        }

        target.Stop();
    }

    internal ActorCell MakeChild(Props props, string? name, ActorCell? prepared = null)
    {
        if (name is not null && !ActorPath.IsValidPathElement(name))
        {
            throw new InvalidActorNameException(
                $"Illegal actor name [{name}]. Names are not empty, do not start with '$' and hold only ASCII "
                + "letters, digits and -_.*$+:@&=,!~';()");
        }

        if ((_flags & (CellFlags.Terminating | CellFlags.Terminated)) != 0)
        {
            throw new InvalidOperationException(
                $"Cannot create a child of {this}: it is terminating or has terminated.");
        }

        var child = Children.Add(this, props, props.Resolve(System), name, prepared);
        child.Start();
        return child;
    }

    private ActorCell[] ChildCells() => _extras?.Children?.Snapshot() ?? [];

    /// <summary>Tells the next slice of children to stop.</summary>
    /// <returns>True when all have been told.</returns>
    private bool StopNextChildren()
    {
        if (_extras is not { Children: { } children, Faults: { } faults })
        {
            return true;
        }

        // Downwards: a child that terminates meanwhile is replaced by the last one, which moves to a lower
        // place, so whatever was not told yet still lies ahead.
        for (var i = 0; i < ChildrenStoppedPerTurn && faults.StopCursor >= 0; i++, faults.StopCursor--)
        {
            if (children.At(faults.StopCursor) is { } child)
            {
                Stop(child);
            }
        }

        return faults.StopCursor < 0;
    }

    private void HandleChildTerminated(ActorCell child)
    {
        if (_extras?.Children is not { } children || !children.Remove(child))
        {
            return;
        }

        if (_extras.Faults is not { } faults)
        {
            return;
        }

        faults.Stats?.Remove(child);
        switch (faults.Waiting)
        {
            case WaitingFor.Restart when children.Stopping == 0:
                faults.Waiting = WaitingFor.Nothing;
                FinishRecreate(faults.RestartCause!);
                break;
            case WaitingFor.Creation when children.Stopping == 0:
                faults.Waiting = WaitingFor.Nothing;
                FinishCreate();
                break;
            case WaitingFor.Termination when children.Count == 0:
                FinishTerminate();
                break;
            default:
                break;
        }
    }
}
