using Router.Diagnostics;
using Router.Loop;

namespace Router.Sessions;

/// <summary>Replies from other threads than the session's loop: copied, posted to the loop, which is woken, and bounded
/// by <c>mailbox-bytes</c>.</summary>
/// <remarks>A reply that was taken from a connection's handler is kept however much waits there; what waits counts
/// against the next ones. One that comes too late is a counted drop.</remarks>
internal class PostedReplies(SessionContext session)
{
    /// <summary>What a reply counts at least, so that small ones are bounded too.</summary>
    private const int ReplyBytesMin = 64;

    private readonly BufferPool _buffers = session.Loop.Buffers;
    private int _bytes;     // under way; any thread, atomically, as the next one
    private int _refused;   // since the loop was last asked to see to it: asked once, however often a thread tries

    protected SessionContext Session => session;

    protected BufferPool Buffers => _buffers;

    /// <summary>What is under way to the loop. Any thread.</summary>
    public int UnderWayBytes => Volatile.Read(ref _bytes);

    /// <summary>Takes a reply to the loop. Any thread.</summary>
    /// <returns>False if it was not taken: the session is closed, or too much is under way. Then a datagram is a
    /// counted drop, and a connection's handler is told by <see cref="SessionHandler.OnDrained"/> when to go on.
    /// </returns>
    public bool Post(ReadOnlySpan<byte> payload)
    {
        if (session.IsClosed)
        {
            return false;
        }

        var counted = Counted(payload.Length);
        var waiting = Interlocked.Add(ref _bytes, counted) + (session.Carrier?.UnsentBytes ?? 0);
        if (waiting > session.Shard.Settings.MailboxBytes && waiting != counted)
        {
            Interlocked.Add(ref _bytes, -counted);
            Refuse();
            return false;
        }

        var bytes = _buffers.Rent(payload.Length);
        payload.CopyTo(bytes);
        session.Loop.Enqueue(new PostedReply(this, bytes, payload.Length));
        return true;
    }

    /// <summary>A reply has arrived on the loop.</summary>
    private void Land(ReadOnlySpan<byte> payload)
    {
        Interlocked.Add(ref _bytes, -Counted(payload.Length));
        if (session.IsClosed)
        {
            session.CountDrop(DropReason.SessionClosed);
        }
        else if (session.Transport.IsConnectionless())
        {
            session.ReplyOnLoop(payload);   // counts what it does not take
        }
        else if (session.Identified is { TakesReplies: true } identity)
        {
            identity.Hold(payload);   // counts what it does not take
        }
        else if (!session.Carrier!.Keep(payload))
        {
            session.CountDrop(DropReason.SessionClosed);   // behind the end of the replies, or the connection is gone
        }
        else
        {
            session.Stream?.Resume();   // what was under way may have kept it from being read
        }
    }

    private void Refuse()
    {
        if (Interlocked.Increment(ref _refused) == 1)
        {
            session.OnLoop(OnRefused, this);   // behind what is under way now
        }
    }

    private static void OnRefused(SessionContext session, PostedReplies replies)
    {
        var refused = Interlocked.Exchange(ref replies._refused, 0);
        if (session.Transport.IsConnectionless())
        {
            session.CountDrop(DropReason.SendFull, refused);
        }
        else if (session.Carrier is { UnsentBytes: 0 })   // else it is told once that has been sent
        {
            session.Ref.Tell(StreamDrained.Instance, ActorRefs.NoSender);
        }
    }

    private static int Counted(int length) => Math.Max(length, ReplyBytesMin);

    private sealed class PostedReply(PostedReplies replies, byte[] bytes, int length) : IRunnable
    {
        public void Run()
        {
            replies.Land(bytes.AsSpan(0, length));
            replies._buffers.Return(bytes);
        }

        public void Execute() => Run();
    }
}
