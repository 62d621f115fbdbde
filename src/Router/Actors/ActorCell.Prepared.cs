namespace Router.Actors;

/// <summary>Children made ahead: whoever expects many in a rush has the objects lie ready, and old.</summary>
internal sealed partial class ActorCell
{
    /// <summary>Makes a cell and its actor for a child to come; nobody's until <see cref="ActorOf(Props, ActorCell)"/>,
    /// and dropped by being forgotten. Any thread.</summary>
    /// <param name="make">Makes the actor, whose constructor may not use its context.</param>
    public static ActorCell Prepare(Func<ActorBase> make)
    {
        var outer = _constructing;
        var cell = _constructing = new ActorCell();
        try
        {
            cell._actor = make();
        }
        finally
        {
            _constructing = outer;
        }

        return cell;
    }

    /// <summary>Starts a child in a cell that was prepared for it, once: the actor in it is the first instance, and the
    /// recipe makes those after it.</summary>
    /// <exception cref="ArgumentException">The actor is not of the recipe's type, or the cell is in use.</exception>
    public IActorRef ActorOf(Props props, ActorCell prepared)
    {
        if (prepared._parent is not null || prepared._actor?.GetType() != props.Type)
        {
            throw new ArgumentException(
                $"The cell was not prepared for a [{props.Type}], or is in use.", nameof(prepared));
        }

        return MakeChild(props, name: null, prepared);
    }
}
