using System.Buffers;
using Router.Net;

namespace Router.Loop;

/// <summary>Rented byte buffers of one loop, counted: what is out must come back. Any thread.</summary>
/// <remarks>How many may be out is limited by whoever rents (write buffers, mailboxes); the memory is the
/// process-wide pool's.</remarks>
internal sealed class BufferPool
{
    private int _rented;

    /// <summary>Buffers that are out.</summary>
    public int Rented => Volatile.Read(ref _rented);

    /// <summary>A buffer of at least <paramref name="least"/> bytes, also for 0.</summary>
    public byte[] Rent(int least)
    {
        Interlocked.Increment(ref _rented);
        return ArrayPool<byte>.Shared.Rent(Math.Max(1, least));
    }

    /// <summary>Some buffers will not come back: they went with a mailbox that nobody reads any more, and are the
    /// collector's.</summary>
    public void Abandon(int count) => Check.That(Interlocked.Add(ref _rented, -count) >= 0);

    /// <summary>Takes a rented buffer back; the caller forgets it.</summary>
    public void Return(byte[] buffer)
    {
        ArrayPool<byte>.Shared.Return(buffer);
        Check.That(Interlocked.Decrement(ref _rented) >= 0);
    }
}
