using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Router.Sessions;

namespace Router.Configuration;

/// <summary>How addresses are written in a configuration.</summary>
internal static class Endpoints
{
    /// <param name="text"><c>udp://ADDRESS:PORT</c> or <c>tcp://ADDRESS:PORT</c>, IPv6 in brackets.</param>
    /// <param name="transport">From the scheme.</param>
    /// <param name="endPoint">Numeric: a name could mean another address at each start.</param>
    /// <param name="reason">Why not, or null.</param>
    public static bool TryParseBind(
        string text, out SessionTransport transport, out IPEndPoint endPoint, out string? reason)
    {
        transport = text.StartsWith("tcp://", StringComparison.Ordinal) ? SessionTransport.Tcp : SessionTransport.Udp;
        endPoint = new IPEndPoint(IPAddress.Any, 0);
        if (transport == SessionTransport.Udp && !text.StartsWith("udp://", StringComparison.Ordinal))
        {
            reason = $"'{text}' must begin with {UnixEndpoints.BindSchemes}";
            return false;
        }

        if (!TrySplit(text["udp://".Length..], out var host, out var port, out reason))
        {
            return false;
        }

        if (ParseAddress(host) is not { } address)
        {
            reason = $"'{host}' is not a numeric address; a host name cannot be bound "
                + "(127.0.0.1, 0.0.0.0, [::1] and [::] can)";
            return false;
        }

        endPoint = new IPEndPoint(address, port);
        return true;
    }

    /// <param name="text"><c>HOST:PORT</c>; the host a name or an address, IPv6 in brackets.</param>
    /// <param name="host">Without brackets.</param>
    /// <param name="port">1 to 65535.</param>
    /// <param name="address">The host when it is numeric, IPv4-mapped ones as IPv4.</param>
    /// <param name="reason">Why not, or null.</param>
    public static bool TryParseUpstream(
        string text, out string host, out int port, out IPAddress? address, out string? reason)
    {
        address = null;
        if (!TrySplit(text, out host, out port, out reason))
        {
            return false;
        }

        if (port == 0)
        {
            reason = $"'{text}': an upstream's port is 1 to 65535";
            return false;
        }

        address = ParseAddress(host) is { } numeric ? Plain(numeric) : null;
        if (address is null && !IsName(host))
        {
            reason = $"'{host}' is neither an address nor a host name";
            return false;
        }

        return true;
    }

    /// <summary>An IPv4 address in IPv6's clothes is that IPv4 address.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    public static bool IsWildcard(IPAddress address) =>
        address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static bool TrySplit(string text, out string host, out int port, out string? reason)
    {
        var colon = text.LastIndexOf(':');
        host = colon < 0 ? text : text[..colon];
        port = 0;
        reason = null;
        if (colon < 0
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port))
        {
            reason = $"'{text}' must end with a port, as in 127.0.0.1:27123 or [::1]:27123";
        }
        else if (port > ushort.MaxValue)
        {
            reason = $"port {port} is not within 0 to 65535";
        }
        else if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
            reason = host.Contains(':') ? null : $"'[{host}]' is not an IPv6 address";
        }
        else if (host.Contains(':'))
        {
            reason = $"'{host}': an IPv6 address stands in brackets, as in [::1]:27123";
        }

        return reason is null;
    }

    /// <summary>Strict for IPv4: the parser would also take 127.1, and 010.0.0.1 as octal.</summary>
    private static IPAddress? ParseAddress(string host) =>
        IPAddress.TryParse(host, out var address)
        && (address.AddressFamily == AddressFamily.InterNetworkV6 || address.ToString() == host)
            ? address
            : null;

    private static bool IsName(string host) =>
        host.Length is > 0 and <= 253
        && !host.All(c => char.IsAsciiDigit(c) || c == '.')
        && host.Split('.').All(IsLabel);

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63 && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
