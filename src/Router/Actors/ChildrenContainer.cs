namespace Router.Actors;

/// <summary>The children of one actor: a dense array in which each child knows its place, so that starting,
/// stopping and removing one are constant time; a dictionary only for children with given names.</summary>
/// <remarks>Locked, because the guardian's children are made by any thread.</remarks>
internal sealed class ChildrenContainer
{
    private readonly Lock _lock = new();
    private ActorCell?[] _children = new ActorCell?[4];
    private Dictionary<string, ActorCell?>? _named;
    private int _count;
    private int _stopping;
    private int _nextNumber;
    private bool _closed;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>Children their parent has told to stop and that have not yet terminated.</summary>
    public int Stopping
    {
        get
        {
            lock (_lock)
            {
                return _stopping;
            }
        }
    }

    /// <summary>Makes and adds a child; it has not started yet.</summary>
    public ActorCell Add(ActorRefBase parent, Props props, ResolvedProps resolved, string? name)
    {
        lock (_lock)
        {
            if (_closed)
            {
                throw new InvalidOperationException(
                    $"Cannot create a child of {parent}: it is terminating or has terminated.");
            }

            if (name is not null && !(_named ??= []).TryAdd(name, null))
            {
                throw new InvalidActorNameException($"Actor name \"{name}\" is not unique.");
            }

            var child = new ActorCell(parent, props, resolved, name, name is null ? _nextNumber++ : 0);
            if (name is not null)
            {
                _named![name] = child;
            }

            if (_count == _children.Length)
            {
                Array.Resize(ref _children, _count * 2);
            }

            child.ChildIndex = _count;
            _children[_count++] = child;
            return child;
        }
    }

    public bool Contains(ActorCell child)
    {
        lock (_lock)
        {
            var index = PlaceOf(child);
            return index < _count && ReferenceEquals(_children[index], child);
        }
    }

    /// <summary>Removes a terminated child and frees its name.</summary>
    /// <returns>False when it was no child.</returns>
    public bool Remove(ActorCell child)
    {
        lock (_lock)
        {
            var index = PlaceOf(child);
            if (index >= _count || !ReferenceEquals(_children[index], child))
            {
                return false;
            }

            if (child.ChildIndex < 0)
            {
                _stopping--;
            }

            var last = _children[--_count]!;
            _children[_count] = null;
            if (!ReferenceEquals(last, child))
            {
                _children[index] = last;
                last.ChildIndex = last.ChildIndex < 0 ? ~index : index;
            }

            if (_named is not null && !child.HasAutomaticName)
            {
                _named.Remove(child.Name);
            }

            return true;
        }
    }

    /// <summary>Notes that the parent tells this child to stop.</summary>
    public void MarkStopping(ActorCell child)
    {
        lock (_lock)
        {
            if (child.ChildIndex >= 0)
            {
                child.ChildIndex = ~child.ChildIndex;
                _stopping++;
            }
        }
    }

    /// <summary>No child is added from here on.</summary>
    /// <returns>How many there are.</returns>
    public int Close()
    {
        lock (_lock)
        {
            _closed = true;
            return _count;
        }
    }

    public ActorCell? At(int index)
    {
        lock (_lock)
        {
            return index < _count ? _children[index] : null;
        }
    }

    public ActorCell? Find(string name)
    {
        lock (_lock)
        {
            if (_named is not null && _named.TryGetValue(name, out var named))
            {
                return named;
            }

            var number = AutomaticName.Parse(name);
            for (var i = 0; number >= 0 && i < _count; i++)
            {
                if (_children[i]!.HasAutomaticName && _children[i]!.AutomaticNumber == number)
                {
                    return _children[i];
                }
            }

            return null;
        }
    }

    public ActorCell[] Snapshot()
    {
        lock (_lock)
        {
            return _children.AsSpan(0, _count).ToArray()!;
        }
    }

    private static int PlaceOf(ActorCell child) => child.ChildIndex < 0 ? ~child.ChildIndex : child.ChildIndex;
}
