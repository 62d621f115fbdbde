namespace Router.Actors;

/// <summary>The children of one actor: a dense list in which each child knows its place, so that starting,
/// stopping and removing one are constant time; a dictionary only for children with given names.</summary>
/// <remarks>Locked, because the guardian's children are made by any thread. The list is made of chunks: its growth
/// copies at most one of them, where a single array of a million would be copied in one turn.</remarks>
internal sealed class ChildrenContainer
{
    private const int ChunkBits = 10;
    private const int ChunkSize = 1 << ChunkBits;
    private const int FirstSize = 4;

    private readonly Lock _lock = new();

    /// <summary>The first grows to its full size, the others have it.</summary>
    private readonly List<ActorCell?[]> _chunks = [new ActorCell?[FirstSize]];

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
    public ActorCell Add(
        ActorRefBase parent, Props props, ResolvedProps resolved, string? name, ActorCell? prepared)
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

            var child = prepared ?? new ActorCell();
            child.Init(parent, props, resolved, name, name is null ? _nextNumber++ : 0);
            if (name is not null)
            {
                _named![name] = child;
            }

            Reserve();
            child.ChildIndex = _count;
            Place(_count++) = child;
            return child;
        }
    }

    public bool Contains(ActorCell child)
    {
        lock (_lock)
        {
            var index = PlaceOf(child);
            return index < _count && ReferenceEquals(Place(index), child);
        }
    }

    /// <summary>Removes a terminated child and frees its name.</summary>
    /// <returns>False when it was no child.</returns>
    public bool Remove(ActorCell child)
    {
        lock (_lock)
        {
            var index = PlaceOf(child);
            if (index >= _count || !ReferenceEquals(Place(index), child))
            {
                return false;
            }

            if (child.ChildIndex < 0)
            {
                _stopping--;
            }

            ref var lastPlace = ref Place(--_count);
            var last = lastPlace!;
            lastPlace = null;
            if (!ReferenceEquals(last, child))
            {
                Place(index) = last;
                last.ChildIndex = last.ChildIndex < 0 ? ~index : index;
            }

            if (_named is not null && !child.HasAutomaticName)
            {
                _named.Remove(child.Name);
            }

            GiveBack();
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
            return index < _count ? Place(index) : null;
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
                if (Place(i) is { HasAutomaticName: true } child && child.AutomaticNumber == number)
                {
                    return child;
                }
            }

            return null;
        }
    }

    public ActorCell[] Snapshot()
    {
        lock (_lock)
        {
            var children = new ActorCell[_count];
            for (var i = 0; i < children.Length; i++)
            {
                children[i] = Place(i)!;
            }

            return children;
        }
    }

    private ref ActorCell? Place(int index) => ref _chunks[index >> ChunkBits][index & (ChunkSize - 1)];

    /// <summary>Makes room for one more.</summary>
    private void Reserve()
    {
        if (_count == _chunks[0].Length && _count < ChunkSize)
        {
            var first = _chunks[0];
            Array.Resize(ref first, _count * 2);
            _chunks[0] = first;
        }
        else if (_count == _chunks.Count << ChunkBits)
        {
            _chunks.Add(new ActorCell?[ChunkSize]);
        }
    }

    /// <summary>Lets go of an empty chunk, keeping one to spare.</summary>
    private void GiveBack()
    {
        if (_chunks.Count > 1 && _count <= (_chunks.Count - 2) << ChunkBits)
        {
            _chunks.RemoveAt(_chunks.Count - 1);
        }
    }

    private static int PlaceOf(ActorCell child) => child.ChildIndex < 0 ? ~child.ChildIndex : child.ChildIndex;
}
