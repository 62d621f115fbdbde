using System.Net;
using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Routes;

/// <param name="Host">A name, a numeric address without brackets, or of a unix socket its path or abstract
/// name.</param>
/// <param name="Port">1 to 65535; 0 for a unix socket.</param>
/// <param name="Address">The host when it is numeric, IPv4-mapped ones as IPv4; else null.</param>
internal sealed record UpstreamOptions(string Host, int Port, IPAddress? Address, HoconOrigin Origin)
{
    /// <summary>What kind of unix socket; null for IP.</summary>
    public SessionTransport? Unix { get; init; }

    public UpstreamTarget Target => new(Unix is null ? Host : ToString(), Port);

    /// <inheritdoc cref="ParseElement{T}"/>
    public static string? Parse(string text, HoconOrigin origin, out UpstreamOptions? upstream)
    {
        string? fault;
        if (UnixEndpoints.IsUnix(text))
        {
            fault = UnixEndpoints.Parse(text, out var kind, out var socket);
            upstream = new UpstreamOptions(socket, 0, null, origin) { Unix = kind };
        }
        else
        {
            fault = Endpoints.ParseUpstream(text, out var host, out var port, out var address);
            upstream = new UpstreamOptions(host, port, address, origin);
        }

        return fault;
    }

    /// <summary>As in the file.</summary>
    public override string ToString() =>
        Unix is { } unix ? $"{unix.Scheme()}://{Host}"
        : Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
