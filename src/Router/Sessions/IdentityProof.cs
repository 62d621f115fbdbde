using System.Security.Cryptography;
using System.Text;

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
}

/// <summary>The rule by which the identities of a listener's peers are proved. Immutable; any thread.</summary>
/// <param name="kind">What a peer has to do.</param>
/// <param name="secret">What the identities' keys are made of, for a kind that has them.</param>
/// <param name="offset">Where the token stands in a first payload whose identity is bytes of it.</param>
internal sealed class IdentityProof(IdentityProofKind kind, ReadOnlyMemory<byte> secret = default, int offset = 0)
{
    /// <summary>Of a token: the beginning of the identity's key.</summary>
    public const int TokenBytes = 16;

    /// <summary>A shorter secret could be found out by trying.</summary>
    public const int SecretBytesMin = 16;

    public const int SecretBytesMax = 1_024;

    private const int KeyBytes = HMACSHA256.HashSizeInBytes;

    public static IdentityProof None { get; } = new(IdentityProofKind.None);

    public IdentityProofKind Kind => kind;

    public bool NeedsSecret => kind is IdentityProofKind.Token;

    /// <summary>Where the token stands; below 0 where it is not said.</summary>
    public int Offset => offset;

    internal ReadOnlySpan<byte> Secret => secret.Span;

    /// <summary>Compares in a time that does not tell how much of the token was right.</summary>
    public bool IsToken(ReadOnlySpan<byte> token, string identity)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        Span<byte> name = stackalloc byte[IdentitySettings.BytesMax];
        HMACSHA256.HashData(secret.Span, name[..Encoding.UTF8.GetBytes(identity, name)], key);
        return CryptographicOperations.FixedTimeEquals(key[..TokenBytes], token);
    }
}
