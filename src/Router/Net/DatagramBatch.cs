using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>Receive slots in native memory: payloads of up to 65,535 bytes and, beside each, its facts.</summary>
/// <remarks>
/// Owned by one listener; valid until the next receive. Slots are spaced so that their first lines do not fall into
/// one cache set. Only pages that were written are resident: 64 slots of small datagrams cost 256 KB of the 4.2 MB
/// mapped.
/// <para>A slot holds one datagram or a <b>train</b>: datagrams of one peer to one local address that came as one
/// (UDP_GRO, udp(7)), all of one length but the last, which may be shorter. A <b>place</b> names one datagram: slot
/// and number within its train.</para>
/// </remarks>
internal sealed unsafe class DatagramBatch : IDisposable
{
    /// <summary>Payload room of a slot, bytes; the longest UDP payload over IPv4 is 65,507, over IPv6
    /// 65,527.</summary>
    public const int SlotBytes = 65_536;

    private const int SlotStride = SlotBytes + 192;

    private const int PlaceBits = 16;   // below the slot: a train has fewer datagrams than a slot has bytes

    private readonly byte* _payloads;
    private readonly SocketAddr* _peers;
    private readonly LocalAddr* _locals;
    private readonly int* _lengths;
    private readonly int* _segments;
    private bool _disposed;

    public DatagramBatch(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 1024);
        Capacity = capacity;
        _payloads = (byte*)NativeMemory.AlignedAlloc((nuint)capacity * SlotStride, 4096);
        _peers = (SocketAddr*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(SocketAddr));
        _locals = (LocalAddr*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(LocalAddr));
        _lengths = (int*)NativeMemory.AllocZeroed((nuint)capacity, sizeof(int));
        _segments = (int*)NativeMemory.AllocZeroed((nuint)capacity, sizeof(int));
    }

    public int Capacity { get; }

    /// <summary>Slots in use, 0..Capacity; the socket sets it.</summary>
    public int Count { get; internal set; }

    internal bool IsDisposed => _disposed;

    /// <summary>Grows with every receive, so that a payload that was lent from an earlier content can be
    /// told.</summary>
    public uint Generation { get; internal set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Payload(int slot) => _payloads + ((long)slot * SlotStride);

    /// <summary>Payload bytes in the slot; negative when the datagram was longer than the slot and is cut (then -length
    /// of what came).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref int Length(int slot) => ref _lengths[slot];

    /// <summary>Payload bytes of each datagram of a train but the last; 0 when the slot holds one datagram. The socket
    /// sets it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref int Segment(int slot) => ref _segments[slot];

    /// <summary>Datagrams in the slot, at least 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Datagrams(int slot)
    {
        var segment = _segments[slot];
        return segment == 0 ? 1 : (Math.Abs(_lengths[slot]) + segment - 1) / segment;
    }

    internal ReadOnlySpan<byte> First(int slot)
    {
        var segment = _segments[slot];
        return new ReadOnlySpan<byte>(Payload(slot), segment == 0 ? _lengths[slot] : Math.Min(segment, _lengths[slot]));
    }

    /// <summary>The place of a slot's first datagram.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PlaceOf(int slot) => slot << PlaceBits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int SlotOf(int place) => place >> PlaceBits;

    /// <summary>Whether the datagram at <paramref name="place"/> is the last of its slot: else the next one is at the
    /// next place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsLast(int place)
    {
        var slot = SlotOf(place);
        var segment = _segments[slot];
        return segment == 0 || ((place & ((1 << PlaceBits) - 1)) + 1) * segment >= _lengths[slot];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> PayloadAt(int place)
    {
        var slot = SlotOf(place);
        var segment = _segments[slot];
        if (segment == 0)
        {
            return new ReadOnlySpan<byte>(Payload(slot), _lengths[slot]);
        }

        var start = (place & ((1 << PlaceBits) - 1)) * segment;
        return new ReadOnlySpan<byte>(Payload(slot) + start, Math.Min(segment, _lengths[slot] - start));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref SocketAddr Peer(int slot) => ref _peers[slot];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref LocalAddr Local(int slot) => ref _locals[slot];

    /// <summary>Whether <paramref name="payload"/> points into the slots: such bytes may be queued without a
    /// copy.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Holds(byte* payload) => (nuint)(payload - _payloads) < (nuint)Capacity * SlotStride;

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        NativeMemory.AlignedFree(_payloads);
        NativeMemory.Free(_peers);
        NativeMemory.Free(_locals);
        NativeMemory.Free(_lengths);
        NativeMemory.Free(_segments);
    }
}
