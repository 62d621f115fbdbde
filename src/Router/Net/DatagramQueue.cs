using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>Datagrams waiting to leave through one socket at the end of the loop's pass.</summary>
/// <remarks>
/// Loop thread only. Entries either point at bytes that stay until the flush (receive slots) or at the queue's own
/// arena. Full means: flush now. Nothing stays queued between passes, so its limit is its capacity.
/// </remarks>
internal sealed unsafe class DatagramQueue : IDisposable
{
    public struct Entry
    {
        internal byte* Payload;
        internal int Length;
        internal SocketAddr Peer;
        internal LocalAddr Local;
    }

    /// <summary>The most datagrams of one train: UDP_MAX_SEGMENTS of the newest kernels.</summary>
    internal const int TrainMax = 128;

    private const int ArenaBytes = 4 * DatagramBatch.SlotBytes;

    private readonly Entry* _entries;
    private readonly byte* _arena;
    private int _arenaUsed;
    private bool _disposed;

    public DatagramQueue(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        Capacity = capacity;
        _entries = (Entry*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(Entry));
        _arena = (byte*)NativeMemory.AlignedAlloc(ArenaBytes, 4096);
    }

    public int Capacity { get; }

    public int Count { get; private set; }

    /// <summary>Datagrams the kernel did not take, since the start: no room (EAGAIN, ENOBUFS).</summary>
    public long DroppedFull { get; internal set; }

    /// <summary>Datagrams the kernel refused for what they are or where they go (EMSGSIZE, EACCES,
    /// EHOSTUNREACH...), since the start.</summary>
    public long DroppedRefused { get; internal set; }

    /// <summary>The errno of the latest refusal.</summary>
    public Errno LastRefusal { get; internal set; }

    /// <summary>Whether a datagram of <paramref name="length"/> bytes can be copied in without a flush.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool HasRoom(int length) => Count < Capacity && ArenaBytes - _arenaUsed >= length;

    /// <summary>Whether a train of <paramref name="length"/> bytes, of as many datagrams as a train can have, can be
    /// copied in without a flush.</summary>
    internal bool HasTrainRoom(int length) => Count + TrainMax <= Capacity && ArenaBytes - _arenaUsed >= length;

    internal bool IsDisposed => _disposed;

    public bool IsFull => Count == Capacity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Entry* At(int index) => _entries + index;

    /// <summary>Where the next <paramref name="length"/> bytes may be written before <see cref="Commit"/>; call
    /// <see cref="HasRoom"/> first.</summary>
    internal byte* Reserve(int length)
    {
        Check.That(HasRoom(length));
        return _arena + _arenaUsed;
    }

    /// <summary>Queues the <paramref name="length"/> bytes written at the reserved place.</summary>
    internal void Commit(int length, in SocketAddr peer, in LocalAddr local)
    {
        Check.That(ArenaBytes - _arenaUsed >= length);
        var payload = _arena + _arenaUsed;
        _arenaUsed += (length + 63) & ~63;
        _arenaUsed = Math.Min(_arenaUsed, ArenaBytes);
        Add(payload, length, peer, local);
    }

    /// <summary>Queues the train written at the reserved place, as datagrams of <paramref name="segment"/>
    /// bytes.</summary>
    /// <returns>Datagrams queued: all, unless there are more than the queue has entries for.</returns>
    internal int CommitTrain(int length, int segment, in SocketAddr peer, in LocalAddr local)
    {
        Check.That(ArenaBytes - _arenaUsed >= length);
        var payload = _arena + _arenaUsed;
        _arenaUsed = Math.Min(_arenaUsed + ((length + 63) & ~63), ArenaBytes);
        var queued = 0;
        for (var start = 0; start < length && Count < Capacity; start += segment)
        {
            Add(payload + start, Math.Min(segment, length - start), peer, local);
            queued++;
        }

        return queued;
    }

    /// <summary>Queues bytes that stay where they are until the flush.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Add(byte* payload, int length, in SocketAddr peer, in LocalAddr local)
    {
        Check.That(Count < Capacity);
        var entry = _entries + Count++;
        entry->Payload = payload;
        entry->Length = length;
        entry->Peer = peer;
        entry->Local = local;
    }

    /// <summary>Forgets all entries: they are sent or counted as dropped.</summary>
    internal void Clear()
    {
        Count = 0;
        _arenaUsed = 0;
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        NativeMemory.Free(_entries);
        NativeMemory.AlignedFree(_arena);
    }
}
