using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>What carries one session alone: its connection, a datagram socket of its own, or the way to the member that
/// its peer's datagrams come by. A session without one is carried by its listener's socket.</summary>
/// <remarks>Loop thread only.</remarks>
internal interface ISessionCarrier
{
    /// <summary>Messages taken in one turn; what is left is reported again by the loop's next poll.</summary>
    internal const int ReceivesPerTurn = 16;

    /// <summary>Null where it is nobody's alone.</summary>
    IoSocket? Socket { get; }

    /// <summary>Connections: what the peer sends is not read at present.</summary>
    bool IsPeerHeld => false;

    /// <summary>Whether the session's next payloads go by it. One that says no has left the session, and they go as if
    /// there were none. It is asked before each payload or train, for a train goes one way whole.</summary>
    bool Carries => true;

    /// <summary>Sends a payload, or keeps it if there is room for it.</summary>
    /// <returns>False if nothing was taken.</returns>
    bool Send(ReadOnlySpan<byte> payload);

    /// <summary>Sends a payload, or keeps it whatever is kept already.</summary>
    /// <returns>False if the end was told already, or the socket is broken.</returns>
    bool Keep(ReadOnlySpan<byte> payload);

    /// <summary>Kept until the peer takes it; on another thread than the loop's it may be a little old.</summary>
    int UnsentBytes { get; }

    /// <summary>In the session's turn: the socket is ready, and its handler does not see to that itself.</summary>
    void OnReady(IoReadiness ready);

    /// <summary>Connections: tells the end of the replies, behind what is unsent.</summary>
    void Finish()
    {
    }

    /// <summary>Connections: reads no more, so that the peer waits, or goes on reading.</summary>
    void SetReading(bool isStopped)
    {
    }

    /// <summary>The session closes: tells its end, where it has to wait for what is unsent or for the peer's own end.
    /// </summary>
    /// <returns>Whether it waits; it is told by <see cref="Linger"/> when to go on.</returns>
    bool TryLinger(CloseReason reason) => false;

    /// <summary>Sends what is unsent, discards what the peer still sends, and stops the session's actor once there is
    /// nothing to wait for.</summary>
    void Linger()
    {
    }

    /// <summary>The session is over: gives socket and buffers back.</summary>
    void Release(CloseReason reason);
}

internal static class SessionReading
{
    /// <summary>Connections: no more is read until <see cref="AllowReading"/>, so that the peer waits. Any thread.
    /// </summary>
    public static void StopReading(this SessionContext session) => session.OnLoop(SetReading, true);

    /// <summary>Goes on reading. Any thread.</summary>
    public static void AllowReading(this SessionContext session) => session.OnLoop(SetReading, false);

    private static void SetReading(SessionContext session, bool isStopped)
    {
        if (!session.IsClosed)   // else it lingers, and sees to its reading itself
        {
            session.Carrier?.SetReading(isStopped);
        }
    }
}

internal static class CloseReasons
{
    /// <summary>A connection that ends so is reset: what its peer was sent need not be whole.</summary>
    public static bool IsAbort(this CloseReason reason) =>
        reason is CloseReason.Failed or CloseReason.Reset or CloseReason.Shutdown or CloseReason.ListenerRemoved
            or CloseReason.UpstreamFailed or CloseReason.UpstreamRemoved or CloseReason.Isolated;
}
