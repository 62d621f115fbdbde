using System.Net;
using System.Net.Sockets;

namespace Router.Net;

/// <summary>Wakes a poller of the portable network by a datagram to itself: a loopback socket connected to its own
/// address, so that nobody else can.</summary>
internal sealed class PortableWake : IDisposable
{
    private readonly byte[] _bytes = [1];
    private readonly Lock _lock = new();
    private int _isPending;
    private bool _isDisposed;

    public PortableWake()
    {
        Socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        Socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Socket.Connect(Socket.LocalEndPoint!);
    }

    /// <summary>Readable once it was sent to.</summary>
    public Socket Socket { get; }

    /// <summary>Makes the socket readable. Any thread; never blocks.</summary>
    public void Send()
    {
        if (Interlocked.Exchange(ref _isPending, 1) != 0)
        {
            return;
        }

        lock (_lock)
        {
            if (!_isDisposed)
            {
                Socket.Send(_bytes, SocketFlags.None, out _);
            }
        }
    }

    /// <summary>Called by the poller when the socket is readable.</summary>
    public void Take()
    {
        Span<byte> buffer = stackalloc byte[1];
        while (Socket.Available > 0 && Socket.Receive(buffer, SocketFlags.None, out _) > 0)
        {
        }

        // After the reading: a Send in between needs no datagram, since this wait is ending.
        Interlocked.Exchange(ref _isPending, 0);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            Socket.Dispose();
        }
    }
}
