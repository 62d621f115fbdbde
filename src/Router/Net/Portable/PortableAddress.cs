using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>One socket's scratch for the base library's <see cref="SocketAddress"/>, so that no datagram costs an
/// object.</summary>
/// <remarks>
/// From byte 2 on, port, address and scope lie alike on every system (RFC 3493); the two before them, family and on
/// some a length, are written by the constructor and left alone.
/// </remarks>
internal sealed class PortableAddress(int family)
{
    public const int Port = 2, Address4 = 4, Address6 = 8, Scope = 24, Size4 = 16, Size6 = 28;

    public SocketAddress Raw { get; } = family == SocketAddr.FamilyIPv6
        ? new SocketAddress(AddressFamily.InterNetworkV6, Size6)
        : new SocketAddress(AddressFamily.InterNetwork, Size4);

    /// <summary>Room for either family again: a receive shortens it to what came.</summary>
    public void PrepareToReceive() => Raw.Size = Raw.Family == AddressFamily.InterNetworkV6 ? Size6 : Size4;

    public void Read(ref SocketAddr address)
    {
        var bytes = Raw.Buffer.Span;
        var port = (ulong)MemoryMarshal.Read<ushort>(bytes[Port..]) << 16;
        address = default;
        if (Raw.Family != AddressFamily.InterNetworkV6)
        {
            address.Word0 = SocketAddr.FamilyIPv4 | port | ((ulong)MemoryMarshal.Read<uint>(bytes[Address4..]) << 32);
            return;
        }

        address.Word0 = SocketAddr.FamilyIPv6 | port;
        address.Word1 = MemoryMarshal.Read<ulong>(bytes[Address6..]);
        address.Word2 = MemoryMarshal.Read<ulong>(bytes[(Address6 + 8)..]);
        address.Word3 = MemoryMarshal.Read<uint>(bytes[Scope..]);
    }

    public void Write(in SocketAddr address)
    {
        PrepareToReceive();
        var peer = Raw.Family == AddressFamily.InterNetworkV6 ? address.MapToIPv6() : address;
        var bytes = Raw.Buffer.Span;
        MemoryMarshal.Write(bytes[Port..], (ushort)(peer.Word0 >> 16));
        if (peer.Family != SocketAddr.FamilyIPv6)
        {
            MemoryMarshal.Write(bytes[Address4..], (uint)(peer.Word0 >> 32));
            return;
        }

        MemoryMarshal.Write(bytes[Address6..], peer.Word1);
        MemoryMarshal.Write(bytes[(Address6 + 8)..], peer.Word2);
        MemoryMarshal.Write(bytes[Scope..], (uint)peer.Word3);
    }
}
