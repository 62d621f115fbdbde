using System.Net;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>The local address a datagram came to (IP_PKTINFO, IPV6_PKTINFO): 16 address bytes and the interface;
/// empty on a socket bound to one address.</summary>
/// <remarks>IPv4 is held as ::ffff:a.b.c.d. The interface index matters for link-local addresses only and is 0
/// otherwise.</remarks>
[StructLayout(LayoutKind.Sequential, Size = 24)]
internal struct LocalAddr : IEquatable<LocalAddr>
{
    internal ulong High;
    internal ulong Low;
    internal ulong Interface;

    public readonly bool IsEmpty => (High | Low) == 0;

    public readonly IPAddress Address
    {
        get
        {
            Span<byte> bytes = stackalloc byte[16];
            MemoryMarshal.Write(bytes, High);
            MemoryMarshal.Write(bytes[8..], Low);
            var address = new IPAddress(bytes, (long)Interface);
            return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        }
    }

    /// <summary>The four address bytes of an IPv4 address, in network order.</summary>
    internal readonly uint IPv4 => (uint)(Low >> 32);

    /// <summary>From an address that a datagram came to; a group leaves it empty. The scope id of an IPv6 address is
    /// the interface.</summary>
    public static LocalAddr From(IPAddress address)
    {
        var result = default(LocalAddr);
        Span<byte> bytes = stackalloc byte[16];
        address.MapToIPv6().TryWriteBytes(bytes, out _);
        result.SetIPv6(
            MemoryMarshal.Read<ulong>(bytes),
            MemoryMarshal.Read<ulong>(bytes[8..]),
            address.IsIPv6LinkLocal ? (uint)address.ScopeId : 0);
        return result;
    }

    /// <summary>Of an endpoint, without its port; of a unix socket's empty. Allocates nothing.</summary>
    internal static LocalAddr From(in SocketAddr endPoint)
    {
        var result = default(LocalAddr);
        if (endPoint.Family == SocketAddr.FamilyIPv6)
        {
            result.SetIPv6(endPoint.Word1, endPoint.Word2, (uint)endPoint.Word3);
        }
        else if (!endPoint.IsUnix)
        {
            result.SetIPv4((uint)(endPoint.Word0 >> 32));
        }

        return result;
    }

    /// <summary>As an address to bind, in the family of the socket that received there.</summary>
    internal readonly SocketAddr ToSocketAddr(ushort family, int port)
    {
        var address = SocketAddr.From(Address, port);
        return family == SocketAddr.FamilyIPv6 ? address.MapToIPv6() : address;
    }

    /// <summary>From four bytes in network order; 0.0.0.0 leaves it empty.</summary>
    internal void SetIPv4(uint networkBytes) => Low = networkBytes == 0 ? 0 : ((ulong)networkBytes << 32) | 0xffff_0000;

    /// <summary>From sixteen bytes; a group leaves it empty.</summary>
    internal void SetIPv6(ulong high, ulong low, uint interfaceIndex)
    {
        if (IsGroup(high, low))
        {
            return;
        }

        High = high;
        Low = low;
        Interface = (high & 0xc0ff) == 0x80fe ? interfaceIndex : 0;   // fe80::/10
    }

    public readonly bool Equals(LocalAddr other) =>
        High == other.High && Low == other.Low && Interface == other.Interface;

    public override readonly bool Equals(object? obj) => obj is LocalAddr other && Equals(other);

    public override readonly int GetHashCode() => HashCode.Combine(High, Low, Interface);

    public override readonly string ToString() => IsEmpty ? "-" : Address.ToString();

    public static bool operator ==(LocalAddr left, LocalAddr right) => left.Equals(right);

    public static bool operator !=(LocalAddr left, LocalAddr right) => !left.Equals(right);

    /// <summary>Whether nothing can be sent from the address: an IPv4 or IPv6 multicast group, or
    /// 255.255.255.255.</summary>
    private static bool IsGroup(ulong high, ulong low)
    {
        var isMapped = high == 0 && (uint)low == 0xffff_0000;
        return isMapped
            ? ((low >> 32) & 0xf0) == 0xe0 || low >> 32 == 0xffff_ffff
            : (byte)high == 0xff;
    }
}
