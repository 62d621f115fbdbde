using System.Net;
using Router.Net;

namespace Router.Admin;

/// <summary>Peers by an address, an endpoint, a network, or the name of a unix socket. IPv4 in both of its spellings
/// is the same.</summary>
internal sealed class PeerFilter
{
    private readonly LocalAddr _network;
    private readonly LocalAddr _mask;
    private readonly int _port;      // 0 for any
    private readonly string? _unix;

    private PeerFilter(string unix) => _unix = unix;

    private PeerFilter(IPAddress address, int prefix, int port)
    {
        Span<byte> mask = stackalloc byte[16];
        for (var bit = 0; bit < prefix; bit++)
        {
            mask[bit / 8] |= (byte)(0x80 >> (bit % 8));
        }

        _mask = Of(mask);
        Span<byte> bytes = stackalloc byte[16];
        address.MapToIPv6().TryWriteBytes(bytes, out _);
        var all = Of(bytes);
        _network = new LocalAddr { High = all.High & _mask.High, Low = all.Low & _mask.Low };
        _port = port;
    }

    /// <param name="text"><c>192.0.2.7</c>, <c>192.0.2.0/24</c>, <c>192.0.2.7:5000</c>, the same of IPv6 with brackets
    /// before a port, or <c>unix:/run/client.sock</c>.</param>
    /// <returns>Null for what is none of these.</returns>
    public static PeerFilter? Parse(string text)
    {
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            return new PeerFilter(text);
        }

        if (text.Contains('/', StringComparison.Ordinal))
        {
            return IPNetwork.TryParse(text, out var network)
                ? new PeerFilter(network.BaseAddress, BitsOf(network.BaseAddress, network.PrefixLength), 0)
                : null;
        }

        if (IPAddress.TryParse(text.Trim('[', ']'), out var address))
        {
            return new PeerFilter(address, 128, 0);
        }

        return IPEndPoint.TryParse(text, out var endPoint) && endPoint.Port != 0   // no peer has port 0
            ? new PeerFilter(endPoint.Address, 128, endPoint.Port)
            : null;
    }

    /// <summary>Allocates nothing for peers by IP.</summary>
    public bool Matches(in SocketAddr peer)
    {
        if (peer.IsUnix || _unix is not null)
        {
            return _unix is not null && peer.IsUnix && peer.ToString() == _unix;
        }

        if (_port != 0 && peer.Port != _port)
        {
            return false;
        }

        var address = LocalAddr.From(peer);
        return (address.High & _mask.High) == _network.High && (address.Low & _mask.Low) == _network.Low;
    }

    private static int BitsOf(IPAddress address, int prefix) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? prefix + 96 : prefix;

    private static LocalAddr Of(ReadOnlySpan<byte> bytes) => new()
    {
        High = BitConverter.ToUInt64(bytes),
        Low = BitConverter.ToUInt64(bytes[8..]),
    };
}
