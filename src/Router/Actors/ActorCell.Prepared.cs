namespace Router.Actors;

/// <summary>Prepared children: whoever expects many in a rush has the objects lie ready, and old.</summary>
internal sealed partial class ActorCell
{
    /// <summary>Makes a cell and its actor for a child to come; nobody's until <see cref="ActorOf(Props, ActorCell)"/>,
    /// and dropped by being forgotten. Any thread.</summary>
    /// <param name="make">Makes the actor.</param>
    /// <exception cref="ArgumentException">It was made elsewhere, or its constructor used its context: there is no
    /// system yet.</exception>
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

        return ReferenceEquals(cell._actor.Cell, cell) && cell._extras is null
            ? cell
            : throw new ArgumentException("A prepared actor is made here, and leaves its context alone.", nameof(make));
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
