using System.Buffers;
using Router.Net;

namespace Router.Loop;

/// <summary>Rents byte buffers for one loop and counts those that have not come back. Any thread.</summary>
/// <remarks>Those who rent limit how many they hold (write buffers, mailboxes). The memory is that of the process-wide
/// pool.</remarks>
internal sealed class BufferPool
{
    private int _rented;

    public int Rented => Volatile.Read(ref _rented);

    /// <summary>Rents a buffer of at least <paramref name="least"/> bytes; 0 is allowed.</summary>
    public byte[] Rent(int least)
    {
        Interlocked.Increment(ref _rented);
        return ArrayPool<byte>.Shared.Rent(Math.Max(1, least));
    }

    /// <summary>Leaves rented buffers to the garbage collector: they were in a mailbox that nobody reads any
    /// more.</summary>
    public void Abandon(int count) => Check.That(Interlocked.Add(ref _rented, -count) >= 0);

    public void Return(byte[] buffer)
    {
        ArrayPool<byte>.Shared.Return(buffer);
        Check.That(Interlocked.Decrement(ref _rented) >= 0);
    }
}
