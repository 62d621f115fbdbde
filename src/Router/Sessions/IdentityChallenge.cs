using System.Text;

namespace Router.Sessions;

/// <summary>One session's challenge: a random number, used once, that its peer answers by the token of the identity
/// that it has named. In the session's turns only.</summary>
/// <remarks>The line is <c>challenge</c>, a blank and 32 hexadecimal digits: 43 bytes, within the 64 that an
/// unvalidated peer may be sent for the shortest datagram. The answer is a line of 32 hexadecimal digits, with or
/// without its end where payloads are messages.</remarks>
internal sealed class IdentityChallenge
{
    /// <summary>To one peer: the first, and again where that was lost.</summary>
    public const int SentMax = 4;

    /// <summary>Of an answer with its end.</summary>
    public const int AnswerBytesMax = AnswerDigits + 2;

    private const int AnswerDigits = 2 * IdentityProof.AnswerBytes;
    private const int NonceDigits = 32;

    private readonly IdentityProof _proof;
    private readonly byte[] _line;
    private int _sent;

    /// <param name="proof">The listener's.</param>
    /// <param name="identity">Who the peer says it is.</param>
    public IdentityChallenge(IdentityProof proof, string identity)
    {
        (_proof, Identity) = (proof, identity);
        _line = Encoding.ASCII.GetBytes(
            $"challenge {proof.Random.NextUInt64():x16}{proof.Random.NextUInt64():x16}\n");
    }

    public string Identity { get; }

    /// <summary>What is sent to the peer.</summary>
    public byte[] Line => _line;

    private ReadOnlySpan<byte> Nonce => _line.AsSpan(_line.Length - NonceDigits - 1, NonceDigits);

    /// <summary>Counts one that is about to be sent.</summary>
    /// <returns>False where it has been sent often enough.</returns>
    public bool TrySend() => _sent++ < SentMax;

    /// <summary>Whether a payload has the shape of an answer, right or wrong.</summary>
    public static bool IsAnswer(ReadOnlySpan<byte> payload)
    {
        var digits = Digits(payload);
        return digits.Length == AnswerDigits && !digits.ContainsAnyExcept(HexDigits);
    }

    /// <summary>Whether it is the right one. Compares in a time that does not tell how much of it was right.</summary>
    public bool IsRight(ReadOnlySpan<byte> payload)
    {
        Span<byte> answer = stackalloc byte[IdentityProof.AnswerBytes];
        return IsAnswer(payload)
            && Convert.FromHexString(Encoding.ASCII.GetString(Digits(payload)), answer, out _, out _)
                == System.Buffers.OperationStatus.Done
            && _proof.IsAnswer(answer, Nonce, Identity);
    }

    private static System.Buffers.SearchValues<byte> HexDigits { get; } =
        System.Buffers.SearchValues.Create("0123456789abcdefABCDEF"u8);

    private static ReadOnlySpan<byte> Digits(ReadOnlySpan<byte> line)
    {
        var text = line.EndsWith("\n"u8) ? line[..^1] : line;
        return text.EndsWith("\r"u8) ? text[..^1] : text;
    }
}
