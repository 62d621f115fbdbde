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
    private PipePool? _pool;

    /// <summary>Bytes it may hold, as the system made it.</summary>
    public abstract int Capacity { get; }

    /// <summary>Bytes filled in and not drained.</summary>
    public int Buffered { get; protected set; }

    /// <summary>Takes what the stream has, as far as the pipe has room. The pipe is empty: on one that is not, "no
    /// room" and "nothing there" would be the same answer.</summary>
    /// <returns>As <see cref="StreamSocket.Receive"/>: bytes, 0 at the end of the stream, or a negative errno.
    /// -EINVAL: this cannot be done with this stream, and nothing was taken.</returns>
    public abstract int Fill(StreamSocket from);

    /// <summary>Sends what is in the pipe.</summary>
    /// <returns>As <see cref="StreamSocket.Send"/>: bytes taken, or a negative errno. -EINVAL: this cannot be done
    /// with this stream, and nothing was sent.</returns>
    public abstract int Drain(StreamSocket to);

    /// <summary>Takes bytes out of the pipe into memory: the way back when draining cannot be done.</summary>
    /// <returns>Bytes read, or a negative errno.</returns>
    public abstract unsafe int Read(byte* buffer, int capacity);

    /// <summary>Closes both ends; what is buffered is gone. Twice is allowed.</summary>
    public abstract void Dispose();

    /// <summary>Closes it, and counts it back to the pool it came from.</summary>
    internal void Return()
    {
        Dispose();
        _pool?.OnReturned(Capacity);
        _pool = null;
    }

    /// <summary>The system makes pipes and does not splice: the pool tries no more.</summary>
    internal void TurnOff() => _pool?.TurnOff();

    internal void ComeFrom(PipePool pool) => _pool = pool;
}

/// <summary>
/// The pipes of one loop: made when a stream moves bulk, closed when it does not any more, never more than the limit.
/// </summary>
/// <remarks>
/// Loop thread only. None is kept for later: making one is little beside the bulk that asks for it. All together keep
/// within a budget: while it is ample each has the size that is asked for, later ones less, so that many are to be had.
/// </remarks>
/// <param name="network">Makes them, or says that it cannot.</param>
/// <param name="limit">Pipes at once; 0 for none.</param>
/// <param name="bytes">The size of each, at most.</param>
/// <param name="budget">Bytes of all together.</param>
internal sealed class PipePool(INetwork network, int limit, int bytes, long budget = long.MaxValue)
{
    /// <summary>Smaller ones are not made to save: what a pipe has by itself, see pipe(7).</summary>
    private const int SavedBytesMin = 64 * 1024;

    /// <summary>No pipe takes more than this part of what is left of the budget, or the least.</summary>
    private const int Part = 16;

    private long _left = budget;
    private bool _isOff;

    /// <summary>Pipes that are out.</summary>
    public int Taken { get; private set; }

    /// <summary>Times that there was none to be had: all taken, or refused by the system.</summary>
    public long Refusals { get; private set; }

    /// <summary>An empty pipe, or null: then bytes are copied as before.</summary>
    public StreamPipe? Take()
    {
        var part = BitOperations.RoundUpToPowerOf2((ulong)(_left / Part) + 1) / 2;
        var size = (int)Math.Min((ulong)bytes, Math.Max(part, SavedBytesMin));
        if (!_isOff && Taken < limit && size <= _left && network.CreatePipe(size, out var pipe) >= 0)
        {
            Taken++;
            _left -= pipe!.Capacity;
            pipe.ComeFrom(this);
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
