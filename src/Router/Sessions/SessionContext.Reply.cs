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
    public void FinishReplies() => OnLoop(static session => session._carrier?.Finish());

    internal bool ReplyOnLoop(ReadOnlySpan<byte> payload) =>
        !IsClosed
        && (!Transport.IsConnectionless() || TakeBudget(payload.Length))
        && Send(payload)
        && !IsClosed;   // by its own socket it may have learnt that the peer is gone

    /// <summary>
    /// Sends what another session said: no amplification budget, and no sign of life of this peer: its idle deadline
    /// stays.
    /// </summary>
    /// <returns>False if nothing was taken: closed, or a stream that holds its write buffer's worth unsent.</returns>
    internal bool PassOn(ReadOnlySpan<byte> payload)
    {
        if (IsClosed)
        {
            return false;
        }

        var lastActiveMs = _lastActiveMs;
        var isTaken = Send(payload);
        _lastActiveMs = lastActiveMs;
        return isTaken;
    }

    /// <summary>A run of datagrams has come in: what may be answered grows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void GrowBudget(int payloads, int bytes)
    {
        _budgetBytes += Math.Max(3L * bytes, (long)BudgetBytesMin * payloads);
    }

    private bool Send(ReadOnlySpan<byte> payload)
    {
        if (_carrier is { } carrier)
        {
            return carrier.Send(payload);
        }

        Datagrams.Send(this, payload);
        return true;
    }

    /// <summary>Datagrams: whether the peer may be sent so much; if not, that is a counted drop.</summary>
    private bool TakeBudget(int length)
    {
        if (length > DatagramBytesMax)
        {
            CountDrop(DropReason.TooLong);
            return false;
        }

        if (_validated)
        {
            return true;
        }

        if (PayloadsSent >= PayloadsReceived || _budgetBytes < length)
        {
            CountDrop(DropReason.Amplification);
            return false;
        }

        _budgetBytes -= length;
        return true;
    }
}
