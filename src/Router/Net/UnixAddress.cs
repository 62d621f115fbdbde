using System.Globalization;
using System.Text;

namespace Router.Net;

/// <summary>SOCK_STREAM, SOCK_DGRAM and SOCK_SEQPACKET, as the kernel numbers them.</summary>
internal enum UnixSocketType
{
    None = 0,

    /// <summary><c>unix://</c>: a stream of bytes.</summary>
    Stream = 1,

    /// <summary><c>unixgram://</c>: messages without a connection.</summary>
    Datagram = 2,

    /// <summary><c>unixpacket://</c>: messages over a connection.</summary>
    Packet = 5,
}

/// <summary>The file of a bound unix socket. See chmod(2), chown(2).</summary>
/// <param name="Mode">Permission bits; who may write may connect.</param>
/// <param name="Owner">A user id; -1 leaves it the router's.</param>
/// <param name="Group">A group id; -1 leaves it the router's.</param>
internal sealed record UnixFileOptions(int Mode, int Owner = -1, int Group = -1)
{
    public static UnixFileOptions Default { get; } = new(0x1B0);   // 0660
}

/// <summary>Names of unix sockets as people write them: <c>/run/app.sock</c>, or <c>@app</c> for an abstract
/// one.</summary>
internal static class UnixAddress
{
    /// <summary>sun_path has 108 bytes; one is the closing NUL of a path, or the NUL that begins an abstract
    /// name.</summary>
    public const int NameBytesMax = 107;

    private static readonly (string Scheme, UnixSocketType Type)[] Schemes =
    [
        ("unix://", UnixSocketType.Stream),
        ("unixpacket://", UnixSocketType.Packet),
        ("unixgram://", UnixSocketType.Datagram),
    ];

    /// <summary>The address of a name of the configuration; it stands for that name as long as the process
    /// lives.</summary>
    /// <param name="name">An absolute path, or '@' and an abstract name; at most <see cref="NameBytesMax"/>
    /// bytes.</param>
    /// <param name="type">What kind of socket.</param>
    public static SocketAddr Of(string name, UnixSocketType type)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        if (bytes is [(byte)'@', ..])
        {
            bytes[0] = 0;
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, NameBytesMax + 1, nameof(name));
        return SocketAddr.Unix(type, UnixNames.PinnedNumberOf(bytes));
    }

    /// <summary>Reads <c>unix://NAME</c>, <c>unixpacket://NAME</c> or <c>unixgram://NAME</c>; the name is
    /// valid.</summary>
    public static bool TryParse(string text, out SocketAddr address)
    {
        foreach (var (scheme, type) in Schemes)
        {
            if (text.StartsWith(scheme, StringComparison.Ordinal))
            {
                address = Of(text[scheme.Length..], type);
                return true;
            }
        }

        address = default;
        return false;
    }

    /// <summary>The path, or the abstract name behind an '@'; <c>-</c> for who has no name, or is forgotten.</summary>
    public static string NameOf(in SocketAddr address) => UnixNames.Find(address)?.Text is { Length: > 0 } text
        ? text
        : "-";

    /// <summary>Who was met under that address; null for an address of ours, of IP, or a forgotten one.</summary>
    public static PeerCredentials? CredentialsOf(in SocketAddr address) =>
        address.IsUnix ? UnixNames.Find(address)?.Credentials : null;

    /// <summary>Whether both are the same name, whoever has it and whatever socket it is.</summary>
    internal static bool IsSameName(in SocketAddr one, in SocketAddr other) =>
        UnixNames.Find(one) is { Bytes.Length: > 0 } a && UnixNames.Find(other) is { } b
        && a.Bytes.AsSpan().SequenceEqual(b.Bytes);

    /// <summary>16 bytes that are the same after a restart: of the name, or of an unnamed peer's user.</summary>
    internal static ReadOnlySpan<byte> HashBytes(in SocketAddr address, Span<byte> room)
    {
        const ulong Offset = 14_695_981_039_346_656_037, Prime = 1_099_511_628_211;   // FNV-1a
        var found = UnixNames.Find(address);
        var hash = Offset;
        foreach (var each in found?.Bytes ?? [])
        {
            hash = (hash ^ each) * Prime;
        }

        var user = found is { Bytes.Length: 0, Credentials: { } credentials } ? credentials.UserId : 0;
        BitConverter.TryWriteBytes(room, hash);
        BitConverter.TryWriteBytes(room[8..], ((ulong)SocketAddr.FamilyUnix << 32) | user);
        return room[..16];
    }

    /// <summary>UTF-8 as it is; control characters, blanks, backslashes and other bytes as <c>\xNN</c>.</summary>
    internal static string TextOf(ReadOnlySpan<byte> name)
    {
        var text = new StringBuilder(name.Length);
        if (name is [0, ..])
        {
            text.Append('@');
            name = name[1..];
        }

        while (!name.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(name, out var rune, out var length);
            if (status == System.Buffers.OperationStatus.Done && IsPlain(rune))
            {
                text.Append(rune.ToString());
            }
            else
            {
                foreach (var each in name[..length])
                {
                    text.Append(CultureInfo.InvariantCulture, $"\\x{each:x2}");
                }
            }

            name = name[length..];
        }

        return text.ToString();
    }

    private static bool IsPlain(Rune rune) =>
        rune.Value is > ' ' and not '\\' && !Rune.IsControl(rune)
        && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
