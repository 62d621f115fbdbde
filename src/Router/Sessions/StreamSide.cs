using Router.Loop;
using Router.Net;

namespace Router.Sessions;

/// <summary>One stream of a session: what is sent on it, and how its reading stands.</summary>
/// <remarks>
/// Loop thread only. One object, not three: a thousand sessions are not in the processor's cache, and each object on a
/// message's way is a line to wait for.
/// </remarks>
internal class StreamSide(StreamSocket socket, BufferPool buffers) : StreamOutput(socket, buffers)
{
    /// <summary>Its FIN has been read.</summary>
    public bool HasEnded { get; set; }

    /// <summary>Nothing more comes and nothing waits: closing sends the FIN, and there is nobody to linger
    /// for.</summary>
    public bool IsOver => HasEnded && !HasUnsent;

    /// <summary>Its handler wants no more for now.</summary>
    public bool IsStopped { get; set; }

    /// <summary>Off the loop: the kernel reports its end on every pass.</summary>
    public bool IsOff { get; set; }

    /// <summary>
    /// Reads in a row that speak for the other way of moving: large ones, or small fills of the pipe.
    /// </summary>
    public int Streak { get; set; }
}
