using System.Net;
using System.Net.Sockets;

namespace Router.Tests.Functional;

/// <summary>Plain blocking sockets, for use on the namespace's thread. Their time-outs bound every wait.</summary>
internal static class Client
{
    /// <summary>Fresh clients that <see cref="AnswerTime"/> makes.</summary>
    public const int Tries = 5;

    private const int TimeoutMs = 5000;

    public static IPEndPoint Loopback(int port) => new(IPAddress.Loopback, port);

    /// <summary>A UDP socket connected to the port of 127.0.0.1.</summary>
    /// <param name="from">Its own address; null for any.</param>
    public static Socket Udp(int port, IPEndPoint? from = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
        {
            ReceiveTimeout = TimeoutMs,
            SendTimeout = TimeoutMs,
        };
        if (from is not null)
        {
            socket.Bind(from);
        }

        socket.Connect(Loopback(port));
        return socket;
    }

    /// <summary>A TCP connection to the port of 127.0.0.1.</summary>
    public static Socket Tcp(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = TimeoutMs,
            SendTimeout = TimeoutMs,
        };
        socket.Connect(Loopback(port));
        return socket;
    }

    /// <summary>Sends to a router that may have reset the connection by now.</summary>
    public static void SendUnlessReset(Socket socket, ReadOnlySpan<byte> payload)
    {
        try
        {
            socket.Send(payload);
        }
        catch (SocketException e) when (
            e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted)
        {
            // What is tested is what the router says about it.
        }
    }

    /// <summary>Sends the bytes and receives as many.</summary>
    public static byte[] Exchange(Socket socket, ReadOnlySpan<byte> payload)
    {
        socket.Send(payload);
        var reply = new byte[payload.Length];
        var length = 0;
        while (length < reply.Length)
        {
            var received = socket.Receive(reply, length, reply.Length - length, SocketFlags.None);
            length += received;
            if (received == 0 || socket.SocketType == SocketType.Dgram)
            {
                break;
            }
        }

        return reply[..length];
    }

    /// <summary>Shortest time that a fresh peer waits for its echo, out of a few tries.</summary>
    /// <remarks>The best, not the mean: on busy cores one may wait longer for a core than for the router.</remarks>
    public static TimeSpan AnswerTime(Func<Socket> connect)
    {
        var best = TimeSpan.MaxValue;
        for (var i = 0; i < Tries; i++)
        {
            var start = TimeProvider.System.GetTimestamp();
            using var socket = connect();
            Assert.Equal("fresh"u8.ToArray(), Exchange(socket, "fresh"u8));
            var time = TimeProvider.System.GetElapsedTime(start);
            best = time < best ? time : best;
        }

        return best;
    }
}
