using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>Counts datagrams that the kernel has dropped at a session's own socket, because its receive buffer was
/// full, as drops of the session.</summary>
/// <remarks>The kernel has to be asked, by a system call: a session asks once in so many datagrams, and before it
/// closes the socket, so that its access record has every one of them.</remarks>
internal static class KernelDrops
{
    /// <summary>Datagrams of one asking, as a power of two.</summary>
    private const int DatagramsBits = 6;

    /// <summary>Asks if the number of the session's datagrams has passed a multiple of 64.</summary>
    /// <param name="session">The session.</param>
    /// <param name="socket">Its socket.</param>
    /// <param name="before">Datagrams before the latest were received.</param>
    /// <param name="now">Datagrams now.</param>
    public static void CountNowAndThen(SessionContext session, IoSocket socket, long before, long now)
    {
        if (before >> DatagramsBits != now >> DatagramsBits)
        {
            Count(session, socket);
        }
    }

    /// <summary>Counts what is left to count, and closes the socket.</summary>
    public static void CountAndClose(SessionContext session, IoSocket socket)
    {
        Count(session, socket);
        socket.Dispose();
    }

    private static void Count(SessionContext session, IoSocket socket)
    {
        if (!socket.IsClosed && socket.TakeKernelDrops() is > 0 and var drops)
        {
            session.CountDrop(DropReason.ReceiveBufferFull, drops);
        }
    }
}
