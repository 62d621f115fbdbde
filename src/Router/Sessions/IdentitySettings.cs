using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>Where a listener's sessions have their identity from: who the peer is, whatever its address.</summary>
internal enum IdentitySource
{
    /// <summary>The peer's endpoint.</summary>
    Endpoint,

    /// <summary>Bytes of its first payload.</summary>
    Bytes,

    /// <summary>What a regular expression captures in the first line of its first payload.</summary>
    FirstLine,

    /// <summary>What the handler says, by <see cref="SessionIdentities.Identify"/>.</summary>
    Handler,
}

/// <summary>How a listener's sessions come by their identity, and how their checkpoints are kept. Immutable.</summary>
/// <param name="Source">Where it comes from.</param>
/// <param name="Offset">Of <see cref="IdentitySource.Bytes"/>.</param>
/// <param name="Length">The same.</param>
/// <param name="Pattern">Of <see cref="IdentitySource.FirstLine"/>: its first group, or all of it;
/// its second group is the token, where that is the proof.</param>
/// <param name="AttachTimeoutMs">How long a session waits until it is attached.</param>
/// <param name="CheckpointIntervalMs">At most one checkpoint of a session is sent in so long.</param>
/// <param name="Sync">Replies behind a checkpoint wait until it is kept.</param>
/// <param name="Proof">What the peer shows for it.</param>
internal sealed record IdentitySettings(
    IdentitySource Source,
    int Offset,
    int Length,
    Regex? Pattern,
    int AttachTimeoutMs,
    int CheckpointIntervalMs,
    bool Sync,
    IdentityProof Proof)
{
    /// <summary>The longest identity, in bytes of UTF-8; longer ones are none.</summary>
    public const int BytesMax = 256;

    /// <summary>The longest first line that is looked at.</summary>
    public const int LineBytesMax = 1_024;

    /// <summary>The longest checkpoint: what every store takes, and well within a message between members.</summary>
    public const int CheckpointBytesMax = 64 << 10;

    /// <summary>Whether a peer's first datagram names somebody, and proves it if it has to, so that it may have a
    /// session; if not, why.</summary>
    public DropReason? Refuse(ReadOnlySpan<byte> first) =>
        Source is IdentitySource.Endpoint or IdentitySource.Handler ? null : Read(first, out _);

    /// <summary>Reads the identity that a peer's first datagram, or the beginning of its stream, names.</summary>
    /// <returns>Why it is refused; for a stream maybe not yet: see <see cref="NeedsMore"/>.</returns>
    public DropReason? Read(ReadOnlySpan<byte> first, out string name)
    {
        Span<byte> token = stackalloc byte[IdentityProof.TokenBytes];
        var tokenBytes = 0;
        name = Source switch
        {
            IdentitySource.Bytes => ReadBytes(first, token, out tokenBytes),
            IdentitySource.FirstLine => ReadLine(first, token, out tokenBytes),
            _ => null,
        } ?? "";
        return name.Length == 0 ? DropReason.NoIdentity
            : Proof.Kind == IdentityProofKind.Token && !Proof.IsToken(token[..tokenBytes], name) ? DropReason.WrongProof
            : null;
    }

    /// <summary>Whether further bytes of a stream may bring the identity.</summary>
    public bool NeedsMore(ReadOnlySpan<byte> first) => Source switch
    {
        IdentitySource.Bytes => first.Length < BytesNeeded,
        IdentitySource.FirstLine => first.Length < LineBytesMax && first.IndexOf((byte)'\n') < 0,
        _ => false,
    };

    /// <summary>How much of a stream that names somebody is taken up by that.</summary>
    public int HeadLength(ReadOnlySpan<byte> head)
    {
        if (Source == IdentitySource.Bytes)
        {
            return BytesNeeded;
        }

        var length = Math.Min(head.Length, LineBytesMax);
        var end = head[..length].IndexOf((byte)'\n');
        return end < 0 ? length : end + 1;
    }

    private int BytesNeeded => Proof.Kind == IdentityProofKind.Token
        ? Math.Max(Offset + Length, Proof.Offset + IdentityProof.TokenBytes)
        : Offset + Length;

    public static string OfEndpoint(in SocketAddr peer) => peer.ToString();

    /// <summary>Printable ASCII is the name itself; other bytes are their hexadecimal digits behind 0x. The length is
    /// fixed, so none is taken for another.</summary>
    private static string? TextOf(ReadOnlySpan<byte> bytes) => bytes.ContainsAnyExceptInRange((byte)0x21, (byte)0x7e)
        ? $"0x{Convert.ToHexStringLower(bytes)}"
        : Encoding.ASCII.GetString(bytes);

    private string? ReadBytes(ReadOnlySpan<byte> first, Span<byte> token, out int tokenBytes)
    {
        tokenBytes = 0;
        if (Proof.Kind == IdentityProofKind.Token && first.Length >= Proof.Offset + IdentityProof.TokenBytes)
        {
            first.Slice(Proof.Offset, IdentityProof.TokenBytes).CopyTo(token);
            tokenBytes = IdentityProof.TokenBytes;
        }

        return first.Length >= Offset + Length ? TextOf(first.Slice(Offset, Length)) : null;
    }

    private string? ReadLine(ReadOnlySpan<byte> first, Span<byte> token, out int tokenBytes)
    {
        tokenBytes = 0;
        var head = first[..Math.Min(first.Length, LineBytesMax)];
        var end = head.IndexOf((byte)'\n');
        var line = Encoding.UTF8.GetString(end < 0 ? head : head[..end].TrimEnd((byte)'\r'));
        var match = Pattern!.Match(line);
        var name = match.Groups.Count > 1 ? match.Groups[1].Value : match.Value;
        if (Proof.Kind == IdentityProofKind.Token)
        {
            var digits = match.Groups[2].ValueSpan;
            var isToken = Convert.FromHexString(digits, token, out _, out tokenBytes) == OperationStatus.Done;
            tokenBytes = isToken ? tokenBytes : 0;
        }

        return match.Success && IsName(name) ? name : null;
    }

    /// <summary>Whether a text can be an identity.</summary>
    public static bool IsName(string name) =>
        name.Length > 0 && Encoding.UTF8.GetByteCount(name) <= BytesMax && !name.Any(char.IsControl)
        && !name.EnumerateRunes().Any(static rune => rune == Rune.ReplacementChar);   // also of half a character
}
