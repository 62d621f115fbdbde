using System.Collections.Concurrent;

namespace Router.Cluster.Rooms;

/// <summary>Rooms and members, as the actor knows them. The actor's, but for the figures.</summary>
internal sealed class RoomTable(int loops)
{
    private readonly Dictionary<long, RoomPort> _ports = [];
    private readonly ConcurrentDictionary<IActorRef, RoomPeer> _peers = [];   // the actor alone changes it
    private readonly HashSet<Address> _members = [];
    private long _rooms;
    private long _listeners;

    /// <summary>Any thread.</summary>
    public long Rooms => Volatile.Read(ref _rooms);

    /// <summary>Any thread.</summary>
    public long Listeners => Volatile.Read(ref _listeners);

    /// <summary>Other members. Any thread.</summary>
    public IEnumerable<RoomPeer> Peers => _peers.Values;

    public IEnumerable<RoomPort> Ports => _ports.Values;

    public void AddMember(Address member) => _members.Add(member);

    /// <summary>Forgets a member and all that it hears.</summary>
    public void RemoveMember(Address member)
    {
        _members.Remove(member);
        foreach (var peer in _peers.Values.Where(peer => peer.Address == member).ToList())
        {
            peer.Remove();
            _peers.TryRemove(peer.Actor, out _);
            foreach (var topic in peer.Ports.Values.Distinct().ToList())
            {
                topic.Set(peer, []);
            }
        }

        Count();
    }

    /// <summary>A member by its actor; null if it is none, or not yet. It is not forgotten before it is removed: its
    /// positions go on.</summary>
    public RoomPeer? PeerOf(IActorRef rooms)
    {
        if (!_members.Contains(rooms.Path.Address))
        {
            return null;
        }

        if (!_peers.TryGetValue(rooms, out var peer))
        {
            _peers[rooms] = peer = new RoomPeer(rooms, loops);
        }

        return peer;
    }

    public RoomPort? PortOf(long id) => _ports.GetValueOrDefault(id);

    public void Add(RoomPort port)
    {
        _ports[port.Id] = port;
        Count();
    }

    public bool Remove(RoomPort port)
    {
        port.Targets = [];
        return _ports.Remove(port.Id);
    }

    /// <summary>Brings the figures up to date.</summary>
    public void Count()
    {
        Volatile.Write(ref _rooms, _ports.Count);
        Volatile.Write(ref _listeners, _peers.Values.Sum(static peer => (long)peer.Ports.Count));
    }
}
