using Router.Diagnostics;
using Router.Loop;
using Router.Net;

namespace Router.Sessions;

/// <summary>A shard whose sessions share one datagram socket: what that receives into, and what they send from.
/// </summary>
/// <remarks>Loop thread only.</remarks>
internal abstract class DatagramShard : Shard, IEndOfPass
{
    private bool _atEndOfPass;

    /// <param name="setup">What it is made from.</param>
    /// <param name="batchSize">Datagrams of one receive call.</param>
    /// <param name="queueSize">Datagrams that wait for the end of a pass; beyond, they are sent at once.</param>
    protected DatagramShard(ShardSetup setup, int batchSize, int queueSize)
        : base(setup)
    {
        Batch = new DatagramBatch(batchSize);
        Queue = new DatagramQueue(queueSize);
    }

    /// <summary>The receive slots.</summary>
    public DatagramBatch Batch { get; }

    /// <summary>The sessions' replies until the end of the pass.</summary>
    public DatagramQueue Queue { get; }

    /// <summary>A session's own socket has a datagram of somebody else, or one that came too late for it.</summary>
    public abstract void OnStray(in SocketAddr from, in LocalAddr local, ReadOnlySpan<byte> payload);

    /// <summary>Sends a datagram to a session's peer, at the end of the pass.</summary>
    public unsafe void Send(SessionContext session, ReadOnlySpan<byte> payload)
    {
        fixed (byte* bytes = payload)
        {
            if (!Queue.HasRoom(payload.Length))
            {
                FlushQueue();
            }

            if (Batch.Holds(bytes))
            {
                Queue.Add(bytes, payload.Length, session.PeerAddr, session.LocalAddr);   // slots stay until the flush
            }
            else
            {
                payload.CopyTo(new Span<byte>(Queue.Reserve(payload.Length), payload.Length));
                Queue.Commit(payload.Length, session.PeerAddr, session.LocalAddr);
            }
        }

        FlushAtEndOfPass();
        session.CountSent(1, payload.Length);
        session.Traced?.Sent(payload);
    }

    /// <summary>
    /// Room for one reply, or a train of them, in the send queue, written there and then committed: upstream replies
    /// are received right into it.
    /// </summary>
    public unsafe byte* Reserve(int length)
    {
        if (!Queue.HasTrainRoom(length))
        {
            FlushQueue();
        }

        return Queue.Reserve(length);
    }

    /// <summary>
    /// Sends the reserved bytes to a session's peer. For routes that pass on what an upstream said: no amplification
    /// budget.
    /// </summary>
    public unsafe void Commit(SessionContext session, int length)
    {
        if (session.Carrier is { Carries: true } carrier)
        {
            // The place is not taken: it is free again.
            carrier.Send(new ReadOnlySpan<byte>(Queue.Reserve(length), length));
            return;
        }

        session.Traced?.Sent(new ReadOnlySpan<byte>(Queue.Reserve(length), length));
        Queue.Commit(length, session.PeerAddr, session.LocalAddr);
        FlushAtEndOfPass();
        session.CountSent(1, length);
    }

    /// <summary>As <see cref="Commit"/>, for a train of datagrams of <paramref name="segment"/> bytes.</summary>
    /// <returns>Datagrams in the train.</returns>
    public unsafe int CommitTrain(SessionContext session, int length, int segment)
    {
        var replies = (length + segment - 1) / segment;
        if (session.Carrier is { Carries: true } carrier)
        {
            SendTrain(session, carrier, new ReadOnlySpan<byte>(Queue.Reserve(length), length), segment);
            return replies;
        }

        if (session.Traced is not null)
        {
            TraceTrain(session, new ReadOnlySpan<byte>(Queue.Reserve(length), length), segment);
        }

        var queued = Queue.CommitTrain(length, segment, session.PeerAddr, session.LocalAddr);
        if (queued < replies)
        {
            session.CountDrop(DropReason.SendFull, replies - queued);
        }

        FlushAtEndOfPass();
        session.CountSent(queued, Math.Min(length, (long)queued * segment));
        return replies;
    }

    private static void TraceTrain(SessionContext session, ReadOnlySpan<byte> train, int segment)
    {
        for (var at = 0; at < train.Length; at += segment)
        {
            session.Traced?.Sent(train.Slice(at, Math.Min(segment, train.Length - at)));
        }
    }

    private static void SendTrain(
        SessionContext session, ISessionCarrier carrier, ReadOnlySpan<byte> train, int segment)
    {
        for (var at = 0; at < train.Length && !session.IsClosed; at += segment)
        {
            carrier.Send(train.Slice(at, Math.Min(segment, train.Length - at)));
        }
    }

    /// <summary>Has the queue sent at the end of this pass.</summary>
    public void FlushAtEndOfPass()
    {
        if (!_atEndOfPass)
        {
            _atEndOfPass = true;
            Loop.AtEndOfPass(this);
        }
    }

    /// <summary>Sends the queue now: it is full.</summary>
    public abstract void FlushQueue();

    public void OnEndOfPass()
    {
        _atEndOfPass = false;
        EndPass();
    }

    protected abstract void EndPass();
}
