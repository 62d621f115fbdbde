using System.Globalization;
using System.Text;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A part of a reply: bytes, or a value of the moment.</summary>
internal sealed class ReplyPart
{
    internal const int PeerBytesMax = 128;   // "unix:" and a name of 107 bytes; "[", IPv6 with a zone, "]:65535" are 64

    private const int TimeBytes = 24;      // 2026-01-31T23:59:59.999Z
    private const int CountBytesMax = 19;   // 2^63 - 1

    private ReplyPart(int bytesMax) => BytesMax = bytesMax;

    private ReplyPart(byte[] literal)
        : this(literal.Length) =>
        Literal = literal;

    /// <summary>The peer's endpoint: <c>192.0.2.7:5000</c>, <c>[2001:db8::7]:5000</c>.</summary>
    public static ReplyPart Peer { get; } = new(PeerBytesMax);

    /// <summary>Now, in UTC: <c>2026-01-31T23:59:59.999Z</c>.</summary>
    public static ReplyPart Time { get; } = new(TimeBytes);

    /// <summary>Payloads answered for the session so far, this one included; from 1.</summary>
    public static ReplyPart Count { get; } = new(CountBytesMax);

    internal byte[]? Literal { get; }

    /// <summary>The most bytes the part can become.</summary>
    internal int BytesMax { get; }

    /// <summary>The bytes themselves; the part keeps them.</summary>
    public static ReplyPart Of(byte[] literal) => new(literal);
}

/// <summary>An answer of bytes and values of the moment, taken apart once. Immutable; shared by all loops.</summary>
internal sealed class ReplyTemplate
{
    [ThreadStatic]
    private static byte[]? _rendered;   // one per loop, as large as the longest answer of any template

    private readonly ReplyPart[] _parts;
    private readonly int _bytesMax;

    /// <param name="parts">In order. Together at most 65,507 bytes, at their longest.</param>
    public ReplyTemplate(IEnumerable<ReplyPart> parts)
    {
        _parts = [.. parts];
        _bytesMax = _parts.Sum(static part => part.BytesMax);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_bytesMax, SessionContext.DatagramBytesMax, nameof(parts));
        UsesPeer = _parts.Contains(ReplyPart.Peer);
        Constant = Array.TrueForAll(_parts, static part => part.Literal is not null)
            ? [.. _parts.SelectMany(static part => part.Literal!)]
            : null;
    }

    internal bool UsesPeer { get; }

    /// <summary>The answer, if it is always the same.</summary>
    internal byte[]? Constant { get; }

    /// <summary>Cut where a unix peer's name is longer, escapes and all.</summary>
    internal static byte[] PeerText(SessionContext session)
    {
        var text = session.PeerAddr.ToString();
        return Encoding.ASCII.GetBytes(text.Length <= ReplyPart.PeerBytesMax ? text : text[..ReplyPart.PeerBytesMax]);
    }

    /// <summary>The answer to one payload; allocates nothing.</summary>
    /// <param name="peer">Its text; empty unless <see cref="UsesPeer"/>.</param>
    /// <param name="time">Now.</param>
    /// <param name="count">Payloads so far.</param>
    /// <returns>Valid until the next rendering on this thread.</returns>
    internal ReadOnlySpan<byte> Render(byte[] peer, DateTimeOffset time, long count)
    {
        if (_rendered is null || _rendered.Length < _bytesMax)
        {
            _rendered = new byte[_bytesMax];
        }

        var rest = _rendered.AsSpan();
        foreach (var part in _parts)
        {
            rest = rest[Write(part, rest, peer, time, count)..];
        }

        return _rendered.AsSpan(0, _rendered.Length - rest.Length);
    }

    private static int Write(ReplyPart part, Span<byte> into, byte[] peer, DateTimeOffset time, long count)
    {
        if (part.Literal is { } literal)
        {
            literal.CopyTo(into);
            return literal.Length;
        }

        if (part == ReplyPart.Peer)
        {
            peer.CopyTo(into);
            return peer.Length;
        }

        int written;
        if (part == ReplyPart.Time)
        {
            time.UtcDateTime.TryFormat(
                into, out written, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        }
        else
        {
            count.TryFormat(into, out written, default, CultureInfo.InvariantCulture);
        }

        return written;
    }
}
