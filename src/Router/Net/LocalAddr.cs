using System.Net;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>The local address a datagram came to (IP_PKTINFO, IPV6_PKTINFO): 16 address bytes and the interface; empty on a socket bound to one address.</summary>
/// <remarks>IPv4 is held as ::ffff:a.b.c.d. The interface index matters for link-local addresses only and is 0 otherwise.</remarks>
[StructLayout(LayoutKind.Sequential, Size = 24)]
public struct LocalAddr : IEquatable<LocalAddr>
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

    public static LocalAddr From(IPAddress address)
    {
        var result = default(LocalAddr);
        Span<byte> bytes = stackalloc byte[16];
        address.MapToIPv6().TryWriteBytes(bytes, out _);
        result.High = MemoryMarshal.Read<ulong>(bytes);
        result.Low = MemoryMarshal.Read<ulong>(bytes[8..]);
        return result;
    }

    public readonly bool Equals(LocalAddr other) => High == other.High && Low == other.Low && Interface == other.Interface;

    public override readonly bool Equals(object? obj) => obj is LocalAddr other && Equals(other);

    public override readonly int GetHashCode() => HashCode.Combine(High, Low, Interface);

    public override readonly string ToString() => IsEmpty ? "-" : Address.ToString();

    public static bool operator ==(LocalAddr left, LocalAddr right) => left.Equals(right);

    public static bool operator !=(LocalAddr left, LocalAddr right) => !left.Equals(right);
}
