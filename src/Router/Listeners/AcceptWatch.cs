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
    private uint _dropsSeen;   // the kernel's counter of that socket
    private bool _again;

    /// <summary>Called when connections wait, before they are accepted.</summary>
    public void OnWaiting()
    {
        if (IsArmed)
        {
            _again = true;
            return;
        }

        Look();
        shard.Loop.Schedule(this, shard.Loop.NowMs + IntervalMs);
    }

    /// <summary>Asks the kernel for the queue's length and the connections it has dropped.</summary>
    public void Look()
    {
        var socket = shard.Socket;
        if (socket.IsClosed)
        {
            return;
        }

        if (!ReferenceEquals(socket, _socket))
        {
            _socket = socket;   // a fresh socket counts from 0
            _dropsSeen = 0;
        }

        var queue = Math.Max(0, socket.QueueLength);
        Volatile.Write(ref shard.Counters.AcceptQueue, queue);
        Volatile.Write(ref shard.Counters.AcceptBacklog, socket.GrantedBacklog);
        if (socket.OverflowDrops is >= 0 and var drops && (uint)drops != _dropsSeen)
        {
            var since = (uint)drops - _dropsSeen;
            _dropsSeen = (uint)drops;
            shard.Counters.Drops.Add(DropReason.AcceptQueueFull, since);
            events.AcceptOverflow(shard.Listener, shard.Address, queue, socket.GrantedBacklog, since);
        }
    }

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
}
