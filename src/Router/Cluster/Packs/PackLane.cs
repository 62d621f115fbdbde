namespace Router.Cluster.Packs;

/// <summary>What one loop says to one member. Loop thread only, but for <see cref="Wake"/>.</summary>
/// <remarks>
/// A message between members costs some 45 us of CPU, however little is in it. So a loop that sends packs quickly one
/// after the other holds the next until the member has said that the last has come, and gathers meanwhile: the more
/// there is to say, the more is in each pack. A loop that says something now and then sends it at once, and nothing is
/// acknowledged for it.
/// </remarks>
internal sealed class PackLane(PackPeer peer, PackOutbox outbox)
{
    /// <summary>Packs that follow each other sooner than this are a stream.</summary>
    private const long StreamGapMs = 2;

    private long _sentMs = -StreamGapMs;
    private long _awaited;   // the position of the last pack that wants to be acknowledged
    private int _isHeld;

    public PackPeer Peer => peer;

    public PackBuilder Pack { get; } = new();

    /// <summary>It is in the outbox's list of those that have something to say.</summary>
    public bool IsOpen { get; set; }

    /// <summary>Sends the pack if it need not be held.</summary>
    /// <returns>False if it is held: the outbox runs again when it need not be any more.</returns>
    public bool TrySend(IActorRef self)
    {
        if (MustHold)
        {
            Volatile.Write(ref _isHeld, 1);
            Interlocked.MemoryBarrier();   // an acknowledgement after this wakes the loop; one before it is seen here
            if (MustHold)
            {
                return false;
            }

            Volatile.Write(ref _isHeld, 0);
        }

        Send(self);
        return true;
    }

    /// <summary>Sends the pack, held or not.</summary>
    public void Send(IActorRef self)
    {
        var nowMs = outbox.Loop.NowMs;
        var isStream = nowMs - _sentMs < StreamGapMs;
        var position = peer.Send(Pack, isStream, self);
        _sentMs = nowMs;
        if (isStream)
        {
            Volatile.Write(ref _awaited, position);
        }
    }

    /// <summary>The member has acknowledged something, or is gone. Any thread.</summary>
    public void Wake()
    {
        if (Volatile.Read(ref _isHeld) == 1 && !MustHold && Interlocked.Exchange(ref _isHeld, 0) == 1)
        {
            outbox.Loop.Enqueue(outbox);
        }
    }

    private bool MustHold => peer.Acked < Volatile.Read(ref _awaited) && !peer.IsGone;
}
