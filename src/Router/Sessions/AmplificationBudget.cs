namespace Router.Sessions;

/// <summary>What the peer of a datagram session may be sent before it has proved that it receives it: at most one reply
/// and three times the bytes per datagram, so that a forged source address gains nothing (RFC 9000, section 8).
/// </summary>
internal struct AmplificationBudget
{
    /// <summary>Bytes that an empty datagram allows.</summary>
    private const int BytesMin = 64;

    private const long NoLimit = -1;

    private long _bytes;

    public readonly bool IsLifted => _bytes == NoLimit;

    /// <summary>The peer has proved that it receives what it is sent.</summary>
    public void Lift() => _bytes = NoLimit;

    /// <summary>Datagrams have come in.</summary>
    public void Grow(int payloads, int bytes)
    {
        if (!IsLifted)
        {
            _bytes += Math.Max(3L * bytes, (long)BytesMin * payloads);
        }
    }

    /// <summary>Takes a reply from the budget.</summary>
    /// <param name="length">Its bytes.</param>
    /// <param name="owesReply">Fewer payloads were sent than received.</param>
    /// <returns>False if it may not be sent.</returns>
    public bool TryTake(int length, bool owesReply)
    {
        if (IsLifted)
        {
            return true;
        }

        if (!owesReply || _bytes < length)
        {
            return false;
        }

        _bytes -= length;
        return true;
    }

    /// <summary>Whether an answer may be sent for a datagram of so many bytes, whatever earlier ones have left.
    /// </summary>
    public readonly bool Allows(int answerBytes, int askedBytes) =>
        IsLifted || answerBytes <= Math.Max(3 * askedBytes, BytesMin);
}
