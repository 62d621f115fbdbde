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

    /// <summary>What is disposed with the handler: itself, or also the scope of its services.</summary>
    public object? Owned;

    /// <summary>Who the peer is, on a listener whose sessions have identities.</summary>
    public SessionIdentity? Identity;

    /// <summary>Of one session in so many, where spans are wanted.</summary>
    public System.Diagnostics.Activity? Span;

    /// <summary>While somebody has it traced.</summary>
    public TracedSession? Traced;

    /// <summary>Of a session that other threads reply to; a <see cref="PoolBridge"/> if its handler runs on the pool.
    /// </summary>
    public PostedReplies? Posted;

    // What waits in the mailbox, copied, for a handler that cannot take it now: any thread, atomically.
    private int _waitingMessages;
    private int _waitingBytes;
    private int _waitingBuffers;    // one per message

    public int WaitingMessages => Volatile.Read(ref _waitingMessages);

    public int WaitingBytes => Volatile.Read(ref _waitingBytes);

    public int WaitingBuffers => Volatile.Read(ref _waitingBuffers);

    /// <summary>Counts a payload message in, if the mailbox has room for it. Loop thread.</summary>
    public bool TryEnter(SessionSettings limits, int messages, int bytes)
    {
        if (WaitingMessages + messages > limits.MailboxMessages || WaitingBytes + bytes > limits.MailboxBytes)
        {
            return false;
        }

        Enter(messages, bytes);
        return true;
    }

    /// <summary>Counts a payload message in, whatever waits. Any thread.</summary>
    public void Enter(int messages, int bytes)
    {
        Interlocked.Add(ref _waitingMessages, messages);
        Interlocked.Add(ref _waitingBytes, bytes);
        Interlocked.Increment(ref _waitingBuffers);
    }

    /// <summary>Counts it out again: handled or dropped. Any thread.</summary>
    public void Leave(int messages, int bytes)
    {
        LeavePart(messages, bytes);
        Interlocked.Decrement(ref _waitingBuffers);
    }

    /// <summary>Counts some payloads of a message out, whose others still wait in its buffer.</summary>
    public void LeavePart(int messages, int bytes)
    {
        Interlocked.Add(ref _waitingMessages, -messages);
        Interlocked.Add(ref _waitingBytes, -bytes);
    }

    /// <summary>Takes out what is to be disposed with the handler; null if there is nothing.</summary>
    public object? TakeOwned()
    {
        var owned = Owned;
        Owned = null;
        return owned;
    }
}

/// <summary>What sessions that began alike share: 8 bytes in each instead of 32.</summary>
internal sealed class SharedStart(SessionTransport transport, in LocalAddr local, Route route)
{
    public SessionTransport Transport => transport;

    /// <summary>Where the peer sent to, on a wildcard bind; empty otherwise.</summary>
    public readonly LocalAddr Local = local;

    /// <summary>The listener's at that time.</summary>
    public Route Route => route;
}
