using System.Buffers.Binary;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>An endpoint as the kernel writes it: a raw sockaddr_in (16 bytes) or sockaddr_in6 (28), zero-padded to
/// 32. Of a unix socket, whose name is longer, the number of its name.</summary>
/// <remarks>
/// The layout is Linux's (family in host order, port and address in network order) on every system, so that it can be
/// the session table's key as received. Four words, compared and hashed as such. See ip(7), ipv6(7).
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = 32)]
internal struct SocketAddr : IEquatable<SocketAddr>
{
    /// <summary>AF_INET and AF_INET6 as Linux numbers them.</summary>
    public const ushort FamilyIPv4 = 2, FamilyIPv6 = 10;

    /// <summary>AF_UNIX.</summary>
    public const ushort FamilyUnix = 1;

    internal ulong Word0;   // family, port, IPv4 address | flow label | type of a unix socket
    internal ulong Word1;   // IPv6 address, first half | number of a unix socket's name
    internal ulong Word2;   // IPv6 address, second half
    internal ulong Word3;   // scope id

    public readonly ushort Family => (ushort)Word0;

    public readonly bool IsEmpty => Word0 == 0;

    /// <summary>A unix socket's: it has neither address nor port, see <see cref="UnixAddress"/>.</summary>
    public readonly bool IsUnix => Family == FamilyUnix;

    /// <summary>What kind of unix socket; None for an IP endpoint.</summary>
    public readonly UnixSocketType UnixType => IsUnix ? (UnixSocketType)(Word0 >> 32) : UnixSocketType.None;

    /// <summary>Bytes of the sockaddr in use: 16 or 28.</summary>
    public readonly int Length => Family == FamilyIPv6 ? 28 : 16;

    /// <summary>0.0.0.0 or [::], whatever the port.</summary>
    public readonly bool IsWildcard => Family == FamilyIPv6 ? (Word1 | Word2) == 0 : Word0 >> 32 == 0;

    /// <summary>127.0.0.0/8 in either spelling, or [::1].</summary>
    public readonly bool IsLoopback => Family == FamilyIPv6
        ? Word1 == 0 && (Word2 == 1UL << 56 || (Word2 & 0xff_ffff_ffff) == 0x7f_ffff_0000)
        : (byte)(Word0 >> 32) == 127;

    /// <summary>The longest payload of a datagram to this endpoint: 65,535 bytes less the UDP header, and over IPv4
    /// less the IP header, which IPv6 does not count.</summary>
    public readonly int DatagramBytesMax => Family == FamilyIPv6 && !IsMapped ? 65_527 : 65_507;

    public readonly int Port => BinaryPrimitives.ReverseEndianness((ushort)(Word0 >> 16));

    /// <summary>The address without port; IPv4-mapped IPv6 addresses come back as IPv4. Of a unix socket
    /// <see cref="IPAddress.None"/>.</summary>
    public readonly IPAddress Address
    {
        get
        {
            if (Family != FamilyIPv6)
            {
                return IsUnix ? IPAddress.None : new IPAddress((uint)(Word0 >> 32));
            }

            Span<byte> bytes = stackalloc byte[16];
            MemoryMarshal.Write(bytes, Word1);
            MemoryMarshal.Write(bytes[8..], Word2);
            var address = new IPAddress(bytes, (uint)Word3);
            return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        }
    }

    public readonly IPEndPoint ToIPEndPoint() => new(Address, Port);

    /// <summary>As the kernel would write it on a socket of the endpoint's own family.</summary>
    public static SocketAddr From(IPEndPoint endPoint) => From(endPoint.Address, endPoint.Port);

    public static SocketAddr From(IPAddress address, int port)
    {
        var result = default(SocketAddr);
        var networkPort = (ulong)BinaryPrimitives.ReverseEndianness((ushort)port) << 16;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var written);
        if (written == 4)
        {
            result.Word0 = FamilyIPv4 | networkPort | ((ulong)MemoryMarshal.Read<uint>(bytes) << 32);
            return result;
        }

        result.Word0 = FamilyIPv6 | networkPort;
        result.Word1 = MemoryMarshal.Read<ulong>(bytes);
        result.Word2 = MemoryMarshal.Read<ulong>(bytes[8..]);
        result.Word3 = (uint)address.ScopeId;
        return result;
    }

    /// <param name="type">What kind of socket.</param>
    /// <param name="number">As <see cref="UnixNames"/> gives it; 0 for one without a name.</param>
    internal static SocketAddr Unix(UnixSocketType type, ulong number) =>
        new() { Word0 = FamilyUnix | ((ulong)type << 32), Word1 = number };

    /// <summary>The same endpoint in the other spelling: IPv4 as ::ffff:a.b.c.d, for sending from a dual-stack
    /// socket.</summary>
    public readonly SocketAddr MapToIPv6() =>
        Family is FamilyIPv6 or FamilyUnix ? this : From(Address.MapToIPv6(), Port);

    /// <summary>An IPv4 address as a dual-stack socket spells it: ::ffff:a.b.c.d.</summary>
    internal readonly bool IsMapped =>
        Family == FamilyIPv6 && Word1 == 0 && (uint)Word2 == 0xffff_0000;

    /// <summary>The address alone, as a key: no port, no scope, IPv4 as IPv4 however it is spelled.</summary>
    internal readonly SocketAddr AddressOnly
    {
        get
        {
            var result = default(SocketAddr);
            if (IsMapped || Family != FamilyIPv6)
            {
                result.Word0 = FamilyIPv4 | ((IsMapped ? Word2 : Word0) & 0xffff_ffff_0000_0000);
                return result;
            }

            result.Word0 = FamilyIPv6;
            result.Word1 = Word1;
            result.Word2 = Word2;
            return result;
        }
    }

    /// <summary>Whether the other is at the same address, whatever its port and scope.</summary>
    internal readonly bool HasAddressOf(in SocketAddr other) => Family == other.Family && (Family == FamilyIPv6
        ? Word1 == other.Word1 && Word2 == other.Word2
        : Word0 >> 32 == other.Word0 >> 32);

    /// <summary>The same address with another port.</summary>
    internal readonly SocketAddr WithPort(int port)
    {
        var result = this;
        result.Word0 = (Word0 & ~0xffff_0000UL) | ((ulong)BinaryPrimitives.ReverseEndianness((ushort)port) << 16);
        return result;
    }

    /// <summary>Clears what the kernel may vary between datagrams of one peer (the IPv6 flow label) and what an
    /// earlier, longer address left behind the one it wrote.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Normalize()
    {
        if (Family == FamilyIPv6)
        {
            Word0 &= 0xffff_ffff;
            Word3 &= 0xffff_ffff;
            return;
        }

        Word1 = 0;
        Word2 = 0;
        Word3 = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Equals(SocketAddr other) =>
        Word0 == other.Word0 && Word1 == other.Word1 && Word2 == other.Word2 && Word3 == other.Word3;

    public override readonly bool Equals(object? obj) => obj is SocketAddr other && Equals(other);

    public override readonly int GetHashCode() => HashCode.Combine(Word0, Word1, Word2, Word3);

    /// <summary><c>192.0.2.1:53</c>, <c>[2001:db8::1]:53</c>, <c>unix:/run/app.sock</c>, <c>unix:@abstract</c>,
    /// <c>unix:-</c> for a unix socket without a name.</summary>
    public override readonly string ToString() => IsEmpty ? "-"
        : IsUnix ? $"unix:{UnixAddress.NameOf(this)}"
        : ToIPEndPoint().ToString();

    public static bool operator ==(SocketAddr left, SocketAddr right) => left.Equals(right);

    public static bool operator !=(SocketAddr left, SocketAddr right) => !left.Equals(right);
}
