using Router.Loop;

namespace Router.Routes;

/// <summary>The members of a room on one loop. That loop's alone, but for <see cref="Count"/>.</summary>
internal sealed class RoomPlace(IoLoop loop)
{
    private int _count;

    public IoLoop Loop => loop;

    public List<RoomHandler> Members { get; } = [];

    /// <summary>How many there are; any thread.</summary>
    public int Count => Volatile.Read(ref _count);

    public void Add(RoomHandler member)
    {
        member.Index = Members.Count;
        Members.Add(member);
        Volatile.Write(ref _count, Members.Count);
    }

    /// <summary>The last one takes its place.</summary>
    public void Remove(RoomHandler member)
    {
        var last = Members[^1];
        Members[member.Index] = last;
        last.Index = member.Index;
        Members.RemoveAt(Members.Count - 1);
        Volatile.Write(ref _count, Members.Count);
    }
}

/// <summary>Sessions that hear each other. Joining and leaving: any loop, under the directory's lock.</summary>
internal sealed class Room(string name)
{
    private volatile RoomPlace[] _places = [];

    public string Name => name;

    /// <summary>Of all loops; under the directory's lock.</summary>
    public int Members { get; set; }

    /// <summary>One per loop that ever had a member; grows only. Any thread.</summary>
    public ReadOnlySpan<RoomPlace> Places => _places;

    /// <summary>The members on this loop; null if there never was one.</summary>
    public RoomPlace? PlaceOn(IoLoop loop)
    {
        foreach (var place in _places)
        {
            if (ReferenceEquals(place.Loop, loop))
            {
                return place;
            }
        }

        return null;
    }

    /// <summary>Under the directory's lock.</summary>
    public RoomPlace MakePlaceOn(IoLoop loop)
    {
        var place = PlaceOn(loop);
        if (place is null)
        {
            place = new RoomPlace(loop);
            _places = [.. _places, place];
        }

        return place;
    }
}

/// <summary>The rooms of a route. Asked when a session joins or leaves, never for a payload.</summary>
internal sealed class RoomDirectory(int roomsMax, int membersMax)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Room> _rooms = new(StringComparer.Ordinal);

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _rooms.Count;
            }
        }
    }

    /// <summary>Takes a place in the room, which is made if need be; null if it, or the route, is full. On the
    /// member's loop.</summary>
    public RoomPlace? Join(string name, RoomHandler member, IoLoop loop, out Room? room)
    {
        lock (_lock)
        {
            if (!_rooms.TryGetValue(name, out room))
            {
                if (_rooms.Count >= roomsMax)
                {
                    return null;
                }

                _rooms[name] = room = new Room(name);
            }

            if (room.Members >= membersMax)
            {
                return null;
            }

            room.Members++;
            var place = room.MakePlaceOn(loop);
            place.Add(member);
            return place;
        }
    }

    /// <summary>Gives the place back; the last one takes the room along. On the member's loop.</summary>
    public void Leave(Room room, RoomPlace place, RoomHandler member)
    {
        lock (_lock)
        {
            place.Remove(member);
            if (--room.Members == 0)
            {
                _rooms.Remove(room.Name);
            }
        }
    }
}
