using Router.Loop;

namespace Router.Cluster.Packs;

/// <summary>Another member, as whoever sends it packs sees it: what is on the way to it, and what has come from it.
/// </summary>
/// <remarks>
/// Remoting has no flow control: what a member does not take is kept here, without end. So each member acknowledges
/// what has come, and no more than a window is on the way to it. A member that is behind misses payloads, and no other
/// one does.
/// </remarks>
/// <param name="actor">Who takes the packs there.</param>
/// <param name="loops">How many there are here.</param>
/// <param name="messageOf">Makes a message of a pack's bytes.</param>
internal abstract class PackPeer(IActorRef actor, int loops, Func<byte[], object> messageOf)
{
    private readonly PackBuilder?[] _packs = new PackBuilder?[loops];   // each made by its own loop
    private long _sent;
    private long _acked;
    private long _missed;
    private long _onTheWayWhenMissed;
    private volatile bool _isGone;

    public IActorRef Actor => actor;

    public Address Address => actor.Path.Address;

    /// <summary>It is no member any more. Any thread.</summary>
    public bool IsGone => _isGone;

    /// <summary>Bytes that it has not acknowledged. Any thread.</summary>
    public long OnTheWay => Sent - Acked;

    /// <summary>Bytes of packs. Any thread.</summary>
    public long Sent => Volatile.Read(ref _sent);

    public long Acked => Volatile.Read(ref _acked);

    /// <summary>Payloads that it was not sent. Any thread.</summary>
    public long Missed => Volatile.Read(ref _missed);

    /// <summary>Bytes on the way to it when it last missed one. Any thread.</summary>
    public long OnTheWayWhenMissed => Volatile.Read(ref _onTheWayWhenMissed);

    /// <summary>The position of its last pack that has come, and the last that it was told so. The actor's.</summary>
    public long Received { get; set; }

    public long ReceivedTold { get; set; }

    /// <summary>As of the last tick. The actor's.</summary>
    public long AckedBefore { get; set; }

    public long MissedLogged { get; set; }

    public PackBuilder PackOn(IoLoop loop) => _packs[loop.Index] ??= new PackBuilder();

    public void CountMissed()
    {
        Interlocked.Increment(ref _missed);
        Volatile.Write(ref _onTheWayWhenMissed, OnTheWay);
    }

    /// <summary>Sends what the loop has gathered.</summary>
    public void Send(PackBuilder pack, IActorRef self)
    {
        if (_isGone)
        {
            pack.Clear();
            return;
        }

        actor.Tell(messageOf(pack.Take(Interlocked.Add(ref _sent, pack.Length))), self);
    }

    /// <summary>It has what was sent up to here. The actor's thread.</summary>
    public void OnAck(long position) => Volatile.Write(ref _acked, Math.Clamp(position, Acked, Sent));

    public void Remove() => _isGone = true;
}
