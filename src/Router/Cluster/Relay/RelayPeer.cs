using System.Collections.Concurrent;
using Router.Cluster.Packs;

namespace Router.Cluster.Relay;

/// <summary>Another member that has a relay.</summary>
/// <param name="relay">Its <see cref="RelayActor"/>.</param>
/// <param name="loops">How many there are here.</param>
internal sealed class RelayPeer(IActorRef relay, int loops) : PackPeer(relay, loops);

/// <summary>Members that are known, whether they have a relay or not. The actor's.</summary>
/// <param name="loops">How many there are here.</param>
/// <param name="onGone">Called after a peer is gone.</param>
internal sealed class RelayTable(int loops, Action onGone)
{
    /// <summary>Within two seconds.</summary>
    private const int FindTries = 4;

    private readonly ConcurrentDictionary<ActorPath, RelayMember> _members = [];   // the actor alone changes it

    public IEnumerable<RelayMember> Members => _members.Values;

    /// <summary>Those that have a relay. Any thread.</summary>
    public IEnumerable<RelayPeer> Peers =>
        _members.Values.Select(static member => member.Peer).OfType<RelayPeer>();   // it may come meanwhile

    /// <summary>Those that are asked for sessions.</summary>
    public RelayPeer[] Reachable =>
    [
        .. from member in _members.Values
           where member is { IsUnreachable: false, Peer: not null }
           select member.Peer,
    ];

    /// <summary>One that is heard of has not said whether it has a relay, and was not asked often yet.</summary>
    public bool IsFinding => _members.Values.Any(static member =>
        member is { IsUnreachable: false, Peer: null, Asked: < FindTries });

    /// <summary>The member that has a relay there; null if there is none.</summary>
    public RelayMember? Of(IActorRef relay) => _members.GetValueOrDefault(relay.Path);

    public RelayPeer? PeerOf(IActorRef relay) => Of(relay)?.Peer;

    /// <summary>There is a member.</summary>
    /// <param name="relay">Where its relay is, if it has one.</param>
    /// <param name="uid">Another one for each of its lives.</param>
    /// <returns>Null if it is known.</returns>
    public RelayMember? Add(IActorRef relay, int uid)
    {
        if (_members.TryGetValue(relay.Path, out var known) && known.Uid == uid)
        {
            return null;
        }

        RemovePeer(known);
        return _members[relay.Path] = new RelayMember(relay, uid);
    }

    /// <summary>The member's relay says that it is there.</summary>
    public void OnThere(RelayMember member, IActorRef relay)
    {
        if (member.Peer is null || !member.Peer.Actor.Equals(relay))
        {
            RemovePeer(member);
            member.Peer = new RelayPeer(relay, loops);
        }
    }

    /// <summary>The member is gone; another one at its place is not.</summary>
    public void Remove(IActorRef relay, int uid)
    {
        if (_members.TryGetValue(relay.Path, out var known) && known.Uid == uid)
        {
            RemovePeer(known);
            _members.TryRemove(relay.Path, out _);
        }
    }

    /// <summary>The member's relay is gone, if it had one.</summary>
    public void RemovePeer(RelayMember? member)
    {
        if (member?.Peer is { } peer)
        {
            member.Peer = null;
            peer.Remove();
            onGone();
        }
    }
}

/// <summary>A member of the cluster with listeners.</summary>
/// <param name="relay">Where its relay is, if it has one.</param>
/// <param name="uid">Another one for each of its lives.</param>
internal sealed class RelayMember(IActorRef relay, int uid)
{
    public IActorRef Relay => relay;

    public int Uid => uid;

    /// <summary>Null until its relay has said that it is there.</summary>
    public RelayPeer? Peer { get; set; }

    public bool IsUnreachable { get; set; }

    /// <summary>Times that it was asked whether it has a relay, and in how many ticks it is asked again.</summary>
    public int Asked { get; set; }

    public int TicksLeft { get; set; }
}
