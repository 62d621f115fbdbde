using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>What most sessions never need; made when one of it is first needed, and at once for a handler on the pool:
/// its loop alone makes one later.</summary>
internal sealed class SessionExtras
{
    /// <summary>Handlers replaced after failures.</summary>
    public int Restarts;

    /// <summary>Loop time of the handler's own timer; -1 while none is set.</summary>
    public long TimerSetMs = -1;

    /// <summary>What the handler failed by, until a fresh one is in place.</summary>
    public Exception? Failure;

    public DropCounters? Drops;

    /// <summary>Of a datagram session that has a socket of its own.</summary>
    public PeerSocket? Socket;

    /// <summary>Of a session over a connection that keeps messages apart.</summary>
    public SessionContext.PacketState? Packets;

    /// <summary>What is disposed with the handler: itself, or also the scope of its services.</summary>
    public object? Owned;

    public long DropCount;

    // What waits between a loop and a handler that cannot take it now: any thread, atomically.
    public int WaitingMessages;
    public int WaitingBytes;
    public int WaitingBuffers;    // one per message
    public int ReplyBytes;        // on their way to the loop
    public int UnsentBytes;       // of a stream: arrived there, not yet sent
    public int DrainedAsked;
}

/// <summary>What sessions that began alike share: 8 bytes in each instead of 32.</summary>
internal sealed class SharedStart(in LocalAddr local, Route route)
{
    /// <summary>Where the peer sent to, on a wildcard bind; empty otherwise.</summary>
    public readonly LocalAddr Local = local;

    /// <summary>The listener's at that time.</summary>
    public Route Route => route;
}
