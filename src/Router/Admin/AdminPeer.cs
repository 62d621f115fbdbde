using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Router.Net;

namespace Router.Admin;

/// <summary>Who makes a request, for the log.</summary>
/// <param name="Text">An endpoint, or <c>unix</c>.</param>
/// <param name="Credentials">Over a unix socket: the process that has connected.</param>
internal sealed record AdminPeer(string Text, PeerCredentials? Credentials)
{
    private const int SolSocket = 1;   // of Linux, on all processors that .NET runs on

    public int? ProcessId => Credentials?.ProcessId;

    public uint? UserId => Credentials?.UserId;

    public static AdminPeer Of(HttpContext http)
    {
        var connection = http.Connection;
        if (connection.RemoteIpAddress is { } address)
        {
            return new AdminPeer(SocketAddr.From(address, connection.RemotePort).ToString(), null);
        }

        var socket = http.Features.Get<IConnectionSocketFeature>()?.Socket;
        return new AdminPeer("unix", socket is null || !OperatingSystem.IsLinux() ? null : CredentialsOf(socket));
    }

    private static PeerCredentials? CredentialsOf(Socket socket)
    {
        Span<byte> raw = stackalloc byte[3 * sizeof(int)];   // struct ucred: pid, uid, gid; unix(7)
        try
        {
            return socket.GetRawSocketOption(SolSocket, LibcUnix.SoPeerCredentials, raw) == raw.Length
                ? new PeerCredentials(
                    MemoryMarshal.Read<int>(raw),
                    MemoryMarshal.Read<uint>(raw[4..]),
                    MemoryMarshal.Read<uint>(raw[8..]))
                : null;
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }
}
