using System.Text;
using System.Text.RegularExpressions;
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
/// <param name="Pattern">Of <see cref="IdentitySource.FirstLine"/>: its first group, or all of it.</param>
/// <param name="AttachTimeoutMs">How long a session waits until it is attached.</param>
/// <param name="CheckpointIntervalMs">At most one checkpoint of a session is sent in so long.</param>
/// <param name="Sync">Replies behind a checkpoint wait until it is kept.</param>
internal sealed record IdentitySettings(
    IdentitySource Source,
    int Offset,
    int Length,
    Regex? Pattern,
    int AttachTimeoutMs,
    int CheckpointIntervalMs,
    bool Sync)
{
    /// <summary>The longest identity, in bytes of UTF-8; longer ones are none.</summary>
    public const int BytesMax = 256;

    /// <summary>The longest first line that is looked at.</summary>
    public const int LineBytesMax = 1_024;

    /// <summary>The longest checkpoint: what every store takes, and well within a message between members.</summary>
    public const int CheckpointBytesMax = 64 << 10;

    /// <summary>Whether a peer's first datagram names somebody, so that it may have a session.</summary>
    public bool MayName(ReadOnlySpan<byte> first) =>
        Source is IdentitySource.Endpoint or IdentitySource.Handler || Read(first) is not null;

    /// <summary>The identity that a peer's first datagram, or the beginning of its stream, names.</summary>
    /// <returns>Null if there is none in it, for a stream maybe not yet: see <see cref="NeedsMore"/>.</returns>
    public string? Read(ReadOnlySpan<byte> first) => Source switch
    {
        IdentitySource.Bytes => first.Length >= Offset + Length ? TextOf(first.Slice(Offset, Length)) : null,
        IdentitySource.FirstLine => ReadLine(first),
        _ => null,
    };

    /// <summary>Whether further bytes of a stream may bring the identity.</summary>
    public bool NeedsMore(ReadOnlySpan<byte> first) => Source switch
    {
        IdentitySource.Bytes => first.Length < Offset + Length,
        IdentitySource.FirstLine => first.Length < LineBytesMax && first.IndexOf((byte)'\n') < 0,
        _ => false,
    };

    public static string OfEndpoint(in SocketAddr peer) => peer.ToString();

    /// <summary>Printable ASCII is the name itself; other bytes are their hexadecimal digits behind 0x. The length is
    /// fixed, so none is taken for another.</summary>
    private static string? TextOf(ReadOnlySpan<byte> bytes) => bytes.ContainsAnyExceptInRange((byte)0x21, (byte)0x7e)
        ? $"0x{Convert.ToHexStringLower(bytes)}"
        : Encoding.ASCII.GetString(bytes);

    private string? ReadLine(ReadOnlySpan<byte> first)
    {
        var head = first[..Math.Min(first.Length, LineBytesMax)];
        var end = head.IndexOf((byte)'\n');
        var line = Encoding.UTF8.GetString(end < 0 ? head : head[..end].TrimEnd((byte)'\r'));
        var match = Pattern!.Match(line);
        var name = match.Groups.Count > 1 ? match.Groups[1].Value : match.Value;
        return match.Success && IsName(name) ? name : null;
    }

    /// <summary>Whether a text can be an identity.</summary>
    public static bool IsName(string name) =>
        name.Length > 0 && Encoding.UTF8.GetByteCount(name) <= BytesMax && !name.Any(char.IsControl)
        && !name.EnumerateRunes().Any(static rune => rune == Rune.ReplacementChar);   // also of half a character
}
