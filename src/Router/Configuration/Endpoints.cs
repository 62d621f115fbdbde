using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
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

        if (ParseAddress(host, out var address) is { } refusal)
        {
            return refusal;
        }

        if (address is null)
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

        if (port == 0)
        {
            return $"'{text}': an upstream's port is 1 to 65535";
        }

        if (ParseAddress(host, out address) is { } refusal)
        {
            return refusal;
        }

        address = address is null ? null : Plain(address);
        return address is null && !IsName(host) ? $"'{host}' is neither an address nor a host name" : null;
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

    /// <summary>Strict for IPv4: .NET's parser would also take 127.1, and 010.0.0.1 as octal.</summary>
    /// <param name="address">Null for what is no address.</param>
    private static string? ParseAddress(string host, out IPAddress? address)
    {
        if (!IPAddress.TryParse(host, out address)
            || (address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != host))
        {
            address = null;
            return null;
        }

        if (host.IndexOf('%') is > 0 and var at)
        {
            return HasZone(host[(at + 1)..])
                ? null
                : $"'[{host}]': this machine has no network interface '{host[(at + 1)..]}'; 'ip link' lists them";
        }

        return NeedsZone(address)
            ? $"'[{host}]' is an address of one link: its interface stands behind it, as in [{host}%eth0]"
            : null;
    }

    /// <summary>Unicast and multicast of a link mean nothing without it; see ipv6(7), sin6_scope_id.</summary>
    private static bool NeedsZone(IPAddress address) =>
        address.IsIPv6LinkLocal
        || (address.IsIPv6Multicast && (address.GetAddressBytes()[1] & 0xf) is 1 or 2);

    /// <param name="zone">An interface's name, or its number.</param>
    private static bool HasZone(string zone)
    {
        try
        {
            return NetworkInterface.GetAllNetworkInterfaces().Any(each => each.Name == zone
                || each.GetIPProperties().GetIPv6Properties().Index.ToString(CultureInfo.InvariantCulture) == zone);
        }
        catch (NetworkInformationException)
        {
            return true;   // the kernel will tell when it is bound
        }
    }

    /// <summary>A final dot makes a name absolute: it is looked up as it is, without the search list of
    /// resolv.conf(5).</summary>
    private static bool IsName(string host)
    {
        var name = host.EndsWith('.') ? host[..^1] : host;
        return name.Length is > 0 and <= 253
            && !name.All(c => char.IsAsciiDigit(c) || c == '.')
            && name.Split('.').All(IsLabel);
    }

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63 && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
