using System.Security.Cryptography;
using System.Text;
using Router.Net;

namespace Router.Sessions;

/// <summary>How a peer shows that the identity in its payload is its own, before another session of it ends.</summary>
internal enum IdentityProofKind
{
    /// <summary>It is believed.</summary>
    None,

    /// <summary>Its first payload has the identity's token.</summary>
    Token,

    /// <summary>The handler says, by <see cref="SessionHandler.OnProof"/>.</summary>
    Handler,

    /// <summary>It answers a challenge by the identity's token, which it does not send.</summary>
    Challenge,
}

/// <summary>The rule by which the identities of a listener's peers are proved. Immutable; any thread.</summary>
/// <param name="kind">What a peer has to do.</param>
/// <param name="secret">What the identities' keys are made of, for a kind that has them.</param>
/// <param name="offset">Where the token stands in a first payload whose identity is bytes of it.</param>
/// <param name="timeoutMs">How long a peer may take to answer a challenge.</param>
/// <param name="random">Makes challenges; null for <see cref="RandomSource.System"/>.</param>
internal sealed class IdentityProof(
    IdentityProofKind kind,
    ReadOnlyMemory<byte> secret = default,
    int offset = 0,
    int timeoutMs = 0,
    RandomSource? random = null)
{
    /// <summary>Of a token: the beginning of the identity's key.</summary>
    public const int TokenBytes = 16;

    /// <summary>Of an answer: the beginning of what the token makes of the challenge.</summary>
    public const int AnswerBytes = 16;

    /// <summary>A shorter secret could be found out by trying.</summary>
    public const int SecretBytesMin = 16;

    public const int SecretBytesMax = 1_024;

    private const int KeyBytes = HMACSHA256.HashSizeInBytes;

    public static IdentityProof None { get; } = new(IdentityProofKind.None);

    public IdentityProofKind Kind => kind;

    public bool NeedsSecret => kind is IdentityProofKind.Token or IdentityProofKind.Challenge;

    /// <summary>Where the token stands; below 0 where it is not said.</summary>
    public int Offset => offset;

    public int TimeoutMs => timeoutMs;

    public RandomSource Random => random ?? RandomSource.System;

    internal ReadOnlySpan<byte> Secret => secret.Span;

    /// <summary>Compares in a time that does not tell how much of the token was right.</summary>
    public bool IsToken(ReadOnlySpan<byte> token, string identity)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        MakeKey(identity, key);
        return CryptographicOperations.FixedTimeEquals(key[..TokenBytes], token);
    }

    /// <summary>The same, for the answer to a challenge.</summary>
    public bool IsAnswer(ReadOnlySpan<byte> answer, ReadOnlySpan<byte> nonce, string identity)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        Span<byte> right = stackalloc byte[KeyBytes];
        MakeKey(identity, key);
        HMACSHA256.HashData(key[..TokenBytes], nonce, right);
        return CryptographicOperations.FixedTimeEquals(right[..AnswerBytes], answer);
    }

    /// <summary>The same rule with challenges of another source.</summary>
    public IdentityProof DrawnFrom(RandomSource source) => new(kind, secret, offset, timeoutMs, source);

    private void MakeKey(string identity, Span<byte> key)
    {
        Span<byte> name = stackalloc byte[IdentitySettings.BytesMax];
        HMACSHA256.HashData(secret.Span, name[..Encoding.UTF8.GetBytes(identity, name)], key);
    }
}
