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
/// <param name="Origin">Where it is written.</param>
internal sealed record UpstreamOptions(string Host, int Port, IPAddress? Address, HoconOrigin Origin)
{
    /// <summary>What kind of unix socket; null for IP.</summary>
    public SessionTransport? Unix { get; init; }

    public UpstreamTarget Target => new(Unix is null ? Host : ToString(), Port);

    /// <inheritdoc cref="ParseElement{T}"/>
    public static string? Parse(string text, HoconOrigin origin, out UpstreamOptions? upstream)
    {
        string? fault;
        bool isRead;
        if (UnixEndpoints.IsUnix(text))
        {
            isRead = UnixEndpoints.TryParse(text, out var kind, out var socket, out fault);
            upstream = new UpstreamOptions(socket, 0, null, origin) { Unix = kind };
        }
        else
        {
            isRead = Endpoints.TryParseUpstream(text, out var host, out var port, out var address, out fault);
            upstream = new UpstreamOptions(host, port, address, origin);
        }

        return isRead ? null : fault;
    }

    /// <summary>As in the file.</summary>
    public override string ToString() =>
        Unix is { } unix ? $"{unix.Scheme()}://{Host}"
        : Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
