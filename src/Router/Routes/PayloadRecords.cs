using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>What is kept of a payload besides its bytes.</summary>
/// <param name="UtcTicks">When it came, for the record.</param>
/// <param name="AtMs">The same by the clock of the window's loop, for what is still in a sliding window.</param>
/// <param name="Length">Bytes of payload behind the header.</param>
internal readonly record struct RecordHeader(
    SocketAddr Peer, SessionId Session, long UtcTicks, long AtMs, int Length);

/// <summary>
/// Payloads one behind the other in one rented array, oldest first, each behind its header. One thread at a time.
/// </summary>
/// <remarks>
/// What the array takes is charged to the route's budget, so that the memory of all windows together has a limit; the
/// array grows by doubling, and a window that is filled like the one before it allocates nothing.
/// </remarks>
internal sealed class PayloadRecords(MemoryBudget budget)
{
    private const int CapacityMin = 512;
    private const int CapacityMax = 1 << 30;

    private static readonly int HeaderBytes = Unsafe.SizeOf<RecordHeader>();

    private byte[] _bytes = [];
    private int _charged;
    private int _start;
    private int _end;

    public int Count { get; private set; }

    /// <summary>Without headers.</summary>
    public long PayloadBytes { get; private set; }

    /// <summary>Adds a copy at the end; false if there is no room for it and nothing was added.</summary>
    public bool TryAdd(in RecordHeader header, ReadOnlySpan<byte> payload)
    {
        Check.That(header.Length == payload.Length);
        var room = RoomFor(payload.Length);
        if (_bytes.Length - _end < room && !MakeRoom(room))
        {
            return false;
        }

        MemoryMarshal.Write(_bytes.AsSpan(_end), header);
        payload.CopyTo(_bytes.AsSpan(_end + HeaderBytes));
        _end += room;
        Count++;
        PayloadBytes += payload.Length;
        return true;
    }

    /// <summary>Adds a copy of all that another one holds; false if there is no room for it and nothing was
    /// added.</summary>
    public bool TryAddAll(PayloadRecords other)
    {
        var room = other._end - other._start;
        if (_bytes.Length - _end < room && !MakeRoom(room))
        {
            return false;
        }

        other._bytes.AsSpan(other._start, room).CopyTo(_bytes.AsSpan(_end));
        _end += room;
        Count += other.Count;
        PayloadBytes += other.PayloadBytes;
        return true;
    }

    /// <summary>The loop's time of the oldest; there must be one.</summary>
    public long FirstAtMs => HeaderAt(_start).AtMs;

    public void RemoveFirst()
    {
        Check.That(Count > 0);
        var length = HeaderAt(_start).Length;
        _start += RoomFor(length);
        PayloadBytes -= length;
        if (--Count == 0)
        {
            _start = _end = 0;
        }
    }

    /// <summary>Removes everything and gives the memory back.</summary>
    public void Release()
    {
        Clear();
        Exchange([], 0);
    }

    /// <summary>Removes everything, and keeps the memory for what comes next.</summary>
    public void Clear()
    {
        _start = _end = Count = 0;
        PayloadBytes = 0;
    }

    public Enumerator GetEnumerator() => new(this);

    private static int RoomFor(int length) => (HeaderBytes + length + 7) & ~7;

    private RecordHeader HeaderAt(int place) => MemoryMarshal.Read<RecordHeader>(_bytes.AsSpan(place));

    private bool MakeRoom(int room)
    {
        var held = _end - _start;
        if (_start >= _bytes.Length / 2 && held + room <= _bytes.Length && _start > 0)
        {
            Compact(held);   // at least half is free: moving costs less than was removed
            return true;
        }

        if (TryGrow(held, room))
        {
            return true;
        }

        if (held + room > _bytes.Length)
        {
            return false;
        }

        Compact(held);
        return true;
    }

    private void Compact(int held)
    {
        _bytes.AsSpan(_start, held).CopyTo(_bytes);
        _start = 0;
        _end = held;
    }

    private bool TryGrow(int held, int room)
    {
        if ((long)held + room > CapacityMax)
        {
            return false;
        }

        var capacity = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(held + room, CapacityMin));
        if (!budget.TryTake(capacity))   // both arrays are there while it is copied
        {
            return false;
        }

        var larger = ArrayPool<byte>.Shared.Rent(capacity);
        _bytes.AsSpan(_start, held).CopyTo(larger);
        Exchange(larger, capacity);
        _start = 0;
        _end = held;
        return true;
    }

    private void Exchange(byte[] bytes, int charged)
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            budget.Return(_charged);
        }

        _bytes = bytes;
        _charged = charged;
    }

    public ref struct Enumerator(PayloadRecords records)
    {
        private int _next = records._start;

        public RecordHeader Header { get; private set; }

        public ReadOnlySpan<byte> Payload { get; private set; }

        public readonly Enumerator Current => this;

        public bool MoveNext()
        {
            if (_next == records._end)
            {
                return false;
            }

            Header = records.HeaderAt(_next);
            Payload = records._bytes.AsSpan(_next + HeaderBytes, Header.Length);
            _next += RoomFor(Header.Length);
            return true;
        }
    }
}
