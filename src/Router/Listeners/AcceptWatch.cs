using Router.Diagnostics;
using Router.Loop;
using Router.Net;

namespace Router.Listeners;

/// <summary>Looks at the accept queue of a listening socket: when connections come after a quiet time, and once a
/// second while they come. It does not look at an idle listener.</summary>
internal sealed class AcceptWatch(TcpShard shard, IListenerEvents events) : LoopTimer
{
    private const int IntervalMs = 1_000;

    private StreamListener? _socket;
    private uint _droppedSeen;   // the kernel's counter of that socket
    private long _overflowsSeen = shard.OverflowsAtStart;
    private bool _again;

    /// <summary>Called when connections wait, before they are accepted.</summary>
    public void OnWaiting()
    {
        if (IsArmed)
        {
            _again = true;
            return;
        }

        Look(keepsUp: false);
        shard.Loop.Schedule(this, shard.Loop.NowMs + IntervalMs);
    }

    /// <summary>Asks the kernel for the queue's length, and for attempts that it has dropped because the queue was
    /// full.</summary>
    public void Look() => Look(keepsUp: true);

    public void Stop() => shard.Loop.Cancel(this);

    internal override void OnTimer()
    {
        Look();
        if (_again)
        {
            _again = false;
            shard.Loop.Schedule(this, shard.Loop.NowMs + IntervalMs);
        }
    }

    /// <param name="keepsUp">Whether the namespace's counter is read also where nothing was dropped here: it is a file,
    /// for which no connection waits.</param>
    private void Look(bool keepsUp)
    {
        var socket = shard.Socket;
        if (socket.IsClosed)
        {
            return;
        }

        if (!ReferenceEquals(socket, _socket))
        {
            _socket = socket;   // a fresh socket counts from 0
            _droppedSeen = 0;
        }

        var queue = Math.Max(0, socket.QueueLength);
        Volatile.Write(ref shard.Counters.AcceptQueue, queue);
        Volatile.Write(ref shard.Counters.AcceptBacklog, socket.GrantedBacklog);
        var dropped = socket.DroppedAttempts is >= 0 and var total ? (uint)total - _droppedSeen : 0;
        _droppedSeen += dropped;
        if (dropped == 0 && !keepsUp)
        {
            return;
        }

        // The socket's counter has attempts that clients reset too. The namespace's has full queues alone, but of all
        // sockets: no more of ours than either says were dropped because the queue was full.
        var overflows = shard.Loop.Network.ReadAcceptOverflows();
        var count = Math.Min(dropped, Math.Max(0, overflows - _overflowsSeen));
        _overflowsSeen = overflows;
        if (count > 0)
        {
            shard.Counters.Drops.Add(DropReason.AcceptQueueFull, count);
            events.AcceptOverflow(shard.Listener, shard.Address, queue, socket.GrantedBacklog, count);
        }
    }
}
