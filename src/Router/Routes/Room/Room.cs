using Router.Loop;
using Router.Sessions;

namespace Router.Routes;

/// <summary>The members of a room on one loop. That loop's thread only, but for <see cref="Count"/>.</summary>
internal sealed class LoopMembers(IoLoop loop)
{
    private int _count;

    public IoLoop Loop => loop;

    public List<RoomHandler> Members { get; } = [];

    /// <summary>How many there are. Any thread.</summary>
    public int Count => Volatile.Read(ref _count);

    public void Add(RoomHandler member)
    {
        member.Index = Members.Count;
        Members.Add(member);
        Volatile.Write(ref _count, Members.Count);
    }

    public void Remove(RoomHandler member)
    {
        var last = Members[^1];   // takes its place
        Members[member.Index] = last;
        last.Index = member.Index;
        Members.RemoveAt(Members.Count - 1);
        Volatile.Write(ref _count, Members.Count);
    }
}

/// <summary>Sessions that hear each other. They join and leave on any loop, under the directory's lock.</summary>
internal sealed class Room(string name)
{
    private volatile LoopMembers[] _membersByLoop = [];

    public string Name => name;

    /// <summary>Its way to other members of the cluster; null if it has none. Set before anybody is in it.</summary>
    public IRoomReach? Reach { get; set; }

    /// <summary>How many there are on all loops. Under the directory's lock.</summary>
    public int MemberCount { get; set; }

    /// <summary>One for each loop that ever had a member; grows only. Any thread.</summary>
    public ReadOnlySpan<LoopMembers> MembersByLoop => _membersByLoop;

    /// <summary>The members on this loop; null if there never was one.</summary>
    public LoopMembers? MembersOn(IoLoop loop)
    {
        foreach (var members in _membersByLoop)
        {
            if (ReferenceEquals(members.Loop, loop))
            {
                return members;
            }
        }

        return null;
    }

    /// <summary>Under the directory's lock.</summary>
    public LoopMembers MakeMembersOn(IoLoop loop)
    {
        var members = MembersOn(loop);
        if (members is null)
        {
            members = new LoopMembers(loop);
            _membersByLoop = [.. _membersByLoop, members];
        }

        return members;
    }
}

/// <summary>The rooms of a route. Asked when a session joins or leaves, never for a payload.</summary>
internal sealed class RoomDirectory(int roomsMax, int membersMax)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Room> _rooms = new(StringComparer.Ordinal);

    /// <summary>Opens a fresh room's way to other members of the cluster; null where rooms are of this member alone.
    /// </summary>
    public Func<Room, IRoomReach>? Open { get; set; }

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

    /// <summary>Adds a member to the room, which is made if need be. The member's loop.</summary>
    /// <returns>The members on that loop; null if the room, or the route, is full.</returns>
    public LoopMembers? Join(string name, RoomHandler member, IoLoop loop, out Room? room)
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
                room.Reach = Open?.Invoke(room);
            }

            if (room.MemberCount >= membersMax)
            {
                return null;
            }

            room.MemberCount++;
            var members = room.MakeMembersOn(loop);
            members.Add(member);
            return members;
        }
    }

    /// <summary>Takes a member out; the room goes with its last one. The member's loop.</summary>
    public void Leave(Room room, LoopMembers members, RoomHandler member)
    {
        lock (_lock)
        {
            members.Remove(member);
            if (--room.MemberCount == 0)
            {
                _rooms.Remove(room.Name);
                room.Reach?.Close();
            }
        }
    }
}

/// <summary>A room's ear for other members of the cluster.</summary>
internal sealed class RoomHearer(RoomRoute route, Room room) : IRoomHearer
{
    public bool IsHeardOn(IoLoop loop) => room.MembersOn(loop) is { Count: > 0 };

    public void Hear(IoLoop loop, ReadOnlySpan<byte> payload) => route.On(loop).Receive(room, payload);
}
