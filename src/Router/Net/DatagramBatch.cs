using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>Receive slots in native memory: payloads of up to 65,535 bytes and, beside each, its facts.</summary>
/// <remarks>
/// Owned by one listener; valid until the next receive. Slots are spaced so that their first lines do not fall into
/// one cache set. Only pages that were written are resident: 64 slots of small datagrams cost 256 KB of the 4.2 MB
/// mapped.
/// </remarks>
public sealed unsafe class DatagramBatch : IDisposable
{
    /// <summary>Payload room of a slot, bytes; the longest UDP payload over IPv4 is 65,507, over IPv6
    /// 65,527.</summary>
    public const int SlotBytes = 65_536;

    private const int SlotStride = SlotBytes + 192;

    private readonly byte* _payloads;
    private readonly SocketAddr* _peers;
    private readonly LocalAddr* _locals;
    private readonly int* _lengths;
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
    }

    public int Capacity { get; }

    /// <summary>Datagrams in the batch, 0..Capacity; the socket sets it.</summary>
    public int Count { get; internal set; }

    /// <summary>The slots have been given back to the system.</summary>
    internal bool IsDisposed => _disposed;

    /// <summary>Grows with every receive: what was lent from an earlier content is known by its number.</summary>
    public uint Generation { get; internal set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Payload(int slot) => _payloads + ((long)slot * SlotStride);

    /// <summary>Payload bytes; negative when the datagram was longer than the slot and is cut (then -length of what
    /// came).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref int Length(int slot) => ref _lengths[slot];

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
    }
}
