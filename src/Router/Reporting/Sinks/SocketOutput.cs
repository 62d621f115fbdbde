using System.Net;
using System.Net.Sockets;
using Router.Configuration;

namespace Router.Reporting.Sinks;

/// <summary>A socket towards who gathers lines: UDP, TCP, or a unix socket that keeps messages. It is connected when
/// something is to be written, and anew after a failure.</summary>
internal sealed class SocketOutput(SinkAddress address) : ISinkOutput
{
    /// <summary>IPPROTO_TCP and TCP_SYNCNT: a connection is given up after about 7 s, not after two minutes.</summary>
    private const int Tcp = 6, SynCount = 7, Syns = 2;

    private const int PatienceUs = 100_000;

    private Socket? _socket;

    public bool KeepsMessages => address.Kind != SinkAddressKind.Tcp;

    public int Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var socket = _socket ??= Connect();
            if (!KeepsMessages && socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0)
            {
                throw new SocketException((int)SocketError.ConnectionReset);   // its end: a send would be lost
            }

            var taken = socket.Send(bytes, SocketFlags.None, out var error);
            return error switch
            {
                SocketError.Success => taken,
                SocketError.WouldBlock => Wait(socket),
                SocketError.MessageSize => throw new LineRefusedException("a line is too long for one message"),
                _ => throw new SocketException((int)error),
            };
        }
        catch (SocketException e)
        {
            throw new IOException($"{address} takes nothing: {e.Message}", e);
        }
    }

    public bool Recover()
    {
        Dispose();
        return true;
    }

    public void Reopen() => Dispose();

    public void Dispose()
    {
        _socket?.Dispose();
        _socket = null;
    }

    private static int Wait(Socket socket)
    {
        socket.Poll(PatienceUs, SelectMode.SelectWrite);
        return 0;
    }

    private Socket Connect()
    {
        var socket = address.Kind switch
        {
            SinkAddressKind.Udp => new Socket(SocketType.Dgram, ProtocolType.Udp),
            SinkAddressKind.Tcp => new Socket(SocketType.Stream, ProtocolType.Tcp),
            _ => new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified),
        };
        try
        {
            if (address.Kind == SinkAddressKind.Tcp && OperatingSystem.IsLinux())
            {
                socket.SetRawSocketOption(Tcp, SynCount, BitConverter.GetBytes(Syns));
            }

            socket.Connect(address.Kind == SinkAddressKind.Unix
                ? new UnixDomainSocketEndPoint(address.Host)
                : new DnsEndPoint(address.Host, address.Port));
            socket.Blocking = false;
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }
}
