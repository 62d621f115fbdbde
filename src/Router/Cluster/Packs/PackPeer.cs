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
internal abstract class PackPeer(IActorRef actor, int loops)
{
    private const int AckBytes = 128 << 10;   // a quarter of the smallest window

    private readonly PackLane?[] _lanes = new PackLane?[loops];   // each made by its own loop
    private long _sent;
    private long _acked;
    private long _missed;
    private long _onTheWayWhenMissed;
    private long _received;
    private long _receivedTold;
    private long _ackedBefore;
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

    /// <summary>The actor's.</summary>
    public long MissedLogged { get; set; }

    /// <summary>What an outbox's loop says to this member. The loop's thread.</summary>
    public PackLane LaneOf(PackOutbox outbox) => _lanes[outbox.Loop.Index] ??= new PackLane(this, outbox);

    public void CountMissed()
    {
        Interlocked.Increment(ref _missed);
        Volatile.Write(ref _onTheWayWhenMissed, OnTheWay);
    }

    /// <summary>Sends what a loop has gathered.</summary>
    /// <returns>The position of the pack.</returns>
    public long Send(PackBuilder pack, bool wantsAck, IActorRef self)
    {
        if (_isGone)
        {
            pack.Clear();
            return Acked;
        }

        var position = Interlocked.Add(ref _sent, pack.Length);
        actor.Tell(new Pack(pack.Take(new PackHead(position, wantsAck))), self);
        return position;
    }

    /// <summary>It has what was sent up to here. The actor's thread.</summary>
    public void OnAck(long position)
    {
        Volatile.Write(ref _acked, Math.Clamp(position, Acked, Sent));
        WakeHeld();
    }

    /// <summary>A pack has come from it. The actor's thread.</summary>
    /// <returns>It is to be told so now: see <see cref="TellReceived"/>.</returns>
    public bool OnPack(PackHead head)
    {
        _received = Math.Max(_received, head.Position);
        return head.WantsAck || _received - _receivedTold >= AckBytes;
    }

    /// <summary>It asks what has come of what it has sent up to here. The actor's thread.</summary>
    public void OnProbe(long position) => _received = Math.Max(_received, position);

    /// <summary>The position to acknowledge. The actor's thread.</summary>
    public long TellReceived() => _receivedTold = _received;

    /// <summary>Some time has passed. The actor's thread.</summary>
    /// <returns>Nothing was acknowledged since the last time, and something is on the way: it is to be asked.</returns>
    public bool OnTick()
    {
        var isStill = OnTheWay > 0 && Acked == _ackedBefore;
        _ackedBefore = Acked;
        return isStill;
    }

    /// <summary>It is gone: what is sent to it from now on is dropped. The actor's thread.</summary>
    public void Remove()
    {
        _isGone = true;
        WakeHeld();
    }

    private void WakeHeld()
    {
        Interlocked.MemoryBarrier();   // a loop that holds a pack after this sees why it need not
        foreach (var lane in _lanes)
        {
            lane?.Wake();
        }
    }
}
