using System.Numerics;

namespace Router.Net;

/// <summary>
/// A pipe of the kernel that one direction of a proxy connection goes through: bytes pass from socket to socket
/// without being copied to the process and back. See splice(2), pipe(7).
/// </summary>
/// <remarks>Loop thread only. Takes two descriptors. Made by <see cref="INetwork.CreatePipe"/>, for streams of the
/// same network.</remarks>
internal abstract class StreamPipe : IDisposable
{
    /// <summary>The bytes that the system lets it hold.</summary>
    public abstract int Capacity { get; }

    /// <summary>Bytes filled in and not drained.</summary>
    public int Buffered { get; protected set; }

    /// <summary>The pool that the pipe is counted in.</summary>
    internal PipePool? Pool { private get; set; }

    /// <summary>Moves what the stream has into the pipe, which must be empty: a full one and a stream without bytes
    /// would give the same answer.</summary>
    /// <returns>Bytes, 0 at the end of the stream, or a negative errno. -EINVAL, -ENOMEM and -ENOBUFS say that the
    /// system does not do this now, and nothing was moved; -EAGAIN that nothing is there. Any other is the stream's
    /// error, as <see cref="StreamSocket.Receive"/> would have told it: the stream tells it only once.</returns>
    public abstract int Fill(StreamSocket from);

    /// <summary>Sends what is in the pipe.</summary>
    /// <returns>Bytes sent, or a negative errno as <see cref="StreamSocket.Send"/> returns it, which the stream tells
    /// only once. -EINVAL says that the system does not do this, and nothing was moved.</returns>
    public abstract int Drain(StreamSocket to);

    /// <summary>Copies bytes out of the pipe into memory, for the case that they cannot be drained.</summary>
    /// <returns>Bytes read, or a negative errno.</returns>
    public abstract unsafe int Read(byte* buffer, int capacity);

    /// <summary>Closes both ends and loses what is buffered. Closing twice is allowed.</summary>
    public abstract void Dispose();

    /// <summary>Closes the pipe and counts it back to its pool.</summary>
    internal void Return()
    {
        Dispose();
        Pool?.OnReturned(Capacity);
        Pool = null;
    }

    /// <summary>Called when the system makes pipes but does not splice: the pool makes no more of them.</summary>
    internal void TurnOff() => Pool?.TurnOff();
}

/// <summary>
/// The pipes of one loop: made when a stream moves bulk, closed when it does not any more, never more than the limit.
/// </summary>
/// <remarks>
/// Loop thread only. No pipe is kept for later, since making one costs little beside the bulk that asks for it. All
/// pipes share a budget: while it is ample each gets the size that is asked for; later ones get less, so that there are
/// many.
/// </remarks>
/// <param name="network">The network that makes the pipes.</param>
/// <param name="limit">The most pipes at once; 0 for none.</param>
/// <param name="bytes">The largest size of a pipe.</param>
/// <param name="budget">The most bytes of all pipes together.</param>
internal sealed class PipePool(INetwork network, int limit, int bytes, long budget = long.MaxValue)
{
    /// <summary>The size that a pipe has by itself, see pipe(7): the budget makes none smaller.</summary>
    private const int SharedBytesMin = 64 * 1024;

    /// <summary>A pipe takes at most one in so many of the bytes that are left of the budget.</summary>
    private const int BudgetShare = 16;

    private long _left = budget;
    private bool _isOff;

    /// <summary>Pipes in use.</summary>
    public int Taken { get; private set; }

    /// <summary>Calls of <see cref="Take"/> that returned null.</summary>
    public long Refusals { get; private set; }

    /// <summary>An empty pipe; null if the limit or the budget is used up or the system refuses one. The caller then
    /// copies the bytes.</summary>
    public StreamPipe? Take()
    {
        var part = BitOperations.RoundUpToPowerOf2((ulong)(_left / BudgetShare) + 1) / 2;
        var size = (int)Math.Min((ulong)bytes, Math.Max(part, SharedBytesMin));
        if (!_isOff && Taken < limit && size <= _left && network.CreatePipe(size, out var pipe) >= 0)
        {
            Taken++;
            _left -= pipe!.Capacity;
            pipe.Pool = this;
            return pipe;
        }

        Refusals++;
        return null;
    }

    internal void OnReturned(int capacity)
    {
        Taken--;
        _left += capacity;
        Check.That(Taken >= 0);
    }

    internal void TurnOff() => _isOff = true;
}
