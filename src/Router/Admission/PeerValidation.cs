using System.Net;
using System.Security.Cryptography;
using System.Text;
using Router.Net;

namespace Router.Admission;

/// <summary>How a UDP peer proves its address before the route does anything for it.</summary>
internal enum PeerProof
{
    /// <summary>It returns a challenge that was sent to its address.</summary>
    RoundTrip,

    /// <summary>It knows a secret.</summary>
    Token,

    /// <summary>It proves nothing, but must be on loopback or in a network that the route names.</summary>
    None,
}

/// <summary>The outcome for a payload of an unvalidated peer.</summary>
internal enum PeerVerdict
{
    /// <summary>No proof; it gets no answer.</summary>
    Refused,

    /// <summary>No proof yet; the challenge is to be sent.</summary>
    Challenged,

    /// <summary>Proved; what follows the proof is payload.</summary>
    Accepted,
}

/// <summary>The rule by which a route's UDP peers are validated. Immutable; any thread.</summary>
/// <param name="proof">What a peer has to do.</param>
/// <param name="token">What the first payload must begin with; not empty for <see cref="PeerProof.Token"/>.</param>
/// <param name="allowed">Networks that need no proof under <see cref="PeerProof.None"/>, besides loopback.</param>
/// <param name="timeout">How long a peer has for it.</param>
/// <param name="random">Makes challenges.</param>
internal sealed class PeerValidation(
    PeerProof proof,
    ReadOnlyMemory<byte> token,
    IReadOnlyList<IPNetwork> allowed,
    TimeSpan timeout,
    RandomSource random)
{
    public PeerProof Proof => proof;

    public TimeSpan Timeout => timeout;

    internal ReadOnlySpan<byte> Token => token.Span;

    internal RandomSource Random => random;

    /// <summary>Whether the peer needs no proof.</summary>
    internal bool Trusts(in SocketAddr peer)
    {
        if (peer.IsUnix)
        {
            return proof != PeerProof.Token;   // the kernel vouches for the name, but not for a token
        }

        if (proof != PeerProof.None)
        {
            return false;
        }

        var address = peer.Address;   // IPv4-mapped comes as IPv4
        return peer.IsLoopback || allowed.Any(network => network.Contains(address));
    }
}

/// <summary>One peer on its way to being validated. Loop thread only.</summary>
/// <remarks>
/// A challenge is a line, <c>challenge</c>, a blank and 32 hexadecimal digits: 43 bytes, within the 64 that an
/// unvalidated peer may be sent for the shortest datagram. The peer returns the line, with or without its end; what
/// follows it in the same datagram is payload. What looks like an answer and is wrong gets no reply, and neither does
/// an empty datagram.
/// </remarks>
internal sealed class PeerValidator(PeerValidation rule)
{
    /// <summary>Challenges to one peer: the first, and again where that was lost.</summary>
    public const int ChallengesMax = 4;

    private byte[]? _challenge;
    private int _sent;

    /// <summary>The line to send when the verdict is to challenge.</summary>
    public ReadOnlySpan<byte> Challenge => _challenge;

    private static ReadOnlySpan<byte> Word => "challenge "u8;

    /// <param name="payload">What the peer sent.</param>
    /// <param name="proofBytes">What of it was the proof.</param>
    public PeerVerdict Judge(ReadOnlySpan<byte> payload, out int proofBytes)
    {
        proofBytes = 0;
        switch (rule.Proof)
        {
            case PeerProof.Token when StartsWith(payload, rule.Token):
                proofBytes = rule.Token.Length;
                return PeerVerdict.Accepted;
            case PeerProof.RoundTrip when _challenge is not null && StartsWith(payload, _challenge.AsSpan()[..^1]):
                proofBytes = _challenge.Length - (payload.StartsWith(_challenge) ? 0 : 1);
                return PeerVerdict.Accepted;
            case PeerProof.RoundTrip when !payload.IsEmpty && !payload.StartsWith(Word) && _sent < ChallengesMax:
                _sent++;
                _challenge ??= Encoding.ASCII.GetBytes(
                    $"challenge {rule.Random.NextUInt64():x16}{rule.Random.NextUInt64():x16}\n");
                return PeerVerdict.Challenged;
            default:
                return PeerVerdict.Refused;
        }
    }

    /// <summary>Compares in a time that does not tell how much of the proof was right.</summary>
    private static bool StartsWith(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> proof) =>
        payload.Length >= proof.Length && CryptographicOperations.FixedTimeEquals(payload[..proof.Length], proof);
}
