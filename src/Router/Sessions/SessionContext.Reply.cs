using System.Runtime.CompilerServices;
using Router.Diagnostics;

namespace Router.Sessions;

/// <summary>Answering the peer.</summary>
public sealed partial class SessionContext
{
    /// <summary>The longest payload of a UDP datagram over IPv4: 65,535 less 20 of IP and 8 of UDP.</summary>
    public const int DatagramBytesMax = 65_507;

    /// <summary>Bytes an unvalidated peer may be sent for an empty datagram.</summary>
    private const int BudgetBytesMin = 64;

    private bool _validated;
    private long _budgetBytes;

    /// <summary>
    /// Lifts the amplification budget: the handler has seen proof that the peer receives what it is sent (it returned a
    /// token).
    /// </summary>
    public void MarkPeerValidated() => _validated = true;

    /// <summary>
    /// Sends a payload to the peer: UDP and unixgram one datagram, at the end of the pass; streams the next bytes, at
    /// once as far as the kernel takes them; unixpacket one message, likewise.
    /// </summary>
    /// <returns>
    /// False if nothing was taken: the session is closed; the datagram is longer than <see cref="DatagramBytesMax"/> or
    /// beyond the amplification budget (at most one reply, and three times the bytes, per datagram received); or the
    /// stream, or a unixpacket connection, holds its write buffer's worth unsent (wait for
    /// <see cref="SessionHandler.OnDrained"/>). UDP drops are counted.
    /// </returns>
    public bool Reply(ReadOnlySpan<byte> payload) =>
        Pool is { } pool && !Loop.IsCurrent ? pool.Reply(payload) : ReplyOnLoop(payload);

    /// <summary>
    /// For routes that answer by themselves: what earlier datagrams left of the budget lengthens no answer. Over UDP to
    /// a peer that has proved nothing it is at most three times the datagram that it answers, or 64 bytes; a longer one
    /// is a counted drop.
    /// </summary>
    /// <param name="answer">What is sent.</param>
    /// <param name="askedBytes">The length of what it answers.</param>
    internal bool Answer(ReadOnlySpan<byte> answer, int askedBytes)
    {
        if (Stream is null && !_validated && answer.Length > Math.Max(3 * askedBytes, BudgetBytesMin))
        {
            CountDrop(DropReason.Amplification);
            return false;
        }

        return Reply(answer);
    }

    /// <summary>Streams: sends FIN after what is unsent; the peer may go on sending.</summary>
    public void FinishReplies() => OnLoop(static session =>
    {
        session.Stream?.Finish();
        session.Packets?.Output.Finish();
    });

    internal bool ReplyOnLoop(ReadOnlySpan<byte> payload)
    {
        if (IsClosed)
        {
            return false;
        }

        if (Stream is not null)
        {
            return ReplyStream(payload);
        }

        return _extras is { Packets: { } packets } ? ReplyPacket(packets, payload) : ReplyDatagram(payload);
    }

    /// <summary>
    /// Room for one reply, or a train of them, in the send queue, written there and then committed: upstream replies
    /// are received right into it.
    /// </summary>
    internal unsafe byte* ReserveReply(int length)
    {
        var shard = Datagrams;
        if (!shard.Queue.HasTrainRoom(length))
        {
            shard.FlushQueue();
        }

        return shard.Queue.Reserve(length);
    }

    /// <summary>
    /// Queues the reserved bytes. For routes that pass on what an upstream said: no amplification budget.
    /// </summary>
    internal unsafe void CommitReply(int length)
    {
        var shard = Datagrams;
        if (OwnSocket is { } own)
        {
            SendOwn(own, shard.Queue.Reserve(length), length);   // the place is not taken: it is free again
            return;
        }

        shard.Queue.Commit(length, PeerAddr, LocalAddr);
        shard.FlushAtEndOfPass();
        CountSent(1, length);
    }

    /// <summary>As <see cref="CommitReply"/>, for a train of datagrams of <paramref name="segment"/> bytes.</summary>
    /// <returns>Datagrams in the train.</returns>
    internal unsafe int CommitReplies(int length, int segment)
    {
        var shard = Datagrams;
        var replies = (length + segment - 1) / segment;
        if (OwnSocket is { } own)
        {
            var train = shard.Queue.Reserve(length);
            for (var at = 0; at < length && !IsClosed; at += segment)
            {
                SendOwn(own, train + at, Math.Min(segment, length - at));
            }

            return replies;
        }

        var queued = shard.Queue.CommitTrain(length, segment, PeerAddr, LocalAddr);
        if (queued < replies)
        {
            CountDrop(DropReason.SendFull, replies - queued);
        }

        shard.FlushAtEndOfPass();
        CountSent(queued, Math.Min(length, (long)queued * segment));
        return replies;
    }

    /// <summary>
    /// Sends what another session said: no amplification budget, and no sign of life of this peer: its idle deadline
    /// stays.
    /// </summary>
    /// <returns>False if nothing was taken: closed, or a stream that holds its write buffer's worth unsent.</returns>
    internal bool PassOn(ReadOnlySpan<byte> payload)
    {
        if (IsClosed || (Stream is { } stream && !HasRoom(stream, payload.Length)))
        {
            return false;
        }

        var lastActiveMs = _lastActiveMs;
        var isTaken = true;
        if (Packets is { } packets)
        {
            isTaken = ReplyPacket(packets, payload);
        }
        else if (Stream is null)
        {
            QueueDatagram(payload);
        }
        else
        {
            isTaken = WriteStream(payload);
        }

        _lastActiveMs = lastActiveMs;
        return isTaken;
    }

    /// <summary>A run of datagrams has come in: what may be answered grows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void GrowBudget(int payloads, int bytes)
    {
        _budgetBytes += Math.Max(3L * bytes, (long)BudgetBytesMin * payloads);
    }

    private bool ReplyDatagram(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > DatagramBytesMax)
        {
            CountDrop(DropReason.TooLong);
            return false;
        }

        if (!_validated && !TakeBudget(payload.Length))
        {
            CountDrop(DropReason.Amplification);
            return false;
        }

        QueueDatagram(payload);
        return !IsClosed;   // by its own socket it may have learnt that the peer is gone
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private unsafe void QueueDatagram(ReadOnlySpan<byte> payload)
    {
        var shard = Datagrams;
        fixed (byte* bytes = payload)
        {
            if (OwnSocket is { } own)
            {
                SendOwn(own, bytes, payload.Length);
                return;
            }

            var queue = shard.Queue;
            if (!queue.HasRoom(payload.Length))
            {
                shard.FlushQueue();
            }

            if (shard.Batch.Holds(bytes))
            {
                queue.Add(bytes, payload.Length, PeerAddr, LocalAddr);   // receive slots stay until the flush
            }
            else
            {
                payload.CopyTo(new Span<byte>(queue.Reserve(payload.Length), payload.Length));
                queue.Commit(payload.Length, PeerAddr, LocalAddr);
            }
        }

        shard.FlushAtEndOfPass();
        CountSent(1, payload.Length);
    }

    private bool TakeBudget(int length)
    {
        if (PayloadsSent >= PayloadsReceived || _budgetBytes < length)
        {
            return false;
        }

        _budgetBytes -= length;
        return true;
    }
}
