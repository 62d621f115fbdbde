namespace Router.Cluster.Rooms;

/// <summary>How far a topic is subscribed to.</summary>
internal enum RoomTopicState
{
    /// <summary>It waits for its turn.</summary>
    Waiting,

    /// <summary>The mediator has been asked.</summary>
    Asked,

    Subscribed,
}

/// <summary>A room's topic. The actor's.</summary>
internal sealed class RoomTopic(string name)
{
    private readonly Dictionary<RoomPeer, IReadOnlyList<long>> _peers = [];

    public string Name => name;

    public RoomTopicState State { get; set; }

    /// <summary>This member's rooms of it; with none it is kept for a while.</summary>
    public List<RoomPort> Ports { get; } = [];

    /// <summary>Members with sessions in the room.</summary>
    public IReadOnlyCollection<RoomPeer> Peers => _peers.Keys;

    /// <summary>Announcements since it began, or since members have changed.</summary>
    public int Step { get; set; }

    /// <summary>When it is announced next.</summary>
    public long DueMs { get; set; }

    /// <summary>Since when there has been no port.</summary>
    public long EmptySinceMs { get; set; }

    /// <summary>The member hears on these ports, and on no others.</summary>
    /// <returns>Whether it did not before.</returns>
    public bool Set(RoomPeer peer, IReadOnlyList<long> ports)
    {
        var before = _peers.GetValueOrDefault(peer);
        if (before is not null && before.SequenceEqual(ports))
        {
            return false;
        }

        foreach (var port in before ?? [])
        {
            peer.Ports.Remove(port);
        }

        foreach (var port in ports)
        {
            peer.Ports[port] = this;
        }

        if (ports.Count == 0)
        {
            _peers.Remove(peer);
        }
        else
        {
            _peers[peer] = ports;
        }

        Share();
        return before is null && ports.Count > 0;
    }

    /// <summary>The member does not hear on this port any more.</summary>
    public void Remove(RoomPeer peer, long port) =>
        Set(peer, [.. _peers.GetValueOrDefault(peer, []).Where(known => known != port)]);

    public void RemovePeers()
    {
        foreach (var peer in _peers.Keys.ToList())
        {
            Set(peer, []);
        }
    }

    /// <summary>Tells the ports where what is said in them goes to.</summary>
    public void Share()
    {
        RoomTarget[] targets =
            [.. _peers.SelectMany(static peer => peer.Value.Select(port => new RoomTarget(peer.Key, port)))];
        foreach (var port in Ports)
        {
            port.Targets = targets;
        }
    }
}
