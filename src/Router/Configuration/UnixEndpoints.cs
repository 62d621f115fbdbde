using System.Text;
using Router.Sessions;

namespace Router.Configuration;

/// <summary>How unix sockets are written in a configuration: <c>unix:///run/app.sock</c>, or <c>unix://@app</c> for an
/// abstract name; likewise unixpacket:// and unixgram://.</summary>
internal static class UnixEndpoints
{
    /// <summary>The scheme names a bind, or an upstream, may begin with.</summary>
    public const string BindSchemes = "udp://, tcp://, unix://, unixpacket:// or unixgram://";

    /// <summary>sun_path has 108 bytes, one of them a NUL; see unix(7).</summary>
    private const int NameBytesMax = 107;

    private static readonly (string Scheme, SessionTransport Transport)[] Schemes =
    [
        ("unix://", SessionTransport.Unix),
        ("unixpacket://", SessionTransport.Unixpacket),
        ("unixgram://", SessionTransport.Unixgram),
    ];

    public static bool IsUnix(string text) =>
        Array.Exists(Schemes, each => text.StartsWith(each.Scheme, StringComparison.Ordinal));

    /// <param name="text">With one of the three schemes.</param>
    /// <param name="name">The path, without a "//", "." or ".." in it; or '@' and the abstract name.</param>
    /// <returns>Why it is refused, or null.</returns>
    public static string? Parse(string text, out SessionTransport transport, out string name)
    {
        (var scheme, transport) = Array.Find(Schemes, each => text.StartsWith(each.Scheme, StringComparison.Ordinal));
        name = text[scheme.Length..];
        if (FaultOf(text, name) is { } fault)
        {
            return fault;
        }

        name = name[0] == '/' ? Path.GetFullPath(name) : name;
        return null;
    }

    /// <summary>The path that a name leads to, every link among its directories followed; an abstract name as it
    /// is.</summary>
    public static string Real(string name)
    {
        if (name[0] != '/')
        {
            return name;
        }

        var real = "";
        foreach (var part in name.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var next = $"{real}/{part}";
            try
            {
                real = Directory.ResolveLinkTarget(next, returnFinalTarget: true)?.FullName ?? next;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                real = next;   // not there, or not to be looked at: binding or connecting will say so
            }
        }

        return real;
    }

    private static string? FaultOf(string text, string name)
    {
        // The '@' stands for the NUL that begins an abstract name.
        var isAbstract = name.StartsWith('@');
        var bytes = Encoding.UTF8.GetByteCount(name) - (isAbstract ? 1 : 0);
        if (bytes <= 0)
        {
            return $"'{text}' names no socket: a path follows, as in unix:///run/app.sock, or an abstract name, as in "
                + "unix://@app";
        }

        if (name.Contains('\0', StringComparison.Ordinal))
        {
            return $"'{text.Replace("\0", "\\0", StringComparison.Ordinal)}' has a NUL character in its name";
        }

        if (!isAbstract && name[0] != '/')
        {
            return $"'{name}' is a relative path, which would depend on where the router was started; write it from "
                + "the root on, with three slashes: unix:///run/app.sock";
        }

        if (!isAbstract && (name.EndsWith('/') || name.EndsWith("/.", StringComparison.Ordinal)
            || name.EndsWith("/..", StringComparison.Ordinal)))
        {
            return $"'{name}' is a directory; name the socket in it";
        }

        return bytes <= NameBytesMax
            ? null
            : $"'{name}' has {bytes} bytes, and the name of a unix socket holds {NameBytesMax}";
    }
}
