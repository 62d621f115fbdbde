using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Router.Sessions;

namespace Router.Configuration;

/// <summary>Parses addresses as a configuration writes them. Each parser returns why it refuses the text, or
/// null.</summary>
internal static class Endpoints
{
    /// <param name="text"><c>udp://ADDRESS:PORT</c> or <c>tcp://ADDRESS:PORT</c>, IPv6 in brackets.</param>
    /// <param name="endPoint">Numeric: a name could mean another address at each start.</param>
    public static string? ParseBind(string text, out SessionTransport transport, out IPEndPoint endPoint)
    {
        transport = text.StartsWith("tcp://", StringComparison.Ordinal) ? SessionTransport.Tcp : SessionTransport.Udp;
        endPoint = new IPEndPoint(IPAddress.Any, 0);
        if (transport == SessionTransport.Udp && !text.StartsWith("udp://", StringComparison.Ordinal))
        {
            return $"'{text}' must begin with {UnixEndpoints.BindSchemes}";
        }

        if (Split(text["udp://".Length..], out var host, out var port) is { } fault)
        {
            return fault;
        }

        if (ParseAddress(host) is not { } address)
        {
            return $"'{host}' is not a numeric address; a host name cannot be bound "
                + "(127.0.0.1, 0.0.0.0, [::1] and [::] can)";
        }

        endPoint = new IPEndPoint(address, port);
        return null;
    }

    /// <param name="text"><c>HOST:PORT</c>; the host a name or an address, IPv6 in brackets.</param>
    /// <param name="host">Without brackets.</param>
    /// <param name="port">1 to 65535.</param>
    /// <param name="address">The host when it is numeric, IPv4-mapped ones as IPv4.</param>
    public static string? ParseUpstream(string text, out string host, out int port, out IPAddress? address)
    {
        address = null;
        if (Split(text, out host, out port) is { } fault)
        {
            return fault;
        }

        address = ParseAddress(host) is { } numeric ? Plain(numeric) : null;
        return port == 0 ? $"'{text}': an upstream's port is 1 to 65535"
            : address is null && !IsName(host) ? $"'{host}' is neither an address nor a host name"
            : null;
    }

    /// <summary>Turns an IPv4-mapped IPv6 address into the IPv4 address that it stands for.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    public static bool IsWildcard(IPAddress address) =>
        address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static string? Split(string text, out string host, out int port)
    {
        var colon = text.LastIndexOf(':');
        host = colon < 0 ? text : text[..colon];
        port = 0;
        if (colon < 0
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port))
        {
            return $"'{text}' must end with a port, as in 127.0.0.1:27123 or [::1]:27123";
        }

        if (port > ushort.MaxValue)
        {
            return $"port {port} is not within 0 to 65535";
        }

        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
            return host.Contains(':') ? null : $"'[{host}]' is not an IPv6 address";
        }

        return host.Contains(':') ? $"'{host}': an IPv6 address stands in brackets, as in [::1]:27123" : null;
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
